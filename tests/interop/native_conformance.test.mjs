// SPDX-License-Identifier: MIT
//
// The conformance suite (tests/conformance) natively.
//   WDC_FAR      what the far end is: 'native' (a program of its own), 'chromium' or 'firefox'
//   WDC_FRAMED   1: channels speak framed mode
//   WDC_PORTS    shared: one UDP port
//   WDC_REFUSED  what the kernel refuses: 'segments' (segmentation offload), or 'batches' (batched calls, too)
//   WDC_CASES    only cases whose name contains it
//   WDC_STRESS   1: those that take minutes, too
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { root } from '../../tools/files.mjs';
import { startServer } from '../../tools/server.mjs';
import { plainOnly } from '../conformance/plain_only.mjs';
import { stopProcesses } from '../support/processes.mjs';

const far = process.env.WDC_FAR ?? 'native';
const framed = process.env.WDC_FRAMED === '1';
const shared = process.env.WDC_PORTS === 'shared';
if (far !== 'native') process.env.WDC_BROWSER = far;
const preset = process.env.WDC_PRESET ?? 'native';
const programs = join(root, 'build', preset, 'tests/conformance');
const refused = process.env.WDC_REFUSED;
const refuseOffload = join(root, 'build', preset, 'src/native/udp/refuse_offload');
const folder = join(root, 'build/conformance', `native-${far}`);
const roomPrefix = 'conformance';

/** A program that answers lines with lines. */
class Program {
  #child;
  #lines;
  errors = '';

  constructor(name, ...words) {
    const command = [...(refused ? [refuseOffload, refused] : []), join(programs, name), ...words];
    this.#child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.on('data', (text) => { this.errors += text; });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.ended = once(this.#child, 'exit').then(([code, signal]) => code ?? signal);
  }

  write(line) {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The next line's fields. */
  async read() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the program ended with ${await this.ended}: ${this.errors}`);
    return value.split('\t');
  }

  get pid() {
    return this.#child.pid;
  }

  kill(signal) {
    this.#child.kill(signal);
  }

  async stop() {
    this.#child.stdin.end();
    return this.ended;
  }
}

/** The far end as a program; the same doors as that in a browser. */
class NativeFarEnd {
  #url;
  #program;
  #seat = -1;

  constructor(url) {
    this.#url = url;
  }

  async start(seat) {
    this.#program?.kill('SIGKILL');
    this.#seat = -1;
    this.#program = new Program('far_end_native', `${this.#url}/ws`, roomPrefix, String(seat));
    const program = this.#program;
    const follow = async () => {
      for (;;) {
        const [word, number] = await program.read();
        if (word === 'seat' && program === this.#program) this.#seat = Number(number);
      }
    };
    follow().catch(() => undefined);
    await this.seated(seat);
  }

  async seated(seat) {
    const deadline = Date.now() + 10_000;
    while (this.#seat !== seat) {
      if (Date.now() > deadline) throw new Error(`the far end does not sit in room ${seat}: ${this.takeText().join('')}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  takeText() {
    const text = this.#program?.errors ?? '';
    if (this.#program) this.#program.errors = '';
    return text === '' ? [] : [text];
  }

  async freeze() { await stopProcesses([this.#program.pid]); }
  thaw() { this.#program.kill('SIGCONT'); }
  killPage() { this.#program.kill('SIGKILL'); }
  killAll() { this.#program.kill('SIGKILL'); }
  async stop() { this.#program?.kill('SIGKILL'); }
}

let server;
let driver;
let farEnd;

before(async () => {
  let directory = join(root, 'docs');
  let pages;
  if (far !== 'native') {
    pages = await import('../browser/support/far_end.mjs');
    await pages.makePages(folder, ['far_end']);
    directory = folder;
  }
  server = await startServer({
    directory,
    preset: process.env.WDC_SERVER_PRESET ?? 'native',
    options: ['--quiet', '--upgrades-per-second', '1000', '--upgrade-burst', '1000', '--connections-per-address', '1000'],
  });
  const url = server.url.replace('http:', 'ws:');
  farEnd = pages ? new pages.FarEnd(server.url, roomPrefix, framed ? '&framed=1' : '') : new NativeFarEnd(url);
  await farEnd.start(0);
  driver = new Program('conformance_native', `${url}/ws`, roomPrefix, ...(framed ? ['framed'] : []), ...(shared ? ['shared'] : []));
});

after(async () => {
  await farEnd?.stop();
  await driver?.stop();
  await server?.stop();
});

async function meetings() {
  driver.write('meetings');
  const [, number] = await driver.read();
  return Number(number);
}

async function list() {
  driver.write('list');
  const cases = [];
  for (;;) {
    const [word, stress, name] = await driver.read();
    if (word === 'end') return cases;
    cases.push({ name, stress: stress === '1' });
  }
}

async function carryOut(what) {
  if (what === 'freeze') await farEnd.freeze();
  else if (what === 'thaw') farEnd.thaw();
  else if (what === 'kill page') await farEnd.killPage();
  else if (what === 'kill') await farEnd.killAll();
  else if (what === 'restart') throw new Error('restart is asked for by number');
  else throw new Error(`nobody can ${what}`);
}

/** Runs one case; { passed, detail, allocations }. */
async function run(index) {
  driver.write(`run ${index}`);
  let result;
  for (;;) {
    const [word, ...fields] = await driver.read();
    if (word === 'request') {
      if (fields[0].startsWith('restart ')) await farEnd.start(Number(fields[0].slice('restart '.length)));
      else await carryOut(fields[0]);
      driver.write('done');
    } else if (word === 'case') {
      const [outcome, , , detail] = fields;
      result = { passed: outcome === 'passed', detail };
    } else if (word === 'after') {
      return { ...result, allocations: Number(fields[0]) };
    }
  }
}

/** Runs a case again and again until it leaves as much as the time before: pools fill once, a leak grows every time. */
async function runUntilSteady(index, first) {
  let last = first;
  for (let again = 0; again < 6; again += 1) {
    const result = await run(index);
    const grown = result.allocations - last.allocations;
    if (!result.passed || grown <= 0) return { ...result, grows: '' };
    last = { ...result, grows: `${grown} live allocations more after each run` };
  }
  return last;
}

test(`conformance natively, the far end in ${far}${framed ? ', framed mode' : ''}${shared ? ', one port' : ''}${refused ? `, the kernel refuses ${refused}` : ''}`, async (t) => {
  const wanted = process.env.WDC_CASES ?? '';
  let before = 0;
  for (const [index, { name, stress }] of (await list()).entries()) {
    const skip = stress && process.env.WDC_STRESS !== '1';
    if (!name.includes(wanted) || (framed && plainOnly.includes(name))) continue;
    await t.test(name, { skip, timeout: stress ? 1_500_000 : 200_000 }, async () => {
      const seat = await meetings();
      await farEnd.seated(seat).catch(() => farEnd.start(seat));
      farEnd.takeText();
      let result = await run(index);
      if (result.passed && result.allocations > before && !stress) result = await runUntilSteady(index, result);
      before = result.allocations;
      assert.ok(result.passed, [result.detail, ...farEnd.takeText(), driver.errors].join('\n'));
      assert.ok(!result.grows, result.grows);
    });
  }
});
