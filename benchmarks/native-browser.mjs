// SPDX-License-Identifier: MIT
//
// ./bench native-browser: a native peer and a browser's, both ways, beside libwebrtc with the same browser; and over a relay
// that adds delay. docs/performance.md shows the outcome.
import { execFileSync, spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bundle, serve } from '../tests/browser/support/browser.mjs';
import { browserNames, launchBrowser, newWindow } from '../tools/browser.mjs';
import { root } from '../tools/files.mjs';
import { insertIntoDocument, provenance } from './support/documents.mjs';
import { describeMachine } from './support/machine.mjs';
import { choose, fail, parseNumber, parseOptions, parseSize } from './support/options.mjs';
import {
  browserTitle, figure, markdownTable, Progress, readReport, rounded, sizeName, summaries, textTable, writeReport,
} from './support/report.mjs';
import { median } from './support/statistics.mjs';

const natives = {
  wdc: [join(root, 'build/native/src/native/engine/browser_peer')],
  libwebrtc: ['node', join(root, 'benchmarks/native/libwebrtc_peer.mjs')],
};
const directions = ['to-browser', 'from-browser'];

const usage = `usage: ./bench native-browser --json FILE [options]   measures, prints a table, writes FILE
       ./bench native-browser --docs [--json FILE]    fills docs/performance.md from FILE
  --browser NAME    ${browserNames.join(', ')} (all)
  --case NAME       ${[...Object.keys(natives), 'browser'].join(', ')} (all); "browser" is its own pair over the delay
  --size BYTES      of a message (64k)
  --rounds N        runs for each; the median is kept (3)
  --seconds S       of one run (3)
  --delay MS        what the relay adds to a round trip, half of it each way; 0: no runs over it (50)
  --quick           Chromium, one round of a second`;

