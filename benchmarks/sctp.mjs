// SPDX-License-Identifier: MIT
//
// ./bench sctp   two SCTP associations back to back in one thread: what the engine alone costs
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tools/files.mjs';
import { describeMachine } from './support/machine.mjs';
import { parseNumber, parseOptions } from './support/options.mjs';

const usage = `usage: ./bench sctp [--seconds N] [--json FILE]
  --seconds  how long each case runs (default 2)
  --json     where the result goes (default benchmarks/results/sctp.json)`;
const options = parseOptions(usage, {
  seconds: { type: 'string', default: '2' },
  json: { type: 'string', default: join(root, 'benchmarks/results/sctp.json') },
});
const seconds = parseNumber('seconds', options.seconds);

const run = (command, ...words) => execFileSync(command, words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
run('cmake', '--preset', 'native');
run('cmake', '--build', '--preset', 'native', '-j', '2', '--target', 'sctp_bench');
const rows = JSON.parse(run(join(root, 'build/native/src/native/sctp_bench'), '--seconds', String(seconds)));
for (const row of rows) {
  console.log(
    `${row.case.padEnd(20)} ${String(row.size).padStart(8)} B  ${row.MBps.toFixed(0).padStart(6)} MB/s  ` +
      `${row.msgs_per_s.toFixed(0).padStart(9)} msg/s  ${row.ns_per_packet.toFixed(0).padStart(6)} ns a packet  ` +
      `${row.allocations_per_packet} allocations`,
  );
}
writeFileSync(options.json, `${JSON.stringify({ machine: describeMachine(), rows }, null, 1)}\n`);
