// SPDX-License-Identifier: MIT
//
// ./bench native-profile: where a packet's time goes between two native peers, by the samples of Linux's perf.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { root } from '../tools/files.mjs';
import { parseSamples, shares, stages } from './native/stages.mjs';
import { insertIntoDocument, provenance } from './support/documents.mjs';
import { describeMachine } from './support/machine.mjs';
import { choose, fail, parseNumber, parseOptions, parseSize } from './support/options.mjs';
import { drawPlot } from './support/plot.mjs';
import { Progress, figure, markdownTable, readReport, rounded, sizeName, textTable, writeReport } from './support/report.mjs';

const cases = { wdc: [], 'wdc-openssl': ['aead=openssl'] };
const sides = ['sender', 'receiver']; // the names of peers_bench's threads
const allSizes = [64, 1024, 64 * 1024];
const committed = join(root, 'benchmarks/results/native-profile.json');

const usage = `usage: ./bench native-profile --json FILE [options]       measures, prints tables, writes FILE
       ./bench native-profile --plot|--docs [--json FILE]  draws docs/plots, fills docs/performance.md from FILE
  --case NAME       ${Object.keys(cases).join(', ')} (all); may be given several times, as may the next
  --size BYTES      message size (${allSizes.map((size) => sizeName(size)).join(', ')})
  --seconds S       of one run (2)
  --rounds N        runs for each; the one whose CPU time is the median is shown, whole (3)
  --before PROGRAM  another commit's peers_bench, measured beside this one's as NAME-before`;

const options = parseOptions(usage, {
  json: { type: 'string' },
  case: { type: 'string', multiple: true },
  size: { type: 'string', multiple: true },
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  before: { type: 'string' },
  plot: { type: 'boolean', default: false },
  docs: { type: 'boolean', default: false },
});

const settings = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 30, timeout: 120_000 };

/** Runs a bulk transfer under perf. Gives its figures and its samples. */
function profile(program, directory, words) {
  const file = join(directory, 'perf.data');
  // A clock's ticks rather than the processor's counters, which virtual machines lack. The delay is peers_bench's warming up.
  const run = spawnSync('perf', ['record', '--quiet', '-g', '-e', 'cpu-clock', '-F', '4000', '--delay', '300', '-o', file,
    '--', program, 'bulk', ...words], settings);
  if (run.status !== 0) fail(`perf record has failed:\n${run.stderr}`);
  const figures = JSON.parse(run.stdout);
  // Nobody has asked for functions that the compiler has put into others, and to find them takes minutes.
  const text = execFileSync('perf', ['script', '--no-inline', '-i', file, '-F', 'comm,tid,period,ip,sym,dso'],
    { ...settings, stdio: ['ignore', 'pipe', 'ignore'] });
  return { figures, samples: parseSamples(text) };
}

/** By size, case and side: a column of a table each. */
function columnsOf(rows) {
  const columns = new Map();
  for (const row of rows) {
    const key = [row.size, row.case, row.side].join();
    if (!columns.has(key)) columns.set(key, { size: row.size, title: `${row.case}, ${row.side}`, byStage: new Map() });
    columns.get(key).byStage.set(row.stage, row.ns_per_packet);
  }
  return [...columns.values()];
}

/** [size, columns, rows] of a table for each size. */
function tables(rows) {
  const columns = columnsOf(rows);
  return [...new Set(columns.map(({ size }) => size))].map((size) => {
    const own = columns.filter((column) => column.size === size);
    const total = (column) => [...column.byStage.values()].reduce((sum, value) => sum + value, 0);
    const headings = [
      [`ns a packet, ${sizeName(size)}`, (stage) => stage],
      ...own.map((column) => [column.title, (stage) => figure(stage === 'all' ? total(column) : column.byStage.get(stage))]),
    ];
    return [headings, [...stages.map(({ name }) => name), 'all']];
  });
}

