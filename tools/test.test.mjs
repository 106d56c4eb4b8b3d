// SPDX-License-Identifier: MIT
//
// ./test itself: that it counts what it is given, and that nothing broken comes out as passed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from './counts.mjs';
import { excerpt } from './excerpt.mjs';
import { root } from './files.mjs';

// Runs tools/test.mjs over these steps; returns its exit status, its last line and everything it printed.
function runSteps(steps, ...options) {
  const folder = mkdtempSync(join(tmpdir(), 'wdc-test-'));
  try {
    const path = join(folder, 'steps.mjs');
    // Logs of these steps must not take the place of real ones.
    const named = steps.map((step) => ({ ...step, name: `selftest-${step.name}` }));
    writeFileSync(path, `export const steps = ${JSON.stringify(named)};`);
    // NODE_TEST_CONTEXT would tell a node --test among the steps that it is a part of this one.
    const { NODE_TEST_CONTEXT: _, WDC_STRESS: __, ...env } = process.env;
    const { status, stdout } = spawnSync('node', [join(root, 'tools/test.mjs'), ...options], {
      encoding: 'utf8',
      timeout: 120_000,
      env: { ...env, WDC_TEST_STEPS: path },
    });
    return { status, last: stdout.trimEnd().split('\n').pop(), stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const script = (name, source, count = 'line', more = {}) => ({ name, run: [['node', '-e', source]], count, ...more });
const good = script('good', 'console.log("3 passed, 0 failed")');
const waitsFor = (file) => script('waiting', `const timer = setInterval(() => {
  if (!require("fs").existsSync(${file})) return;
  clearInterval(timer);
  console.log("1 passed, 0 failed");
}, 20)`, 'line', { waits: true, minutes: 1 });

test('adds up the steps that passed', () => {
  const { status, last } = runSteps([good, script('more', 'console.log("noise\\n4 passed, 0 failed")')]);
  assert.deepEqual({ status, last }, { status: 0, last: '7 passed, 0 failed' });
});

test('fails with the right counts when a test fails', () => {
  const bad = script('bad', 'console.log("the reason\\n4 passed, 2 failed"); process.exit(1)');
  const { status, last, stdout } = runSteps([good, bad]);
  assert.deepEqual({ status, last }, { status: 1, last: '7 passed, 2 failed' });
  assert.match(stdout, /the reason/);
});

test('counts a step that crashes as one failed', () => {
  const crash = script('crash', 'process.kill(process.pid, "SIGSEGV")');
  const { status, last } = runSteps([crash, good]);
  assert.deepEqual({ status, last }, { status: 1, last: '3 passed, 1 failed' });
});

test('counts a step that prints success and then crashes as one failed more', () => {
  const crash = script('crash', 'console.log("5 passed, 0 failed"); process.exitCode = 3');
  const { status, last } = runSteps([crash]);
  assert.deepEqual({ status, last }, { status: 1, last: '5 passed, 1 failed' });
});

test('fails a step that counts no test', () => {
  const { status, last } = runSteps([good, script('empty', 'console.log("0 passed, 0 failed")')]);
  assert.deepEqual({ status, last }, { status: 1, last: '3 passed, 1 failed' });
});

test('fails a step whose files do not exist', () => {
  const { status, last, stdout } = runSteps([{ name: 'none', run: [['node', '--test', 'tests/none/*.x']], count: 'node' }]);
  assert.deepEqual({ status, last }, { status: 1, last: '0 passed, 1 failed' });
  assert.match(stdout, /no file matches tests\/none\/\*\.x/);
});

test('fails a step whose command does not exist', () => {
  const { status, last } = runSteps([{ name: 'none', run: [['no-such-command-here']], count: 'line' }]);
  assert.deepEqual({ status, last }, { status: 1, last: '0 passed, 1 failed' });
});

test('fails a step whose earlier command fails, and does not run the later one', () => {
  const step = { ...good, run: [['node', '-e', 'process.exit(2)'], ...good.run] };
  const { status, last, stdout } = runSteps([step]);
  assert.deepEqual({ status, last }, { status: 1, last: '0 passed, 1 failed' });
  assert.doesNotMatch(stdout, /3 passed/);
});

test('kills a step that takes too long, with whatever it started', () => {
  const hang = script('hang', 'require("child_process").spawn("sleep", ["1000"]); setTimeout(() => {}, 1e6)', 'line', {
    minutes: 0.01,
  });
  const { status, last, stdout } = runSteps([hang]);
  assert.deepEqual({ status, last }, { status: 1, last: '0 passed, 1 failed' });
  assert.match(stdout, /a timeout/);
});

test('reads node --test, failures and all', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wdc-test-'));
  try {
    const path = join(folder, 'a.test.mjs');
    writeFileSync(path, 'import {test} from "node:test"; test("a", () => {}); test("b", () => { throw new Error("no"); });');
    const step = { name: 'node', count: 'node', run: [['node', '--test', '--test-reporter=tap', path]] };
    const { status, last } = runSteps([step]);
    assert.deepEqual({ status, last }, { status: 1, last: '1 passed, 1 failed' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('prints why what failed did, and not what passed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wdc-test-'));
  try {
    const path = join(folder, 'a.test.mjs');
    writeFileSync(path, `import { test } from "node:test";
      test("a group", async (t) => {
        await t.test("passes", () => {});
        await t.test("fails", () => { throw new Error("the reason"); });
      });`);
    const step = { name: 'node', count: 'node', run: [['node', '--test', '--test-reporter=tap', path]] };
    const { stdout } = runSteps([step]);
    assert.match(stdout, /not ok 2 - fails[^]*the reason/);
    assert.doesNotMatch(stdout, /ok 1 - passes|not ok 1 - a group/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('finds in a log of GoogleTests which failed', () => {
  const log = [
    'a_test: 1 passed, 1 failed, 5 ms', '[ RUN      ] A.One', '[       OK ] A.One (0 ms)', '[ RUN      ] A.Two',
    'a.cc:1: Failure', '[  FAILED  ] A.Two (1 ms)', '[  FAILED  ] A.Two', 'a_test ended with 1', '1 passed, 1 failed',
  ];
  assert.deepEqual(excerpt(log.join('\n')).split('\n'), [log[0], ...log.slice(3, 8)]);
  const crashed = [...log.slice(0, 4), 'ERROR: AddressSanitizer: heap-use-after-free', 'a_test ended with SIGABRT', log[8]];
  assert.deepEqual(excerpt(crashed.join('\n')).split('\n'), [log[0], ...crashed.slice(3, 6)]);
});

test('prints the end of a log that it does not know', () => {
  const lines = Array.from({ length: 300 }, (_, at) => `line ${at}`);
  assert.deepEqual(excerpt(lines.join('\n')).split('\n'), ['[100 lines before]', ...lines.slice(100)]);
});

test('runs the steps of --all only when asked to, and those of --only by name', () => {
  const rare = { ...good, name: 'rare', all: true };
  assert.equal(runSteps([good, rare]).last, '3 passed, 0 failed');
  assert.equal(runSteps([good, rare], '--all').last, '6 passed, 0 failed');
  assert.equal(runSteps([good, rare], '--only', 'rare').last, '3 passed, 0 failed');
  assert.equal(runSteps([good], '--only', 'nothing').status, 2);
});

test('makes what steps need before them, once, with --only and not without', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wdc-test-'));
  try {
    const needs = [['sh', '-c', `echo made >> ${join(folder, 'made')}`]];
    const lines = `require("fs").readFileSync(${JSON.stringify(join(folder, 'made'))}, "utf8").split("\\n").length - 1`;
    const first = script('first', `console.log(${lines} + " passed, 0 failed")`, 'line', { needs });
    assert.equal(runSteps([first]).status, 1);
    assert.equal(runSteps([first, { ...first, name: 'second' }], '--only', 'selftest').last, '2 passed, 0 failed');
    const broken = { ...good, needs: [['sh', '-c', 'exit 3']] };
    assert.equal(runSteps([broken], '--only', 'selftest').last, '0 passed, 1 failed');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('prepares a later step while another waits', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wdc-test-'));
  try {
    const mark = JSON.stringify(join(folder, 'prepared'));
    const prepare = [
      ['node', '-e', `require("fs").writeFileSync(${mark}, "")`],
      ['sh', '-c', 'sleep 1000'], // until the waiting step has ended
      ['node', '-e', `require("fs").rmSync(${mark})`],
    ];
    const step = script('prepared', `require("fs").readFileSync(${mark}); console.log("1 passed, 0 failed")`, 'line', { prepare });
    assert.equal(runSteps([waitsFor(mark), step]).last, '2 passed, 0 failed');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('interrupts a preparation until it ends', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wdc-test-'));
  try {
    const mark = JSON.stringify(join(folder, 'ready'));
    const prepare = [['node', '-e', `let signals = 0;
      process.on("SIGINT", () => (signals += 1) === 2 && process.exit(130));
      setInterval(() => require("fs").writeFileSync(${mark}, ""), 20)`]];
    const step = { ...good, prepare };
    assert.equal(runSteps([waitsFor(mark), step]).last, '4 passed, 0 failed');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('hands --stress on to the steps', () => {
  const step = script('stress', 'console.log(`${process.env.WDC_STRESS === "1" ? 1 : 0} passed, 0 failed`)');
  assert.equal(runSteps([step], '--stress').last, '1 passed, 0 failed');
  assert.equal(runSteps([step]).status, 1);
});

test('does not take a count from the middle of the output', () => {
  assert.equal(judge({ count: 'line', output: '9 passed, 0 failed\nthen the end', exitCode: 0 }).failed, 1);
});
