// SPDX-License-Identifier: MIT
//
// ./bench native and ./bench native-browser, as short as they can be: that they measure, not what.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../../tools/files.mjs';

async function measure(context, name, words) {
  const directory = await mkdtemp(join(tmpdir(), 'wdc-bench-'));
  context.after(() => rm(directory, { recursive: true }));
  const file = join(directory, `${name}.json`);
  const output = await promisify(execFile)('node', [join(root, `benchmarks/${name}.mjs`), '--json', file, '--quick', ...words]);
  const { machine, rows } = JSON.parse(await readFile(file, 'utf8'));
  assert.ok(machine.cores > 0);
  for (const row of rows) {
    for (const value of Object.values(row)) assert.ok(value !== null && typeof value !== 'object', JSON.stringify(row));
    assert.equal(row.bench, name);
    assert.ok(row.MBps > 0 || row.p50_us > 0, JSON.stringify(row));
  }
  return { ...output, rows };
}

test('the native benchmark measures our peers, the limits and other peers', { timeout: 300_000 }, async (context) => {
  const words = ['--seconds', '0.05', '--size', '16k', '--size', '1m',
    ...['wdc', 'wdc-no-offload', 'limit', 'libdatachannel', 'libwebrtc'].flatMap((name) => ['--case', name]),
    ...['throughput', 'ping-pong', 'connections', 'veth'].flatMap((name) => ['--kind', name])];
  const { stdout, stderr, rows } = await measure(context, 'native', words);
  assert.match(stdout, /round trip p50/);
  const summaries = rows.filter((row) => row.run === undefined)
    .map((row) => [row.kind, row.case, row.connections ?? row.size].join(' '));
  const isPermitted = !stderr.includes('no network namespaces');
  assert.deepEqual(summaries, [
    'throughput wdc 16384', 'throughput wdc-no-offload 16384', 'throughput libdatachannel 16384', 'throughput libwebrtc 16384',
    'throughput wdc 1048576', 'throughput wdc-no-offload 1048576', 'throughput libdatachannel 1048576', 'throughput limit 1163',
    'ping-pong wdc 64', 'ping-pong wdc-no-offload 64', 'ping-pong libdatachannel 64', 'ping-pong libwebrtc 64',
    'connections wdc 1', 'connections wdc 10', 'connections wdc 100',
    ...(isPermitted ? ['veth wdc 65536', 'veth wdc-no-offload 65536'] : []),
  ]);
});

test('the benchmark with a browser measures both ways, and over a delay', { timeout: 300_000 }, async (context) => {
  const { rows } = await measure(context, 'native-browser', ['--seconds', '0.1', '--size', '16k', '--delay', '10']);
  const summaries = rows.filter((row) => row.run === undefined)
    .map((row) => [row.case, row.direction, row.delay_ms ?? 0].join(' '));
  assert.deepEqual(summaries, [
    'wdc to-browser 0', 'libwebrtc to-browser 0', 'wdc from-browser 0', 'libwebrtc from-browser 0',
    'wdc from-browser 10', 'wdc to-browser 10', 'chromium from-browser 10',
  ]);
});
