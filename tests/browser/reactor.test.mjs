// SPDX-License-Identifier: MIT
//
// The example of a module with doors of its own: examples/reactor.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { browserName, launch, openPage, root, serve, wasmBuild } from './support/browser.mjs';

describe(`the reactor example in ${browserName}`, { timeout: 60_000 }, () => {
  let browser;
  let server;

  before(async () => {
    server = await serve({
      '/': join(root, 'examples/reactor/index.html'),
      '/reactor.wasm': join(wasmBuild, 'examples/reactor/reactor.wasm'),
      '/node_modules/webrtc-data-channel/': `${join(root, 'js')}/`,
    });
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await server?.close();
  });

  test('counts words in C++, and is told of the close', async () => {
    const { page, errors, close } = await openPage(browser, `${server.origin}/`);
    const shown = (count) => page.waitForFunction(
      (wanted) => document.querySelectorAll('li').length === wanted, { timeout: 20_000 }, count);
    await page.waitForSelector('html[data-state=open]');
    await page.click('button');
    await shown(1);
    await page.click('button');
    await shown(2);
    await page.click('[type=button]');
    await shown(3);
    const lines = await page.$$eval('li', (items) => items.map((item) => item.textContent));
    assert.deepEqual(lines, ['3 words, 3 in all', '3 words, 6 in all', 'closed']);
    assert.deepEqual(errors, []);
    await close();
  });
});
