// SPDX-License-Identifier: MIT
//
// The conformance suite (tests/conformance) in a real browser: the driver in WebAssembly in one page, the far end in a
// browser of its own, so that it can be frozen and killed. WDC_CASES: only cases whose name contains it. WDC_STRESS=1:
// those that take minutes, too.
import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer } from '../../tools/server.mjs';
import { browserName, bundle, launch, openPage, root, wasmBuild } from './support/browser.mjs';

/** conformance_framed.test.mjs: channels speak framed mode, with the npm package at the far end. */
const framed = process.env.WDC_FRAMED === '1';
const here = join(root, 'tests/browser');
const folder = join(root, 'build/conformance', browserName);
const roomPrefix = 'conformance';

/** What the server has to serve: two pages with their scripts, and the module. */
async function makeFolder() {
  await mkdir(folder, { recursive: true });
  for (const page of ['conformance.html', 'far_end.html']) await copyFile(join(here, page), join(folder, page));
  await copyFile(join(wasmBuild, 'tests/conformance/conformance.wasm'), join(folder, 'conformance.wasm'));
  for (const script of ['conformance_page', 'far_end', 'package_end']) {
    const text = bundle(join(here, `${script}.ts`), { target: 'es2022', external: ['./package_end.js'] });
    await writeFile(join(folder, `${script}.js`), script === 'package_end' ? await text.catch(failing) : await text);
  }
}

/** The script of a part that could not be made: the cases that want it say why. */
const failing = (error) => `throw new Error(${JSON.stringify(String(error.message))});`;

/** The processes below `pid` whose command line matches, itself among them. */
async function processesBelow(pid, pattern) {
  const children = new Map();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = await readFile(`/proc/${entry}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = [];
  const visit = async (process) => {
    const command = await readFile(`/proc/${process}/cmdline`, 'utf8').catch(() => '');
    if (pattern.test(command.replaceAll('\0', ' '))) found.push(process);
    for (const child of children.get(process) ?? []) await visit(child);
  };
  await visit(pid);
  return found;
}

/** The far end: a browser with one page. */
class FarEnd {
  #origin;
  #browser;
  #opened;
  #frozen = [];
  #killed = false;

  constructor(origin) {
    this.#origin = origin;
  }

  /** A fresh page, in a fresh browser if there is none. */
  async start(seat) {
    if (this.#killed) await this.#bury();
    else await this.#opened?.close();
    this.#browser ??= await launch();
    this.#opened = await openPage(this.#browser, `${this.#origin}/far_end.html?prefix=${roomPrefix}&number=${seat}${framed ? '&framed=1' : ''}`);
    await this.seated(seat);
  }

  /** Waits until it sits in the room of that number. */
  async seated(seat) {
    const { page, text } = this.#opened;
    try {
      await page.waitForFunction((number) => document.documentElement.dataset.seat === String(number), { timeout: 10_000 }, seat);
    } catch (error) {
      throw new Error(`the far end does not sit in room ${seat}: ${error.message}\n${text.join('\n')}`);
    }
  }

  /** What its page wrote since the last time. */
  takeText() {
    return this.#opened ? [...this.#opened.errors.splice(0), ...this.#opened.text.splice(0)] : [];
  }

  async freeze() {
    this.#frozen = await processesBelow(this.#browser.process().pid, /./);
    for (const pid of this.#frozen) process.kill(pid, 'SIGSTOP');
  }

  thaw() {
    for (const pid of this.#frozen.splice(0)) process.kill(pid, 'SIGCONT');
  }

  /** Kills what runs the page. The rest of the browser may still say goodbye in its name: Firefox does. */
  async killPage() {
    const renderers = await processesBelow(this.#browser.process().pid, /--type=renderer|-contentproc.* tab\s*$/);
    assert.notEqual(renderers.length, 0, 'the far end has a process to kill');
    for (const pid of renderers) process.kill(pid, 'SIGKILL');
    this.#killed = true;
  }

  /** Kills everything, first stopped, so that nothing says goodbye. */
  async killAll() {
    await this.freeze();
    for (const pid of this.#frozen.splice(0)) process.kill(pid, 'SIGKILL');
    this.#killed = true;
  }

  async #bury() {
    for (const pid of await processesBelow(this.#browser.process().pid, /./)) process.kill(pid, 'SIGKILL');
    await this.#browser.disconnect();
    this.#browser = undefined;
    this.#killed = false;
  }

  async stop() {
    this.thaw();
    await this.#browser?.close();
  }
}

/** Cases about what framed mode has otherwise; its own tests are in package_framed.ts. */
const plainOnly = [
  'what was unread when the far end closed can still be read', // there the far end's close waits for the reader
  'one send too many is send_queue_full, and those that wait go on', // the frame that is being made takes one more
  'try_send does not overtake sends that wait', // and so it never comes to that
  'receive overflow closes the channel with an error after what was queued', // the sender waits: nothing can overflow
  'receive overflow by bytes closes the channel too',
  'drop_oldest keeps the newest',
  'drop_newest keeps the oldest',
];

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
  farEnd = new FarEnd(server.url);
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
