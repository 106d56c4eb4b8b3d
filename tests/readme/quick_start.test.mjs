// SPDX-License-Identifier: MIT
//
// The README's quick starts, run as they stand: the page in two tabs, the wrapper, the C++ module and its page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { emptyPage, launch, openPage, root, serve, wasmBuild } from '../browser/support/browser.mjs';

const example = (name) => join(root, 'examples/quick-start', name);
let browser;
let site;

before(async () => {
  browser = await launch();
  const importMap = '<script type="importmap">{"imports":{"webrtc-data-channel":"/node_modules/webrtc-data-channel/dist/index.js"}}</script>';
  site = await serve({
    '/empty.html': emptyPage,
    '/mapped.html': { ...emptyPage, text: emptyPage.text + importMap },
    '/index.html': example('index.html'),
    '/wrap.js': example('wrap.js'),
    '/echo.html': example('echo.html'),
    '/echo.wasm': join(wasmBuild, 'examples/quick-start/echo.wasm'),
    '/node_modules/webrtc-data-channel/': `${join(root, 'js')}/`,
  });
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** Two tabs of one browser, so that they share its BroadcastChannels. */
async function openTabs(first, second) {
  const a = await openPage(browser, `${site.origin}${first}`);
  const page = await a.page.browserContext().newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.stack ?? String(error)));
  await page.goto(`${site.origin}${second}`, { waitUntil: 'load' });
  return { a: a.page, b: page, errors: () => [...a.errors, ...errors], close: () => a.close() };
}

/** A tab in the background draws no frames, which a waiting puppeteer would look at otherwise. */
const shows = (page, text) => page.waitForFunction(
  (wanted) => [...document.querySelectorAll('li')].some((item) => item.textContent === wanted),
  { timeout: 20_000, polling: 50 }, text);

test('the README shows the example files as they are', () => {
  execFileSync('python3', [join(root, 'tools/readme_examples.py')], { stdio: 'pipe' });
});

test('the pasteable page connects two tabs and carries a message each way', async () => {
  const tabs = await openTabs('/index.html', '/index.html');
  for (const [from, to, text] of [[tabs.a, tabs.b, 'hello'], [tabs.b, tabs.a, 'grüße \u{1f30d}']]) {
    await shows(from, 'connected');
    await from.bringToFront();
    await from.type('input', text);
    await from.keyboard.press('Enter');
    await shows(from, `you: ${text}`);
    await shows(to, `they: ${text}`);
  }
  assert.deepEqual(tabs.errors(), []);
  await tabs.close();
});

test('the wrapper sends what it says and closes', async () => {
  const { page, errors, close } = await openPage(browser, `${site.origin}/mapped.html`);
  const received = await page.evaluate(async () => {
    const { greet } = await import('/wrap.js');
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    a.onicecandidate = (event) => b.addIceCandidate(event.candidate);
    b.onicecandidate = (event) => a.addIceCandidate(event.candidate);
    const bytes = new Promise((resolve) => {
      b.ondatachannel = ({ channel }) => {
        channel.binaryType = 'arraybuffer';
        channel.onmessage = ({ data }) => resolve([...new Uint8Array(data)]);
      };
    });
    const greeting = greet(a.createDataChannel('greeting'));
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription);
    await b.setLocalDescription();
    await a.setRemoteDescription(b.localDescription);
    await greeting;
    const result = await bytes;
    a.close();
    b.close();
    return result;
  });
  assert.deepEqual(received, [1, 2, 3]);
  assert.deepEqual(errors, []);
  await close();
});

test('the C++ module echoes what a JavaScript tab sends', async () => {
  const tabs = await openTabs('/echo.html', '/empty.html');
  await tabs.a.waitForSelector('html[data-state=running]', { timeout: 20_000 });
  const echoed = await tabs.b.evaluate(async () => {
    const { connect } = await import('/node_modules/webrtc-data-channel/dist/index.js');
    const channel = await connect('broadcast:', 'echo');
    const messages = channel.messages({ text: true });
    const result = [];
    for (const message of ['text \0 with NUL', new Uint8Array([0, 255])]) {
      await channel.send(message);
      const { value } = await messages.next();
      result.push(typeof value === 'string' ? value : [...value]);
    }
    await channel.close();
    return result;
  });
  assert.deepEqual(echoed, ['text \0 with NUL', [0, 255]]);
  assert.deepEqual(tabs.errors(), []);
  await tabs.close();
});
