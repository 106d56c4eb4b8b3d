// SPDX-License-Identifier: MIT
//
// ./bench browser-marks: what a plain RTCDataChannel's throughput and the page's timers do at several high-water marks, to
// choose the package's defaults by. docs/backpressure.md shows the outcome.
import { join } from 'node:path';
import { root } from '../tools/files.mjs';
import { buildForBrowser, openBenchPage } from './support/bench_page.mjs';
import { insertIntoDocument, provenance } from './support/documents.mjs';
import { describeMachine } from './support/machine.mjs';
import { choose, fail, parseNumber, parseOptions, parseSize } from './support/options.mjs';
import { readPackageMarks } from './support/package_marks.mjs';
import { drawPlot, palette } from './support/plot.mjs';
import {
  browserTitle, figure, markdownTable, Progress, readReport, rounded, sizeName, summaries, textTable, writeReport,
} from './support/report.mjs';
import { median } from './support/statistics.mjs';

const usage = `usage: ./bench browser-marks --json FILE [options]       measures, prints a table, writes FILE
       ./bench browser-marks --plot|--docs [--json FILE]  draws docs/plots, fills docs/backpressure.md from FILE
  --browser NAME    chromium or firefox (both); may be given several times, as may the next two
  --size BYTES      message size (64, 1k, 16k, 64k, 256k)
  --mark BYTES      high-water mark (64k, 256k, 512k, 1m, 2m, 4m, 8m); the low one is a quarter of it
  --rounds N        runs for each (3)
  --seconds S       of one run (2)`;

const options = parseOptions(usage, {
  json: { type: 'string' },
  browser: { type: 'string', multiple: true },
  size: { type: 'string', multiple: true },
  mark: { type: 'string', multiple: true },
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '2' },
  plot: { type: 'boolean', default: false },
  docs: { type: 'boolean', default: false },
});

const committed = join(root, 'benchmarks/results/browser-marks.json');
const lowOf = (high) => high / 4;

async function measure() {
  if (options.json === undefined) fail(usage);
  const browsers = choose('browser', options.browser, ['chromium', 'firefox']);
  const sizes = (options.size ?? ['64', '1k', '16k', '64k', '256k']).map(parseSize);
  const marks = (options.mark ?? ['64k', '256k', '512k', '1m', '2m', '4m', '8m']).map(parseSize);
  const rounds = parseNumber('rounds', options.rounds);
  const seconds = parseNumber('seconds', options.seconds);
  const machine = describeMachine();
  if (machine.load_at_start > 0.3) console.error(`bench: the machine is not idle (load ${machine.load_at_start})`);
  await buildForBrowser();

  const rows = [];
  const versions = [];
  const progress = new Progress();
  for (const browser of browsers) {
    const page = await openBenchPage(browser);
    try {
      versions.push(page.version);
      for (const size of sizes) {
        await page.reload();
        rows.push(...await measureSize(page, { browser, size, marks, rounds, seconds, progress }));
      }
    } finally {
      progress.end();
      await page.close();
    }
  }
  const report = { machine: { ...machine, browsers: versions.join(', ') }, rows };
  writeReport(options.json, report);
  console.log(`${machine.cpu}, ${machine.cores} cores; ${report.machine.browsers}\n`);
  for (const line of textTable(columns, summaries(rows))) console.log(line);
}

async function measureSize(page, { browser, size, marks, rounds, seconds, progress }) {
  const rows = [];
  const samples = new Map(marks.map((mark) => [mark, []]));
  for (let round = 0; round < rounds; round += 1) {
    // Up and down by turns, so that a drift of the machine falls on all marks alike.
    for (const high of round % 2 === 0 ? marks : [...marks].reverse()) {
      const result = await page.call('measureTransfer', {
        name: 'raw', size, seconds, warmupSeconds: Math.min(0.3, seconds), high, low: lowOf(high),
      });
      const rate = result.messages / result.seconds;
      const row = {
        bench: 'browser-marks', browser, case: 'raw', size, high_water_mark: high, low_water_mark: lowOf(high), run: round,
        MBps: rounded((rate * size) / 1e6), msgs_per_s: rounded(rate), max_timer_gap_ms: rounded(result.maxTimerGapMs),
      };
      samples.get(high).push(row);
      rows.push(row);
      progress.step(`${browser}, ${sizeName(size)}, mark ${sizeName(high)}, round ${round + 1} of ${rounds}: `
        + `${row.MBps} MB/s, longest timer gap ${row.max_timer_gap_ms} ms`);
    }
  }
  for (const [high, runs] of samples) {
    rows.push({
      bench: 'browser-marks', browser, case: 'raw', size, high_water_mark: high, low_water_mark: lowOf(high),
      MBps: rounded(median(runs.map(({ MBps }) => MBps))),
      msgs_per_s: rounded(median(runs.map(({ msgs_per_s }) => msgs_per_s))),
      max_timer_gap_ms: rounded(Math.max(...runs.map(({ max_timer_gap_ms }) => max_timer_gap_ms))),
      median_timer_gap_ms: rounded(median(runs.map(({ max_timer_gap_ms }) => max_timer_gap_ms))),
    });
  }
  return rows;
}

