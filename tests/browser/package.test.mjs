// SPDX-License-Identifier: MIT
//
// The npm package in a real browser, over real connections: package_page.ts holds the tests.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundle, emptyPage, launch, openPage, script, serve } from './support/browser.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const withScript = (name) => ({ ...emptyPage, text: `${emptyPage.text}<script type="module" src="/${name}"></script>` });

let browser;
let server;
let blocking;
let page;
let errors;

before(async () => {
  const routes = {
    '/': withScript('package_page.js'),
    '/package_page.js': script(await bundle(file('package_page.ts'))),
    '/package_worker.js': script(await bundle(file('package_worker.ts'))),
    '/echo_worker.js': script(await bundle(file('../../examples/docs/echo_worker.js'))),
    '/framed_worker.js': script(await bundle(file('../../examples/docs/framed_worker.js'))),
    '/dist/': file('../../js/dist/'),
  };
  browser = await launch();
  server = await serve(routes, { isolated: true });
  blocking = await serve(routes, { headers: { 'Content-Security-Policy': "default-src 'none'; script-src 'self'; img-src data:" } });
  ({ page, errors } = await openPage(browser, `${server.origin}/`));
}, { timeout: 60_000 });

after(async () => {
  await browser?.close();
  await server?.close();
  await blocking?.close();
});

const zero = { channels: 0, peers: 0, pipes: 0, slots: 0, handlers: 0, timers: 0 };

test('the package in one page', { timeout: 300_000 }, async (t) => {
  const names = await page.evaluate(() => globalThis.packageTests.names);
  assert.ok(names.length > 25);
  for (const name of names) {
    await t.test(name, { timeout: 30_000 }, async () => {
      const failure = await page.evaluate((which) => globalThis.packageTests.run(which).then(() => null, (error) => (
        `${error}\n${error.stack}\n${error.cause?.stack ?? ''}`)), name);
      assert.equal(failure, null);
      assert.deepEqual(errors.splice(0), [], 'nothing was left uncaught');
    });
  }
  await t.test('nothing is left behind', async () => {
    assert.deepEqual(await page.evaluate(() => globalThis.packageTests.settledCounts()), zero);
  });
});

test('a trap ends every channel with wasm_trapped, and the next one lives', { timeout: 30_000 }, async () => {
  const own = await openPage(browser, `${server.origin}/`);
  assert.equal(await own.page.evaluate(() => globalThis.packageTests.trap().then(() => null, (error) => error.stack)), null);
  assert.deepEqual(await own.page.evaluate(() => globalThis.packageTests.settledCounts()), zero);
  assert.deepEqual(own.errors, []);
  await own.close();
});

for (const [name, what] of [
  ['noRoom', 'memory that cannot grow refuses a channel with out_of_memory, and the others go on'],
  ['noModule', 'a page without room for a memory refuses a channel with out_of_memory'],
]) {
  test(what, { timeout: 60_000 }, async () => {
    const own = await openPage(browser, `${server.origin}/`);
    assert.equal(await own.page.evaluate(
      (which) => globalThis.packageTests[which]().then(() => null, (error) => `${error}\n${error.stack}`), name), null);
    assert.deepEqual(await own.page.evaluate(() => globalThis.packageTests.settledCounts()), zero);
    assert.deepEqual(own.errors, []);
    await own.close();
  });
}

test('a Content-Security-Policy that forbids WebAssembly is named', { timeout: 30_000 }, async () => {
  const own = await openPage(browser, `${blocking.origin}/`);
  const { code, message } = await own.page.evaluate(() => globalThis.packageTests.wrapError());
  assert.equal(code, 'wasm_blocked');
  assert.match(message, /'wasm-unsafe-eval'/);
  await own.close();
});
