// SPDX-License-Identifier: MIT
//
// run_gtests.mjs BUILD_DIR [CTEST_OPTION]...   runs the tests that ctest lists there, counting each test of a GoogleTest.
// A binary that crashes counts its finished tests as lost and itself as one failed. Two run at once, but for those that
// are to run alone (RUN_SERIAL).
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const buildDirectory = resolve(process.argv[2]);
const listing = spawnSync('ctest', ['--test-dir', buildDirectory, '--show-only=json-v1', ...process.argv.slice(3)], { encoding: 'utf8' });
if (listing.status !== 0) {
  console.error(listing.stderr);
  process.exit(1);
}
const tests = JSON.parse(listing.stdout).tests;
const results = join(buildDirectory, 'gtest');
mkdirSync(results, { recursive: true });

let passed = 0;
let failed = 0;

/** As spawnSync(), but others may run meanwhile. */
async function runProgram([program, ...words], { cwd, timeout }) {
  const child = spawn(program, words, { cwd, killSignal: 'SIGKILL', timeout, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((done) => {
    child.on('error', (error) => done({ status: null, error }));
    child.on('close', (status, signal) => done({ status, signal }));
  });
  const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { ...end, stdout, stderr };
}

const propertyOf = ({ properties = [] }, wanted) => properties.find((entry) => entry.name === wanted)?.value;

async function runTest({ name, command, properties = [] }) {
  if (command === undefined) {
    console.log(`${name}: its binary was not built`);
    failed += 1;
    return;
  }
  const property = (wanted) => propertyOf({ properties }, wanted);
  const isGtest = property('LABELS')?.includes('gtest') ?? false;
  const output = join(results, `${name}.json`);
  rmSync(output, { force: true });
  const began = Date.now();
  const run = await runProgram([...command, ...(isGtest ? [`--gtest_output=json:${output}`] : [])], {
    cwd: property('WORKING_DIRECTORY') ?? buildDirectory,
    timeout: (property('TIMEOUT') ?? 300) * 1000,
  });
  const said = new RegExp([property('PASS_REGULAR_EXPRESSION') ?? ''].flat().join('|')); // ctest would ignore the exit status then
  const well = run.status === 0 && said.test(run.stdout);
  let counts = { passed: well ? 1 : 0, failed: well ? 0 : 1 };
  if (isGtest) {
    try {
      const report = JSON.parse(readFileSync(output, 'utf8'));
      const all = report.testsuites.flatMap((suite) => suite.testsuite);
      counts = {
        passed: all.filter((test) => test.result === 'COMPLETED' && !test.failures).length,
        failed: all.filter((test) => test.failures).length,
      };
    } catch {
      counts = { passed: 0, failed: 0 };
    }
    const nothing = counts.passed + counts.failed === 0;
    if (nothing || (run.status !== 0 && counts.failed === 0)) counts.failed += 1;
  }
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${Date.now() - began} ms`);
  if (counts.failed > 0) {
    console.log(`${run.stdout ?? ''}${run.stderr ?? ''}`);
    console.log(`${name} ended with ${run.error?.code ?? run.status ?? run.signal}`);
  }
  passed += counts.passed;
  failed += counts.failed;
}

/** One after the other from the same list. */
async function runAll(list) {
  while (list.length > 0) await runTest(list.shift());
}

const isAlone = (test) => propertyOf(test, 'RUN_SERIAL') ?? false;
await runAll(tests.filter(isAlone));
const others = tests.filter((test) => !isAlone(test));
await Promise.all([runAll(others), runAll(others)]);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
