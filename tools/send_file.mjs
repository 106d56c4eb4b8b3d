// SPDX-License-Identifier: MIT
//
// Sends a file between two pages of a headless browser, as two people would: one picks it, the other accepts it. Or
// between a page and the command wdc.
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { launchBrowser, newWindow } from './browser.mjs';
import { root } from './files.mjs';
import { startServer } from './server.mjs';

// Long enough for a loaded machine to connect two pages; a transfer that stands still this long is dead.
const stallMilliseconds = 60_000;

async function sha256(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

// Notes when the page's state changes, by the page's own clock, and keeps what it shows when a file is done: where the
// other end leaves, it soon waits for the next one.
function recordStates() {
  const times = {};
  Object.defineProperty(window, 'wdcStateTimes', { value: times });
  new MutationObserver(() => {
    const { state } = document.documentElement.dataset;
    if (state !== undefined) times[state] ??= performance.now();
    if (state === 'done') window.wdcDone ??= { ...document.documentElement.dataset };
  }).observe(document, { attributes: true, attributeFilter: ['data-state'], childList: true, subtree: true });
}

const look = (page) => page.evaluate(() => ({ ...(window.wdcDone ?? document.documentElement.dataset) }));

// Resolves to the page's dataset once its state is one of these.
async function waitFor(name, page, states, signal, progress = () => {}) {
  let last = '';
  let changed = Date.now();
  for (;;) {
    signal.throwIfAborted();
    const seen = await look(page);
    progress(seen);
    if (states.includes(seen.state)) return seen;
    if (seen.state === 'failed') throw new Error(`${name} failed: ${seen.error}`);
    const now = JSON.stringify(seen);
    if (now !== last) changed = Date.now();
    last = now;
    if (Date.now() - changed > stallMilliseconds) {
      throw new Error(`${name} stood still for ${stallMilliseconds / 1000} s, waiting for ${states.join(' or ')}: ${now}`);
    }
    await delay(50, undefined, { signal });
  }
}

function progressOnStderr() {
  let shown = -1;
  return ({ bytes, total }) => {
    const percent = Number(total) > 0 ? Math.floor((100 * Number(bytes ?? 0)) / Number(total)) : 0;
    // A terminal sees every step in place, a log every tenth.
    const step = process.stderr.isTTY ? percent : percent - (percent % 10);
    if (step <= shown) return;
    shown = step;
    process.stderr.write(process.stderr.isTTY ? `\rrun: received ${step}%${step === 100 ? '\n' : ''}` : `run: received ${step}%\n`);
  };
}

// The path of the one file downloaded, once it is whole; browsers write beside it until it is.
async function downloaded(directory, bytes, signal) {
  const deadline = Date.now() + stallMilliseconds;
  for (;;) {
    const names = await readdir(directory);
    const finished = names.filter((name) => !/\.(crdownload|part)$/.test(name) && !name.startsWith('.'));
    if (finished.length === 1 && names.length === 1) {
      const path = join(directory, finished[0]);
      if ((await stat(path)).size === bytes || Date.now() > deadline) return path;
    }
    if (Date.now() > deadline) throw new Error(`no whole file was downloaded; there are: ${names.join(', ') || 'none'}`);
    await delay(50, undefined, { signal });
  }
}

// A page as one end of a transfer.
class PageEnd {
  #page;
  #name;
  #signal;

  constructor(page, name, signal) {
    this.#page = page;
    this.#name = name;
    this.#signal = signal;
  }

  static async open(browser, address, directory, name, signal) {
    const page = await newWindow(browser, { downloadDirectory: directory });
    page.on('pageerror', (error) => console.error(`run: ${name}: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') console.error(`run: ${name}: ${message.text()}`);
    });
    await page.evaluateOnNewDocument(recordStates);
    await page.goto(address);
    return new PageEnd(page, name, signal);
  }

  #wait(states, progress) {
    return waitFor(this.#name, this.#page, states, this.#signal, progress);
  }

  connected() {
    return this.#wait(['connected', 'offered']);
  }

  async pick(path) {
    const input = await this.#page.waitForSelector('#file-input');
    await input.uploadFile(path);
  }

  /** Resolves to the hash that the page shows. */
  async sent() {
    const { sha256: hash } = await this.#wait(['done']);
    return hash;
  }

  /** Accepts what is offered; resolves to its hash and how long it took. */
  async receive() {
    await this.#wait(['offered']);
    const accept = await this.#page.waitForSelector('#accept', { visible: true });
    const clicked = await this.#page.evaluate(() => performance.now());
    await accept.click();
    const { sha256: hash } = await this.#wait(['done'], progressOnStderr());
    const seconds = (await this.#page.evaluate(() => window.wdcStateTimes.done) - clicked) / 1000;
    return { hash, seconds };
  }

  /** Resolves to the path of the file. */
  async stored(directory, bytes) {
    const link = await this.#page.waitForSelector('#download', { visible: true });
    await link.click();
    return downloaded(directory, bytes, this.#signal);
  }
}

// The command as one end.
function runCommand(words, signal) {
  const child = spawn(join(root, 'build/native/apps/cli/wdc'), [...words, '--json'], { stdio: ['ignore', 'pipe', 'inherit'], signal });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more) => { text += more; });
  const result = once(child, 'close').then(() => {
    const line = JSON.parse(text);
    if (!line.ok) throw new Error(`wdc ${words[0]}: ${line.error}`);
    return line;
  });
  result.catch(() => undefined); // whoever waits for it is told
  return { result, stop: () => child.kill() };
}

// Resolves to the line that ./run --headless prints. Rejects where no file arrived. `from` and `to`: 'page' or 'native',
// one of them a page.
export async function sendFile(file, browserName, signal = new AbortController().signal, { from = 'page', to = 'page' } = {}) {
  const path = resolve(file);
  const bytes = (await stat(path)).size;
  const directory = await mkdtemp(join(tmpdir(), 'wdc-run-'));
  const cleanups = [() => rm(directory, { recursive: true, force: true })];
  try {
    const server = await startServer();
    cleanups.push(() => server.stop());
    const browser = await launchBrowser(browserName, { downloadDirectory: directory });
    cleanups.push(() => browser.close());

    const room = randomUUID();
    const address = `${server.url}/?room=${room}`;
    const open = (name) => PageEnd.open(browser, address, directory, name, signal);
    const command = (...words) => {
      const running = runCommand([...words, '--server', server.url], signal);
      cleanups.push(running.stop);
      return running.result;
    };
    const sender = from === 'page' ? await open('the sending page') : undefined;
    const receiver = to === 'page' ? await open('the receiving page') : undefined;
    console.error(`run: ${sender && receiver ? 'two pages' : 'a page'} of ${await browser.version()} at ${address}`);
    const sending = sender ? undefined : command('send', path, '--room', room);
    const receiving = receiver ? undefined : command('receive', room, '--output', directory);

    await sender?.connected();
    await receiver?.connected();
    await sender?.pick(path);
    const { hash: received, seconds, file: written } = receiver
      ? await receiver.receive()
      : await receiving.then((line) => ({ ...line, hash: line.sha256 }));
    const sent = sender ? await sender.sent() : (await sending).sha256;

    const wanted = await sha256(path);
    const arrived = await sha256(written ?? (await receiver.stored(directory, bytes)));
    const round = (number) => Number(number.toPrecision(4));
    return {
      bytes,
      sha256_match: [arrived, received, sent].every((hash) => hash === wanted),
      seconds: round(seconds),
      MBps: round(bytes / 1e6 / seconds),
      browser: browserName,
      ...(sender && receiver ? {} : { from, to }),
    };
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}
