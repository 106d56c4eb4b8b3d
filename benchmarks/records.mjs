// SPDX-License-Identifier: MIT
//
// ./bench records   encrypted trains of datagrams with nothing above them: the limit of the native peer on this machine
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tools/files.mjs';
import { describeMachine } from './support/machine.mjs';
import { parseNumber, parseOptions } from './support/options.mjs';

const usage = `usage: ./bench records [--seconds N] [--json FILE]
  --seconds  how long each case runs (default 2)
  --json     where the result goes (default benchmarks/results/records.json)`;
const options = parseOptions(usage, {
  seconds: { type: 'string', default: '2' },
  json: { type: 'string', default: join(root, 'benchmarks/results/records.json') },
});
const seconds = parseNumber('seconds', options.seconds);

const run = (command, ...words) => execFileSync(command, words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
run('cmake', '--preset', 'native');
run('cmake', '--build', '--preset', 'native', '-j', '2', '--target', 'record_path');
const rows = JSON.parse(run(join(root, 'build/native/src/native/udp/record_path'), '--seconds', String(seconds)));
for (const row of rows) {
  console.log(
    `${row.case.padEnd(6)} ${row.aead.padEnd(9)} ${row.offload.padEnd(9)} ${row.MBps.toFixed(0).padStart(6)} MB/s  ` +
      `${row.ns_per_packet.toFixed(0).padStart(6)} ns a packet  ${row.cpu_s_per_GB.toFixed(2).padStart(6)} CPU s/GB  ` +
      `${row.lost_percent.toFixed(2)} % lost`,
  );
}
writeFileSync(options.json, `${JSON.stringify({ machine: describeMachine(), rows }, null, 1)}\n`);
