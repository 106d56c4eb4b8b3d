// SPDX-License-Identifier: MIT
//
// The C example as a module in a real browser: the same file that is a native program.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { emptyPage, launch, openPage, root, serve, wasmBuild } from '../browser/support/browser.mjs';

let browser;
let site;

before(async () => {
  browser = await launch();
  site = await serve({
    '/empty.html': emptyPage,
    '/c_pair.wasm': join(wasmBuild, 'examples/c_api/c_pair.wasm'),
    '/js/': `${join(root, 'js')}/`,
  });
});
after(async () => {
  await browser?.close();
  await site?.close();
});

test('two ends written in C meet in a page, and its console says so', { timeout: 60_000 }, async () => {
  const { page, errors, close } = await openPage(browser, `${site.origin}/empty.html`);
  const lines = await page.evaluate(async () => {
    const { createHost } = await import('/js/dist/host.js');
    const said = [];
    const ended = new Promise((resolve, reject) => {
      console.log = (line) => {
        said.push(line);
        if (line.startsWith('version')) resolve();
      };
      console.error = (line) => reject(new Error(line));
    });
    const host = createHost();
    host.bind((await WebAssembly.instantiateStreaming(fetch('/c_pair.wasm'), host.imports)).instance);
    await ended;
    return said;
  });
  assert.deepEqual(lines.slice(0, 2), ['caller: 2 messages, closed', 'echo: 2 messages, closed']);
  assert.match(lines[2], /^version \d+\.\d+\.\d+$/);
  assert.deepEqual(errors, []);
  await close();
});
