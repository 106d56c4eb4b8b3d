// SPDX-License-Identifier: MIT
//
// The conformance suite (tests/conformance) in a real browser: the driver in WebAssembly in one page, the far end in a
// browser of its own, so that it can be frozen and killed. WDC_CASES: only cases whose name contains it. WDC_STRESS=1:
// those that take minutes, too.
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer } from '../../tools/server.mjs';
import { browserName, launch, openPage, root, wasmBuild } from './support/browser.mjs';
import { FarEnd, makePages } from './support/far_end.mjs';
import { plainOnly } from '../conformance/plain_only.mjs';

/** conformance_framed.test.mjs: channels speak framed mode, with the npm package at the far end. */
const framed = process.env.WDC_FRAMED === '1';
const folder = join(root, 'build/conformance', browserName);
const roomPrefix = 'conformance';

/** What the server has to serve: two pages with their scripts, and the module. */
async function makeFolder() {
  await makePages(folder, ['conformance', 'far_end']);
  await copyFile(join(wasmBuild, 'tests/conformance/conformance.wasm'), join(folder, 'conformance.wasm'));
}

let server;
let browser;
let driver;
let farEnd;

before(async () => {
  await makeFolder();
  // Every case is a newcomer from the same address, some are several.
  server = await startServer({
    directory: folder,
    preset: process.env.WDC_SERVER_PRESET ?? 'native',
    options: ['--quiet', '--upgrades-per-second', '1000', '--upgrade-burst', '1000', '--connections-per-address', '1000'],
  });
  browser = await launch();
  farEnd = new FarEnd(server.url, roomPrefix, framed ? '&framed=1' : '');
  await farEnd.start(0);
  driver = await openPage(browser);
  await driver.page.exposeFunction('carryOut', async (what) => {
    if (what === 'freeze') await farEnd.freeze();
    else if (what === 'thaw') farEnd.thaw();
    else if (what === 'kill page') await farEnd.killPage();
    else if (what === 'kill') await farEnd.killAll();
    else if (what === 'restart') await farEnd.start(await driver.page.evaluate(() => globalThis.conformance.meetings()));
    else throw new Error(`nobody can ${what}`);
  });
  await driver.page.goto(`${server.url}/conformance.html`, { waitUntil: 'load' });
  await driver.page.waitForFunction(() => globalThis.conformance !== undefined, { timeout: 20_000 });
});

after(async () => {
  await farEnd?.stop();
  await browser?.close();
  await server?.stop();
});

const run = (index) => driver.page.evaluate((...words) => globalThis.conformance.run(...words), index, roomPrefix, framed);

/** Runs a case again and again until it leaves as much as the time before: pools fill once, a leak grows every time. */
async function runUntilSteady(index, first) {
  let last = first;
  for (let again = 0; again < 4; again += 1) {
    const result = await run(index);
    if (!result.passed) return { ...result, grows: '' };
    const grown = result.allocations - last.allocations;
    const grownMemory = result.memory - last.memory;
    if (grown <= 0 && grownMemory <= 0) return { ...result, grows: '' };
    last = { ...result, grows: `${grown} live allocations and ${grownMemory} bytes of memory more after each run` };
  }
  return last;
}

test(`conformance in ${browserName}${framed ? ', framed mode' : ''}`, async (t) => {
  const cases = await driver.page.evaluate(() => globalThis.conformance.list());
  const wanted = process.env.WDC_CASES ?? '';
  let before = { allocations: 0, memory: 0 };
  for (const [index, { name, stress }] of cases.entries()) {
    const skip = stress && process.env.WDC_STRESS !== '1';
    if (!name.includes(wanted) || (framed && plainOnly.includes(name))) continue;
    await t.test(name, { skip, timeout: stress ? 1_500_000 : 200_000 }, async () => {
      const seat = await driver.page.evaluate(() => globalThis.conformance.meetings());
      await farEnd.seated(seat).catch(() => farEnd.start(seat));
      farEnd.takeText();
      let result = await run(index);
      const grew = result.allocations > before.allocations || result.memory > before.memory;
      if (result.passed && grew && !stress) result = await runUntilSteady(index, result);
      before = result;
      const far = farEnd.takeText();
      assert.ok(result.passed, [result.detail, ...far, ...driver.errors.splice(0), ...driver.text.splice(0)].join('\n'));
      assert.deepEqual(result.counts, { channels: 0, peers: 0, pipes: 0, slots: 0, handlers: 0, timers: 0 }, 'left behind');
      assert.ok(!result.grows, result.grows);
      assert.deepEqual(driver.errors.splice(0), [], 'errors nobody caught');
    });
  }
});
