// SPDX-License-Identifier: MIT
//
// Very many small messages through one real channel, each checked in C++: nothing is lost, and nothing grows. 200,000 of them,
// or with WDC_STRESS=1 ten million. On a plain channel and in framed mode; there also a reader that stalls.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { browserName, bundle, emptyPage, launch, openPage, root, script, serve, wasmBuild } from './support/browser.mjs';

const stress = process.env.WDC_STRESS === '1';
const total = stress ? 10_000_000 : 200_000;
const nothing = { channels: 0, peers: 0, pipes: 0, slots: 0, handlers: 0, timers: 0 };
const kMostGrowth = 10_000_000; // bytes of the renderer
const kWindow = 4 << 20; // of framed mode, by default

let browser;
let server;
/** Of the mode under test. */
let page;
let errors;

before(async () => {
  server = await serve({
    '/': emptyPage,
    '/endurance_page.js': script(await bundle(join(root, 'tests/browser/endurance_page.ts'))),
    '/endurance.wasm': join(wasmBuild, 'tests/browser/endurance.wasm'),
  });
  browser = await launch();
}, { timeout: 60_000 });

async function open(protocol) {
  const opened = await openPage(browser, `${server.origin}/?protocol=${protocol}`);
  ({ page, errors } = opened);
  await page.addScriptTag({ type: 'module', url: '/endurance_page.js' });
  await page.waitForSelector('html[data-state=ready]');
  return opened;
}

after(async () => {
  await browser?.close();
  await server?.close();
});

/** Resident bytes of Chromium's renderers, after a garbage collection. */
async function residentBytes() {
  const session = await page.createCDPSession();
  await session.send('HeapProfiler.collectGarbage');
  await session.detach();
  const whole = await browser.target().createCDPSession();
  const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
  await whole.detach();
  const renderers = processInfo.filter(({ type }) => type === 'renderer');
  assert.ok(renderers.length > 0);
  const sizes = await Promise.all(renderers.map(async ({ id }) => {
    const status = await readFile(`/proc/${id}/status`, 'utf8');
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]);
  }));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function send(count) {
  await page.evaluate((more) => globalThis.endurance.send(more), count);
  // In small steps: one call of the page may not take as long as all of it.
  let done;
  do {
    await sleep(200);
    done = await page.evaluate(() => globalThis.endurance.done());
  } while (done === undefined);
  assert.equal(done, 0, 'the number of an error; invalid_state for a message that is damaged or out of its place');
  const measures = await page.evaluate(() => globalThis.endurance.measure());
  return { ...measures, resident: browserName === 'chromium' ? await residentBytes() : 0 };
}

async function closed(opened) {
  assert.deepEqual(await page.evaluate(() => globalThis.endurance.close()), nothing);
  assert.deepEqual(errors, []);
  await opened.close();
}

for (const [mode, protocol] of [['on a plain channel', ''], ['in framed mode', 'wdc.framed.v1']]) {
  test(`${total} messages of 64 bytes ${mode} arrive whole and in order, and nothing grows`, { timeout: 1_900_000 }, async (t) => {
    const opened = await open(protocol);
    const early = await send(total / 10);
    const started = performance.now();
    const late = await send(total - total / 10);
    const seconds = (performance.now() - started) / 1000;
    t.diagnostic(`${Math.round(0.9 * total / seconds)} messages/s; resident ${(early.resident / 1e6).toFixed(1)} MB, then ${
      (late.resident / 1e6).toFixed(1)} MB; allocated ${early.liveBytes}, then ${late.liveBytes} bytes`);
    assert.equal(late.received, total);
    assert.deepEqual([early.slots, late.slots], [0, 0]);
    // Frames that wait to be read are kept as buffers, as many as there were at once so far: within the window.
    const grown = protocol === '' ? 0 : kWindow;
    assert.ok(late.memoryBytes - early.memoryBytes <= grown, `memory: ${early.memoryBytes}, then ${late.memoryBytes}`);
    assert.ok(late.liveBytes - early.liveBytes <= grown, `allocated: ${early.liveBytes}, then ${late.liveBytes}`);
    if (stress && browserName === 'chromium') {
      assert.ok(late.resident - early.resident < kMostGrowth + grown, `the renderer grew by ${late.resident - early.resident} bytes`);
    }
    await closed(opened);
  });
}

test('a framed reader that stalls, then reads slowly, keeps both ends small', { timeout: 1_200_000 }, async (t) => {
  const [bytes, stallMs, bytesPerSecond] = stress ? [1e9, 60_000, 4e6] : [12e6, 1500, 4e6];
  const opened = await open('wdc.framed.v1');
  const warm = await send(10_000);
  const size = 16_384;
  const messages = Math.ceil(bytes / size);
  await page.evaluate((...words) => globalThis.endurance.flood(...words), size, warm.sent + messages, stallMs, bytesPerSecond);
  let most = 0;
  let sentInStall = 0;
  const started = performance.now();
  let done;
  do {
    await sleep(stress ? 1000 : 200);
    const { liveBytes, slots, sent } = await page.evaluate(() => globalThis.endurance.measure());
    if (performance.now() - started < stallMs) sentInStall = sent - warm.sent;
    most = Math.max(most, liveBytes - warm.liveBytes);
    assert.ok(slots <= 1, `${slots} slots`);
    done = await page.evaluate(() => globalThis.endurance.done());
  } while (done === undefined);
  t.diagnostic(`at most ${most} bytes above the warm value; ${sentInStall * size} bytes were accepted while the reader stalled`);
  assert.equal(done, 0, 'the number of an error');
  assert.ok(most <= 8 << 20, `${most} bytes`);
  assert.ok(sentInStall * size < bytes / 1.2, `${sentInStall * size} bytes were accepted while nobody read`);
  await closed(opened);
});