const options = parseOptions(usage, {
  json: { type: 'string' },
  browser: { type: 'string', multiple: true },
  case: { type: 'string', multiple: true },
  size: { type: 'string', default: '64k' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  delay: { type: 'string', default: '50' },
  quick: { type: 'boolean', default: false },
  docs: { type: 'boolean', default: false },
});

const committed = join(root, 'benchmarks/results/native-browser.json');
const patience = 20_000; // milliseconds

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen within ${patience / 1000} s`)), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A program that answers lines with lines; close() ends its input, and so it. */
class Program {
  #child;
  #lines;

  constructor(words) {
    this.#child = spawn(words[0], words.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  write(line) { this.#child.stdin.write(`${line}\n`); }

  /** The words of the next line that begins with one of them. */
  async read(...wanted) {
    for (;;) {
      const { value, done } = await within(this.#lines.next(), `a line of ${wanted.join(' or ')}`);
      if (done) throw new Error(`the program ended before it said ${wanted.join(' or ')}`);
      const [word] = value.split(' ', 1);
      if (wanted.length === 0 || wanted.includes(word)) return [word, value.slice(word.length + 1)];
    }
  }

  close() {
    this.#child.stdin.end();
    return new Promise((resolve) => { this.#child.once('exit', resolve); });
  }
}

const escaped = (text) => text.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
const unescaped = (text) => text.replaceAll('\\n', '\n').replaceAll('\\r', '\r');

/** Our end or libwebrtc's: offers. */
class NativeEnd {
  #program;
  #isSender;

  constructor(name, isSender, size) {
    this.#isSender = isSender;
    this.#program = new Program([...natives[name], isSender ? 'send' : 'receive', String(size)]);
  }

  async offer() {
    let sdp;
    const candidates = [];
    for (;;) {
      const [word, rest] = await this.#program.read('description', 'candidate', 'gathered');
      if (word === 'description') sdp = unescaped(rest);
      else if (word === 'candidate') candidates.push(`a=${rest}\r\n`);
      else return sdp + candidates.join('');
    }
  }

  accept(sdp) { this.#program.write(`answer ${escaped(sdp)}`); }
  opened() { return this.#program.read('open'); }

  async mark() {
    this.#program.write('mark');
    const [, rest] = await this.#program.read('mark');
    const [messages, at, cpu] = rest.split(' ').map(Number);
    return this.#isSender ? { cpu } : { messages, at, cpu };
  }

  close() { return this.#program.close(); }
}

/** A browser's end, in a window of its own. */
class BrowserEnd {
  #page;
  #settings;

  constructor(page, settings) {
    this.#page = page;
    this.#settings = settings;
  }

  static async open(browser, origin, settings) {
    const page = await newWindow(browser);
    await page.goto(`${origin}/`, { waitUntil: 'load' });
    await page.waitForFunction(() => globalThis.W3cPeer !== undefined);
    const made = new BrowserEnd(page, settings);
    await page.evaluate((given) => { globalThis.peer = new globalThis.W3cPeer(RTCPeerConnection, given); }, settings);
    return made;
  }

  offer() { return this.#page.evaluate(() => globalThis.peer.offer()); }
  answer(sdp) { return this.#page.evaluate((given) => globalThis.peer.answer(given), sdp); }
  accept(sdp) { return this.#page.evaluate((given) => globalThis.peer.accept(given), sdp); }
  opened() { return within(this.#page.evaluate(() => globalThis.peer.opened), 'the opening of the channel'); }
  mark() {
    if (this.#settings.isSender) return {};
    return within(this.#page.evaluate(() => globalThis.peer.mark()), 'the arrival of a message');
  }

  close() { return this.#page.browserContext().close(); }
}

const outwardAddress = () =>
  Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';

/** The description with no address but the relay's, so that there is no other way. */
function onlyBy(sdp, address, port) {
  const lines = sdp.split('\r\n').filter((line) => line !== '' && !/^a=(candidate|end-of-candidates)/.test(line));
  return `${[...lines, `a=candidate:1 1 udp 2130706431 ${address} ${port} typ host`].join('\r\n')}\r\n`;
}

/** Connects two ends, and measures between the first and the last message of so many seconds. */
async function transfer({ offerer, answerer, size, seconds, delay }) {
  let relay;
  try {
    let [toOfferer, toAnswerer] = [(sdp) => sdp, (sdp) => sdp];
    if (delay > 0) {
      const address = outwardAddress();
      relay = new Program([join(root, 'build/native/src/native/engine/delay_relay'), address, String(delay / 2)]);
      const [first, second] = await relay.read();
      toOfferer = (sdp) => onlyBy(sdp, address, first);
      toAnswerer = (sdp) => onlyBy(sdp, address, second);
    }
    const offer = await offerer.offer();
    const answer = await answerer.answer(toAnswerer(offer));
    await offerer.accept(toOfferer(answer));
    await Promise.all([offerer.opened(), answerer.opened()]);
    await pause(delay > 0 ? 3_000 : 1_000); // slow start
    const mark = async () => Object.assign({}, ...await Promise.all([offerer.mark(), answerer.mark()]));
    const start = await mark();
    await pause(seconds * 1e3);
    const end = await mark();
    const megabytes = (end.messages - start.messages) * size / 1e6;
    const figures = { MBps: rounded(megabytes / (end.at - start.at) * 1e3) };
    if (end.cpu !== undefined) figures.native_cpu_s_per_GB = rounded((end.cpu - start.cpu) / megabytes * 1e3);
    return figures;
  } finally {
    await Promise.all([offerer.close(), answerer.close(), relay?.close()]);
  }
}

/** What is measured with a browser: { row's fields, ends(): { offerer, answerer } }. */
function plan(browser, name, origin, size, delay) {
  const entries = [];
  const withNative = (native, direction, fields) => entries.push({
    row: { case: native, browser: name, direction, size, ...fields },
    ends: async () => ({
      offerer: new NativeEnd(native, direction === 'to-browser', size),
      answerer: await BrowserEnd.open(browser, origin, { isSender: direction !== 'to-browser', isOfferer: false, size }),
    }),
  });
  for (const direction of directions) {
    for (const native of Object.keys(natives)) withNative(native, direction, {});
  }
  if (delay === 0) return entries;
  withNative('wdc', 'from-browser', { delay_ms: delay });
  withNative('wdc', 'to-browser', { delay_ms: delay });
  entries.push({
    row: { case: name, browser: name, direction: 'from-browser', size, delay_ms: delay },
    ends: async () => ({
      offerer: await BrowserEnd.open(browser, origin, { isSender: true, isOfferer: true, size }),
      answerer: await BrowserEnd.open(browser, origin, { isSender: false, isOfferer: false, size }),
    }),
  });
  return entries;
}

async function measureWith(name, { cases, size, rounds, seconds, delay, rows, progress }) {
  const page = join(root, 'benchmarks/native/w3c_peer_page.mjs');
  const server = await serve({
    '/': { text: '<!doctype html><title>bench</title><script type="module" src="page.js"></script>', type: 'text/html' },
    '/page.js': { text: await bundle(page, { sourcemap: false }), type: 'text/javascript; charset=utf-8' },
  });
  const browser = await launchBrowser(name);
  try {
    const entries = plan(browser, name, server.origin, size, delay)
      .filter(({ row }) => cases.includes(row.case === name ? 'browser' : row.case));
    for (let round = 0; round < rounds; round += 1) {
      for (const { row, ends } of round % 2 === 0 ? entries : [...entries].reverse()) {
        const figures = await transfer({ ...await ends(), size, seconds, delay: row.delay_ms ?? 0 });
        rows.push({ bench: 'native-browser', ...row, run: round, ...figures });
        progress.step(`${title(row)}, round ${round + 1} of ${rounds}: ${figures.MBps} MB/s`);
      }
    }
    for (const { row } of entries) {
      const own = rows.filter((each) => each.run !== undefined && Object.keys(row).every((key) => each[key] === row[key])
        && each.delay_ms === row.delay_ms);
      const names = Object.keys(own[0]).filter((key) => ['MBps', 'native_cpu_s_per_GB'].includes(key));
      rows.push({ bench: 'native-browser', ...row,
        ...Object.fromEntries(names.map((key) => [key, rounded(median(own.map((each) => each[key])))])) });
    }
    return await browser.version();
  } finally {
    await browser.close();
    await server.close();
  }
}

const title = (row) => {
  const ends = [row.case === row.browser ? browserTitle(row.case) : row.case, browserTitle(row.browser)];
  if (row.direction === 'from-browser') ends.reverse();
  return `${ends.join(' to ')}, ${sizeName(row.size)}${row.delay_ms ? `, ${row.delay_ms} ms` : ''}`;
};

const columns = [
  ['from and to', (row) => title(row).replace(/,.*/, '')],
  ['message', (row) => sizeName(row.size)],
  ['added round trip, ms', (row) => figure(row.delay_ms)],
  ['MB/s', (row) => figure(row.MBps, 1)],
  ['native CPU s/GB', (row) => figure(row.native_cpu_s_per_GB, 1)],
];

async function measure() {
  if (options.json === undefined) fail(usage);
  const chosen = choose('browser', options.browser, browserNames, options.quick ? ['chromium'] : browserNames);
  const cases = choose('case', options.case, [...Object.keys(natives), 'browser']);
  const size = parseSize(options.size);
  const rounds = parseNumber('rounds', options.rounds ?? (options.quick ? '1' : '3'));
  const seconds = parseNumber('seconds', options.seconds ?? (options.quick ? '1' : '3'));
  const delay = Number(options.delay);
  const machine = describeMachine();
  if (machine.load_at_start > 0.3) console.error(`bench: the machine is not idle (load ${machine.load_at_start})`);
  execFileSync('cmake', ['--preset', 'native'], { cwd: root, stdio: 'ignore' });
  execFileSync('cmake', ['--build', '--preset', 'native', '-j', '2', '--target', 'browser_peer', 'delay_relay'],
    { cwd: root, stdio: 'ignore' });
  const rows = [];
  const progress = new Progress();
  const versions = [];
  for (const name of chosen) versions.push(await measureWith(name, { cases, size, rounds, seconds, delay, rows, progress }));
  progress.end();
  machine.browsers = versions.join(', ');
  writeReport(options.json, { machine, rows });
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.browsers}\n`);
  for (const line of textTable(columns, summaries(rows))) console.log(line);
}

if (options.docs) {
  const { machine, rows } = readReport(options.json ?? committed);
  insertIntoDocument('docs/performance.md', 'native-browser',
    [provenance(machine, './bench native-browser'), '', ...markdownTable(columns, summaries(rows))]);
} else {
  await measure();
}
