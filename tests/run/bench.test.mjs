// SPDX-License-Identifier: MIT
//
// ./bench browser, as short as it can be: that it measures, not what.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { root, wasmBuild } from '../browser/support/browser.mjs';

test('the browser benchmark measures every case and writes flat rows', { timeout: 120_000 }, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'wdc-bench-'));
  context.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'browser.json');
  const words = ['--json', file, '--quick', '--triples', '1', '--seconds', '0.05', '--size', '16k',
    ...['js', 'cpp', 'framed-js', 'framed-cpp', 'ping-pong', 'crossing'].flatMap((name) => ['--case', name])];
  const { stdout } = await promisify(execFile)('node', [join(root, 'benchmarks/browser.mjs'), ...words],
    { env: { ...process.env, WDC_WASM_BUILD: wasmBuild } }); // built by an earlier step
  assert.match(stdout, /lowest ratio to raw/);

  const { machine, rows } = JSON.parse(await readFile(file, 'utf8'));
  assert.ok(machine.cores > 0 && machine.browsers.length > 0);
  for (const row of rows) {
    for (const value of Object.values(row)) assert.ok(value !== null && typeof value !== 'object', JSON.stringify(row));
    assert.equal(row.size, 16_384);
    assert.ok(row.MBps > 0, JSON.stringify(row));
  }
  const summaries = rows.filter((row) => row.run === undefined).map((row) => `${row.bench} ${row.case}`);
  assert.deepEqual(summaries, [
    'browser js', 'browser cpp', 'browser framed-js', 'browser framed-cpp', 'browser ping-pong',
    'crossing cpp-sum', 'crossing js-sum', 'crossing cpp-size', 'crossing package', 'crossing js-view', 'crossing cpp-event',
    'crossing event',
  ]);
  for (const row of rows.filter(({ run, bench }) => run === undefined && bench === 'browser')) {
    assert.ok(row.ratio_to_raw > 0 && row.max_timer_gap_ms > 0 && row.raw_MBps > 0);
  }
});
