// SPDX-License-Identifier: MIT
//
// ./bench sctp: two SCTP associations back to back in one thread, ours and usrsctp's: what an engine alone costs.
// docs/sctp.md shows the outcome.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../tools/files.mjs';
import { insertIntoDocument, provenance } from './support/documents.mjs';
import { describeMachine } from './support/machine.mjs';
import { choose, fail, parseNumber, parseOptions, parseSize } from './support/options.mjs';
import { drawPlot, palette } from './support/plot.mjs';
import {
  figure, markdownTable, Progress, readReport, rounded, sizeName, summaries, textTable, writeReport,
} from './support/report.mjs';
import { median } from './support/statistics.mjs';

const cases = ['wdc', 'usrsctp', 'wdc-crc32c', 'usrsctp-crc32c'];
const usage = `usage: ./bench sctp --json FILE [options]       measures, prints a table, writes FILE
       ./bench sctp --plot|--docs [--json FILE]  draws docs/plots, fills docs/sctp.md from FILE
  --case NAME       ${cases.join(', ')} (all);
                    may be given several times, as may the next
  --size BYTES      message size (64, 1k, 64k, 1m)
  --rounds N        runs for each (3)
  --seconds S       of one run (1)`;

const options = parseOptions(usage, {
  json: { type: 'string' },
  case: { type: 'string', multiple: true },
  size: { type: 'string', multiple: true },
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '1' },
  plot: { type: 'boolean', default: false },
  docs: { type: 'boolean', default: false },
});

const committed = join(root, 'benchmarks/results/sctp.json');
const figures = ['MBps', 'msgs_per_s', 'ns_per_packet', 'allocations_per_packet'];

function run(command, ...words) {
  return execFileSync(command, words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function measure() {
  if (options.json === undefined) fail(usage);
  const chosen = choose('case', options.case, cases);
  const sizes = (options.size ?? ['64', '1k', '64k', '1m']).map(parseSize);
  const rounds = parseNumber('rounds', options.rounds);
  const seconds = parseNumber('seconds', options.seconds);
  const machine = describeMachine();
  if (machine.load_at_start > 0.3) console.error(`bench: the machine is not idle (load ${machine.load_at_start})`);
  run('cmake', '--preset', 'native');
  run('cmake', '--build', '--preset', 'native', '-j', '2', '--target', 'sctp_bench');
  const program = join(root, 'build/native/src/native/sctp_bench');

  const rows = [];
  const progress = new Progress();
  for (const size of sizes) {
    const runs = [];
    for (let round = 0; round < rounds; round += 1) {
      // By turns, so that a drift of the machine falls on all cases alike.
      for (const name of round % 2 === 0 ? chosen : [...chosen].reverse()) {
        const row = { ...JSON.parse(run(program, name, String(size), String(seconds))), run: round };
        runs.push(row);
        progress.step(`${name}, ${sizeName(size)}, round ${round + 1} of ${rounds}: ${row.ns_per_packet} ns a packet`);
      }
    }
    rows.push(...runs);
    for (const name of chosen) {
      const own = runs.filter((row) => row.case === name);
      const medians = figures.map((key) => [key, rounded(median(own.map((row) => row[key])))]);
      rows.push({ bench: 'sctp', case: name, size, ...Object.fromEntries(medians) });
    }
  }
  progress.end();
  writeReport(options.json, { machine, rows });
  console.log(`${machine.cpu}, ${machine.cores} cores\n`);
  for (const line of textTable(columns, summaries(rows))) console.log(line);
}

const columns = [
  ['case', (row) => row.case],
  ['size', (row) => sizeName(row.size)],
  ['ns a packet', (row) => figure(row.ns_per_packet)],
  ['messages/s', (row) => figure(row.msgs_per_s)],
  ['MB/s', (row) => figure(row.MBps)],
  ['allocations a packet', (row) => figure(row.allocations_per_packet, 2)],
];

function fillDocuments({ machine, rows }) {
  insertIntoDocument('docs/sctp.md', 'sctp', [
    provenance(machine, './bench sctp'), '', ...markdownTable(columns, summaries(rows)), '',
    '![What a packet costs both ends together, by message size](plots/sctp.svg)',
  ]);
}

function drawPlots({ rows }) {
  const title = (name) => name.replace('-crc32c', ', CRC');
  const all = summaries(rows).map((row) => ({ ...row, name: title(row.case), message: sizeName(row.size) }));
  const names = [...new Set(all.map(({ name }) => name))];
  const sizes = [...new Set(all.map(({ size }) => size))].sort((a, b) => a - b).map(sizeName);
  const key = names.map((name, index) => ({ name, color: palette[index + 1] }));
  drawPlot('docs/plots/sctp.svg', {
    title: 'What a packet costs both ends together, by message size',
    height: 340,
    x: { domain: sizes, label: 'message size', type: 'point', padding: 0.2 },
    y: { label: 'ns a packet, both ends', grid: true, type: 'log', ticks: [100, 200, 500, 1_000, 2_000, 5_000], tickFormat: ',d' },
    color: { domain: names, range: key.map(({ color }) => color) },
    key,
    plot: (Plot) => [
      Plot.line(all, { x: 'message', y: 'ns_per_packet', stroke: 'name', strokeWidth: 1.5 }),
      Plot.dot(all, { x: 'message', y: 'ns_per_packet', fill: 'name', r: 3 }),
    ],
  });
}

if (options.plot || options.docs) {
  const report = readReport(options.json ?? committed);
  if (options.plot) drawPlots(report);
  if (options.docs) fillDocuments(report);
} else {
  measure();
}
