// SPDX-License-Identifier: MIT
//
// The entries of the packed package beside each other in one page, and load() with every kind of answer.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { browserName, emptyPage, launch, openPage, serve } from '../browser/support/browser.mjs';
import { installPackage, remove } from './support/app.mjs';

let folder;
let site;
let browser;

before(async () => {
  folder = await installPackage();
  const dist = join(folder, 'node_modules/webrtc-data-channel/dist');
  const file = await readFile(join(dist, 'webrtc_data_channel.wasm'));
  site = await serve({
    '/empty': emptyPage,
    '/dist/': `${dist}/`,
    '/bytes': { text: file, type: 'application/octet-stream' },
    '/with_parameter': { text: file, type: 'Application/WASM; charset=binary' },
    '/page': emptyPage,
    '/broken.wasm': { text: file.subarray(0, 100), type: 'application/wasm' },
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
  await remove(folder);
});

/** A fresh page, in which `run` is called with `argument`. */
async function inPage(run, argument) {
  const { page, errors, close } = await openPage(browser, `${site.origin}/empty`);
  const result = await page.evaluate(run, argument);
  assert.deepEqual(errors, []);
  await close();
  return result;
}

const limit = { timeout: 30_000 };

test(`what one entry has wrapped the others refuse, in ${browserName}`, limit, async () => {
  const codes = await inPage(async () => {
    const [embedded, external, { createHost }] = await Promise.all(
      ['index', 'external', 'host'].map((name) => import(`/dist/${name}.js`)));
    await external.load();
    const connection = new RTCPeerConnection();
    const host = createHost();
    const wrappers = [
      (channel) => new embedded.WasmDataChannel(channel),
      (channel) => new external.WasmDataChannel(channel),
      (channel) => host.adoptChannel(channel),
    ];
    const found = [];
    for (const first of wrappers) {
      const channel = connection.createDataChannel('one');
      first(channel);
      for (const second of wrappers) {
        try {
          second(channel);
          found.push('wrapped twice');
        } catch ({ code }) {
          found.push(code);
        }
      }
    }
    connection.close();
    return found;
  });
  assert.deepEqual(codes, Array(9).fill('already_wrapped'));
});

test(`external before load() is invalid_state and says what to do, in ${browserName}`, limit, async () => {
  const errors = await inPage(async () => {
    const { connect, incoming, load, WasmDataChannel } = await import('/dist/external.js');
    const told = ({ code, message }) => ({ code, message });
    const found = [await connect('broadcast:', 'room').catch(told)];
    const connection = new RTCPeerConnection();
    const channel = connection.createDataChannel('early');
    try {
      new WasmDataChannel(channel);
    } catch (error) {
      found.push(told(error));
    }
    incoming(connection);
    await load();
    // The channel was not spoiled by that.
    new WasmDataChannel(channel, { peerConnection: connection }).abort();
    connection.close();
    return found;
  });
  assert.equal(errors.length, 2);
  for (const { code, message } of errors) {
    assert.equal(code, 'invalid_state');
    assert.match(message, /await load\(\)/);
  }
});

for (const [what, address, wanted] of [
  ['the file beside the script', undefined, 'loaded'],
  ['an address', '/dist/webrtc_data_channel.wasm', 'loaded'],
  ['another type', '/bytes', 'loaded'],
  ['a type with a parameter', '/with_parameter', 'loaded'],
  ['nothing', '/missing.wasm', /^invalid_argument: .*\/missing\.wasm: status 404$/],
  ['a page', '/page', /^invalid_argument: .*\/page: not WebAssembly but text\/html; charset=utf-8$/],
  ['no server', 'http://127.0.0.1:1/x.wasm', /^invalid_argument: .*x\.wasm: TypeError: /],
  ['a number', 7, /^invalid_argument: .* not a number$/],
  ['half a file', '/broken.wasm', /^unsupported: /],
]) {
  test(`load() from ${what} in ${browserName}`, limit, async () => {
    const result = await inPage(async (source) => {
      const { load } = await import('/dist/external.js');
      const outcome = await load(...(source === undefined ? [] : [source])).then(() => 'loaded', ({ message }) => message);
      // After a failure it can be called again.
      await load();
      return outcome;
    }, address);
    if (wanted === 'loaded') assert.equal(result, wanted);
    else assert.match(result, wanted);
  });
}

test(`load() fetches once, and takes a module, in ${browserName}`, limit, async () => {
  const result = await inPage(async () => {
    const { load, WasmDataChannel } = await import('/dist/external.js');
    const path = '/dist/webrtc_data_channel.wasm';
    const fetched = () => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith(path)).length;
    const module = await WebAssembly.compileStreaming(fetch(path));
    const promise = load(module);
    const same = promise === load();
    await promise;
    await load();
    const connection = new RTCPeerConnection();
    new WasmDataChannel(connection.createDataChannel('it works'), { peerConnection: connection }).abort();
    connection.close();
    return { same, fetched: fetched() };
  });
  assert.deepEqual(result, { same: true, fetched: 1 });
});
