// SPDX-License-Identifier: MIT
//
// Runs the steps of tools/steps.mjs (or of WDC_TEST_STEPS, another such file) and adds up their counts.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { judge } from './counts.mjs';
import { excerpt } from './excerpt.mjs';
import { Preparation } from './preparation.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const usage = `usage: ./test [--all] [--only NAME]... [--stress] [--list]
  --all      every preset and clang-tidy too
  --only     the steps whose name contains NAME (of all steps), and first what they need of others
  --stress   the browser tests' long versions
  --list     names the steps and ends`;

// A pattern has its * in the last part of the path.
async function expand(word) {
  if (!word.includes('*')) return [word];
  const folder = dirname(word);
  const pattern = word.slice(folder.length + 1).split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${pattern.join('.*')}$`);
  const names = await readdir(join(root, folder)).catch(() => []);
  const found = names.filter((name) => expression.test(name)).sort().map((name) => `${folder}/${name}`);
  if (found.length === 0) throw new Error(`no file matches ${word}`);
  return found;
}

// Runs one command with its output appended to the log; returns {output, exitCode}.
function execute(words, env, log, deadline) {
  return new Promise((done) => {
    const chunks = [];
    // A group of its own, so that whatever the step started ends with it.
    const child = spawn(words[0], words.slice(1), {
      cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true,
    });
    running = child;
    const killGroup = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup();
    }, Math.max(0, deadline - Date.now()));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        log.write(chunk);
        if (stream === child.stdout) chunks.push(chunk);
      });
    }
    const finish = (exitCode) => {
      clearTimeout(timer);
      running = null;
      done({ output: Buffer.concat(chunks).toString(), exitCode });
    };
    child.on('error', (error) => {
      log.write(`${error.message}\n`);
      finish('no such command');
    });
    child.on('exit', () => {
      // A process the command left behind would hold the pipes open.
      if (child.pid !== undefined) killGroup();
    });
    child.on('close', (code, signal) => finish(timedOut ? 'a timeout' : (code ?? signal)));
  });
}

// What a step needs and earlier ones would have made, each command once.
const made = new Set();
function missing({ needs = [] }) {
  if (options.only.length === 0) return [];
  const commands = needs.filter((words) => !made.has(words.join(' ')));
  for (const words of commands) made.add(words.join(' '));
  return commands;
}

async function runStep(step, logPath, extraEnv) {
  const log = createWriteStream(logPath);
  const deadline = Date.now() + (step.minutes ?? 10) * 60_000;
  let result;
  try {
    for (const command of [...missing(step), ...step.run]) {
      const words = (await Promise.all(command.map(expand))).flat();
      log.write(`$ ${words.join(' ')}\n`);
      result = await execute(words, { ...step.env, ...extraEnv }, log, deadline);
      if (result.exitCode !== 0 && command !== step.run[step.run.length - 1]) {
        result.output = '';  // What would have been counted never ran.
        break;
      }
    }
  } catch (error) {
    log.write(`${error.message}\n`);
    result = { output: '', exitCode: error.message };
  }
  await new Promise((closed) => log.end(closed));
  return judge({ count: step.count, ...result });
}

const { values: options } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    stress: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(usage);
  process.exit(0);
}

const { steps } = await import(pathToFileURL(process.env.WDC_TEST_STEPS ?? join(root, 'tools/steps.mjs')));
const chosen = options.only.length > 0
  ? steps.filter((step) => options.only.some((name) => step.name.includes(name)))
  : steps.filter((step) => options.all || !step.all);
if (options.list) {
  for (const step of options.only.length > 0 ? chosen : steps) console.log(step.name + (step.all ? '  (--all)' : ''));
  process.exit(0);
}
if (chosen.length === 0) {
  console.error(`no step's name contains ${options.only.join(' or ')}; ./test --list names them`);
  process.exit(2);
}

let running = null;
const preparation = new Preparation(root);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    try {
      if (running) process.kill(-running.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
    preparation.stop();
    process.exit(130);
  });
}

const logs = join(root, 'build/test-logs');
mkdirSync(logs, { recursive: true });
const extraEnv = options.stress ? { WDC_STRESS: '1' } : {};
const started = Date.now();
let passed = 0;
let failed = 0;
for (const [at, step] of chosen.entries()) {
  const begun = Date.now();
  if (step.waits) preparation.goOn(chosen.slice(at + 1));
  const logPath = join(logs, `${step.name}.log`);
  const result = await runStep(step, logPath, extraEnv);
  await preparation.stop();
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  const mark = result.failed > 0 ? 'FAIL' : 'ok  ';
  console.log(`${mark} ${step.name.padEnd(18)} ${String(result.passed).padStart(5)} passed ${
    String(result.failed).padStart(4)} failed ${seconds.padStart(7)} s${result.why ? `   (${result.why})` : ''}`);
  if (result.failed > 0) console.log(`--- ${step.name}\n${excerpt(readFileSync(logPath, 'utf8'))}\n--- all of it: build/test-logs/${step.name}.log`);
  passed += result.passed;
  failed += result.failed;
}
console.log(`${chosen.length} steps in ${((Date.now() - started) / 1000).toFixed(0)} s; logs in build/test-logs`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
