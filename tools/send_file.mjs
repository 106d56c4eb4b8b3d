// SPDX-License-Identifier: MIT
//
// Sends a file between two pages of a headless browser, as two people would: one picks it, the other accepts it.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { launchBrowser, newWindow } from './browser.mjs';
import { startServer } from './server.mjs';

// Long enough for a loaded machine to connect two pages; a transfer that stands still this long is dead.
const stallMilliseconds = 60_000;

async function sha256(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

// Notes when the page's state changes, by the page's own clock.
function recordStates() {
  const times = {};
  Object.defineProperty(window, 'wdcStateTimes', { value: times });
  new MutationObserver(() => {
    const { state } = document.documentElement.dataset;
    if (state !== undefined) times[state] ??= performance.now();
  }).observe(document, { attributes: true, attributeFilter: ['data-state'], childList: true, subtree: true });
}

const look = (page) => page.evaluate(() => ({ ...document.documentElement.dataset }));

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

// Resolves to the line that ./run --headless prints. Rejects where no file arrived.
export async function sendFile(file, browserName, signal = new AbortController().signal) {
  const path = resolve(file);
  const bytes = (await stat(path)).size;
  const directory = await mkdtemp(join(tmpdir(), 'wdc-run-'));
  const cleanups = [() => rm(directory, { recursive: true, force: true })];
  try {
    const server = await startServer();
    cleanups.push(() => server.stop());
    const browser = await launchBrowser(browserName, { downloadDirectory: directory });
    cleanups.push(() => browser.close());

    const address = `${server.url}/?room=${randomUUID()}`;
    const open = async (name) => {
      const page = await newWindow(browser, { downloadDirectory: directory });
      page.on('pageerror', (error) => console.error(`run: ${name}: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error') console.error(`run: ${name}: ${message.text()}`);
      });
      await page.evaluateOnNewDocument(recordStates);
      await page.goto(address);
      return page;
    };
    const sender = await open('the sending page');
    const receiver = await open('the receiving page');
    console.error(`run: two pages of ${await browser.version()} at ${address}`);
    await waitFor('the sending page', sender, ['connected'], signal);
    await waitFor('the receiving page', receiver, ['connected'], signal);

    const input = await sender.waitForSelector('#file-input');
    await input.uploadFile(path);
    await waitFor('the receiving page', receiver, ['offered'], signal);
    const accept = await receiver.waitForSelector('#accept', { visible: true });
    const clicked = await receiver.evaluate(() => performance.now());
    await accept.click();
    const received = await waitFor('the receiving page', receiver, ['done'], signal, progressOnStderr());
    const seconds = (await receiver.evaluate(() => window.wdcStateTimes.done) - clicked) / 1000;
    const sent = await waitFor('the sending page', sender, ['done'], signal);

    const link = await receiver.waitForSelector('#download', { visible: true });
    await link.click();
    const wanted = await sha256(path);
    const arrived = await sha256(await downloaded(directory, bytes, signal));
    const round = (number) => Number(number.toPrecision(4));
    return {
      bytes,
      sha256_match: [arrived, received.sha256, sent.sha256].every((hash) => hash === wanted),
      seconds: round(seconds),
      MBps: round(bytes / 1e6 / seconds),
      browser: browserName,
    };
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}