function measure() {
  if (options.json === undefined) fail(usage);
  const chosen = choose('case', options.case, Object.keys(cases));
  const sizes = options.size?.map(parseSize) ?? allSizes;
  const seconds = parseNumber('seconds', options.seconds ?? '2');
  const rounds = parseNumber('rounds', options.rounds ?? '3');
  if (spawnSync('perf', ['--version']).status !== 0) fail('there is no perf: on Debian it is in the package linux-perf');
  const machine = describeMachine();
  if (options.before) {
    machine.before_commit = execFileSync('git', ['-C', dirname(resolve(options.before)), 'rev-parse', '--short', 'HEAD'],
      { encoding: 'utf8' }).trim();
  }
  if (machine.load_at_start > 0.3) console.error(`bench: the machine is not idle (load ${machine.load_at_start})`);
  execFileSync('cmake', ['--preset', 'native'], { cwd: root, stdio: 'ignore' });
  execFileSync('cmake', ['--build', '--preset', 'native', '-j', '2', '--target', 'peers_bench'], { cwd: root, stdio: 'ignore' });
  const programs = [...(options.before ? [['-before', resolve(options.before)]] : []),
    ['', join(root, 'build/native/src/native/engine/peers_bench')]];

  const rows = [];
  const progress = new Progress();
  const directory = mkdtempSync(join(tmpdir(), 'wdc-profile-'));
  try {
    for (const size of sizes) {
      for (const name of chosen) {
        for (const [suffix, program] of programs) {
          const runs = Array.from({ length: rounds }, () =>
            profile(program, directory, [`size=${size}`, `seconds=${seconds}`, ...cases[name]]));
          const { figures, samples } = runs.sort((a, b) => a.figures.cpu_s_per_GB - b.figures.cpu_s_per_GB)[Math.floor(rounds / 2)];
          const titled = `${name}${suffix}, ${sizeName(size)}`;
          progress.step(`${titled}: ${JSON.stringify(figures)}`);
          for (const side of sides) {
            const total = figures[`${side}_ns_per_packet`];
            const found = shares(samples.filter(({ thread }) => thread === side));
            for (const [stage, share] of found.stages) {
              rows.push({ bench: 'native-profile', case: `${name}${suffix}`, size, side, stage,
                ns_per_packet: rounded(share * total), share: rounded(share) });
            }
            const most = found.others.slice(0, 3).map(([symbol, share]) => `${symbol.slice(0, 60)} ${figure(share * total, 1)} ns`);
            progress.step(`${titled}, ${side}: most of the rest: ${most.join(', ')}`);
          }
        }
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  progress.end();
  writeReport(options.json, { machine, rows });
  for (const [columns, found] of tables(rows)) console.log(`\n${textTable(columns, found).join('\n')}`);
}

const picture = { path: 'plots/native-profile.svg', title: 'Where the CPU time of a packet goes between native peers, ns' };

function drawPlots({ rows }) {
  const bars = rows.map((row) => ({ ...row, message: sizeName(row.size), bar: `${row.case}, ${row.side}` }));
  const names = [...new Set(bars.map(({ bar }) => bar))];
  const sizes = [...new Set(bars.map(({ message }) => message))];
  const key = stages.map(({ name, color }) => ({ name, color }));
  drawPlot(`docs/${picture.path}`, {
    title: picture.title,
    height: 168 + sizes.length * (names.length * 20 + 16),
    marginLeft: 196,
    marginRight: 60,
    marginTop: 118,
    x: { label: 'ns of CPU time a packet', grid: true },
    y: { domain: names, label: null, padding: 0.15 },
    fy: { domain: sizes, label: null, padding: 0.06 },
    color: { domain: key.map(({ name }) => name), range: key.map(({ color }) => color) },
    key,
    keyWidth: 245,
    keysPerLine: 3,
    plot: (Plot) => [
      Plot.barX(bars, { x: 'ns_per_packet', y: 'bar', fy: 'message', fill: 'stage', order: key.map(({ name }) => name) }),
      Plot.ruleX([0]),
    ],
  });
}

function fillDocuments({ machine, rows }) {
  insertIntoDocument('docs/performance.md', 'native-profile', [
    `${provenance(machine, './bench native-profile')}${machine.before_commit ? ` Before: commit ${machine.before_commit}.` : ''}`, '',
    `![${picture.title}](${picture.path})`, '',
    ...tables(rows).flatMap(([columns, found]) => [...markdownTable(columns, found), '']).slice(0, -1),
  ]);
}

if (options.plot || options.docs) {
  const report = readReport(options.json ?? committed);
  if (options.plot) drawPlots(report);
  if (options.docs) fillDocuments(report);
} else {
  measure();
}