const columns = [
  ['browser', (row) => row.browser],
  ['size', (row) => sizeName(row.size)],
  ['high mark', (row) => sizeName(row.high_water_mark)],
  ['MB/s', (row) => figure(row.MBps, 1)],
  ['messages/s', (row) => figure(row.msgs_per_s)],
  ['longest timer gap, ms', (row) => figure(row.max_timer_gap_ms)],
];

// What the package's default reaches; nothing if it was not among the marks.
function sentenceOnDefault(name, rows) {
  const { high } = readPackageMarks();
  const atDefault = rows.filter((row) => row.high_water_mark === high);
  if (atDefault.length === 0) return [];
  const parts = atDefault.map((row) => {
    const best = Math.max(...rows.filter(({ size }) => size === row.size).map(({ MBps }) => MBps));
    return { size: row.size, part: row.MBps / best };
  });
  const least = parts.reduce((lowest, each) => (each.part < lowest.part ? each : lowest));
  const gap = Math.max(...atDefault.map((row) => row.max_timer_gap_ms));
  return [`With the default of ${sizeName(high)} ${name} reaches at least ${figure(least.part * 100)} % of the best rate of its size `
    + `(${sizeName(least.size)}), and its longest timer gap is ${figure(gap)} ms.`];
}

// One line a mark, one column a size: what is read when a mark is to be chosen.
function fillDocuments({ machine, rows }) {
  const all = summaries(rows);
  const unique = (key) => [...new Set(all.map((row) => row[key]))];
  const lines = [provenance(machine, './bench browser-marks'), ''];
  for (const browser of unique('browser')) {
    const at = (high, size) =>
      all.find((row) => row.browser === browser && row.high_water_mark === high && row.size === size);
    const cell = (high, size) => {
      const row = at(high, size);
      return row === undefined ? '' : `${figure(row.MBps, 1)} MB/s, ${figure(row.max_timer_gap_ms)} ms`;
    };
    const name = browserTitle(browser);
    lines.push(...markdownTable(
      [[`${name}: high mark`, (high) => sizeName(high)],
        ...unique('size').map((size) => [sizeName(size), (high) => cell(high, size)])],
      unique('high_water_mark'),
    ), '', ...sentenceOnDefault(name, all.filter((row) => row.browser === browser)), '');
  }
  lines.push('![Throughput and longest timer gap by high-water mark, for each message size](plots/browser-marks.svg)');
  insertIntoDocument('docs/backpressure.md', 'browser-marks', lines);
}

function drawPlots({ rows }) {
  const figures = summaries(rows).flatMap((row) => {
    const shared = { mark: sizeName(row.high_water_mark), size: sizeName(row.size), browser: browserTitle(row.browser) };
    const best = Math.max(...summaries(rows)
      .filter(({ browser, size }) => browser === row.browser && size === row.size).map(({ MBps }) => MBps));
    return [
      { ...shared, what: 'of the best rate', value: row.MBps / best },
      { ...shared, what: 'longest timer gap, s', value: row.max_timer_gap_ms / 1000 },
    ];
  });
  const marks = [...new Set(summaries(rows).map((row) => row.high_water_mark))].sort((a, b) => a - b).map(sizeName);
  const sizes = [...new Set(summaries(rows).map(({ size }) => size))].sort((a, b) => a - b).map(sizeName);
  drawPlot('docs/plots/browser-marks.svg', {
    title: 'Throughput and longest timer gap by high-water mark, for each message size',
    height: 500,
    marginRight: 130,
    marginBottom: 70,
    x: { domain: marks, label: 'high-water mark', type: 'point', tickRotate: -45, labelOffset: 64 },
    y: { label: null, grid: true, zero: true },
    fx: { label: null },
    fy: { label: null, domain: ['of the best rate', 'longest timer gap, s'] },
    color: { domain: sizes, range: palette.slice(1) },
    key: sizes.map((name, index) => ({ name, color: palette[index + 1] })),
    plot: (Plot) => [
      Plot.line(figures, { x: 'mark', y: 'value', fx: 'browser', fy: 'what', stroke: 'size', strokeWidth: 1.5 }),
      Plot.dot(figures, { x: 'mark', y: 'value', fx: 'browser', fy: 'what', fill: 'size', r: 2.5 }),
    ],
  });
}

if (options.plot || options.docs) {
  const report = readReport(options.json ?? committed);
  if (options.plot) drawPlots(report);
  if (options.docs) fillDocuments(report);
} else {
  await measure();
}
