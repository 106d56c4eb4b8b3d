// SPDX-License-Identifier: MIT
//
// ./bench browser: the package and C++ against hand-written JavaScript on a plain RTCDataChannel, and the way from the
// browser's event into C++ by itself. docs/performance.md says what is measured and why this way.
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
import { bootstrapLowerBound, hasCollapsed, median, quantile, tripleRatios } from './support/statistics.mjs';

const usage = `usage: ./bench browser --json FILE [options]       measures, prints tables, writes FILE
       ./bench browser --plot|--docs [--json FILE]  draws docs/plots, fills docs/performance.md from FILE
  --quick           Chromium, 64 B and 64 KB, js, cpp and crossing, 3 triples of short runs: about a minute
  --browser NAME    chromium or firefox (both); may be given several times, as may the next two
  --size BYTES      message size (64, 1k, 16k, 64k, 256k)
  --case NAME       js, cpp, framed-js, framed-cpp, ping-pong or crossing (all); only if named: raw-bytes (raw that makes
                    a Uint8Array of each message), js-await and framed-js-await (a promise a message), and with --marks
                    js-defaults, at the package's own marks
  --triples N       raw / case / raw for each case and size (9)
  --seconds S       of one run (3)
  --marks HIGH:LOW  send marks of raw and all cases, such as 4m:1m (the package's own: 1m:256k)`;

const options = parseOptions(usage, {
  json: { type: 'string' },
  quick: { type: 'boolean', default: false },
  browser: { type: 'string', multiple: true },
  size: { type: 'string', multiple: true },
  case: { type: 'string', multiple: true },
  triples: { type: 'string' },
  seconds: { type: 'string' },
  marks: { type: 'string' },
  plot: { type: 'boolean', default: false },
  docs: { type: 'boolean', default: false },
});

/** What the documents show: framed mode was measured in a run of its own. */
const committed = ['browser', 'browser-framed'].map((name) => join(root, `benchmarks/results/${name}.json`));
const document = 'docs/performance.md';
const onlyIfNamed = ['raw-bytes', 'js-await', 'framed-js-await'];

function readMarks(text) {
  const [high, low] = text.split(':').map(parseSize);
  if (!(low <= high && high <= 16 << 20)) fail(`no marks: ${text}`);
  return { high, low };
}

async function measure() {
  if (options.json === undefined) fail(usage);
  const browsers = choose('browser', options.browser, ['chromium', 'firefox'],
    options.quick ? ['chromium'] : ['chromium', 'firefox']);
  const packageMarks = readPackageMarks();
  const marks = options.marks === undefined ? packageMarks : readMarks(options.marks);
  const sameMarks = marks.high === packageMarks.high && marks.low === packageMarks.low;
  const all = [...(sameMarks ? ['js'] : ['js', 'js-defaults']), 'cpp', 'framed-js', 'framed-cpp', 'ping-pong', 'crossing'];
  const cases = choose('case', options.case, [...all, ...onlyIfNamed], options.quick ? ['js', 'cpp', 'crossing'] : all);
  const plan = {
    sizes: (options.size ?? (options.quick ? ['64', '64k'] : ['64', '1k', '16k', '64k', '256k'])).map(parseSize),
    cases: cases.filter((name) => name !== 'crossing'),
    crossing: cases.includes('crossing'),
    triples: parseNumber('triples', options.triples ?? (options.quick ? 3 : 9)),
    seconds: parseNumber('seconds', options.seconds ?? (options.quick ? 0.6 : 3)),
    warmupSeconds: options.quick ? 0.2 : 0.4,
    batches: options.quick ? 7 : 21,
    batchMs: options.quick ? 20 : 50,
    marks,
  };
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
      if (plan.cases.length > 0) rows.push(...await measureTransfers(page, browser, plan, progress));
      if (plan.crossing) rows.push(...await measureCrossings(page, browser, plan, progress));
    } finally {
      progress.end();
      await page.close();
    }
  }
  const report = { machine: { ...machine, browsers: versions.join(', ') }, rows };
  writeReport(options.json, report);
  printTables(report);
}

/** All triples of one browser; gives the rows. */
async function measureTransfers(page, browser, plan, progress) {
  const { marks, seconds, warmupSeconds } = plan;
  const rows = [];
  // Of ping-pong only the smallest size says something.
  const casesOf = (size) => plan.cases.filter((name) => name !== 'ping-pong' || size === Math.min(...plan.sizes));
  const planned = plan.triples * plan.sizes.reduce((sum, size) => (
    sum + 3 * casesOf(size).length + casesOf(size).filter((name) => hasLarge(name, size)).length), 0);
  let done = 0;
  const runOnce = (name, size, duration) =>
    page.call('measureTransfer', { name, size, seconds: duration, warmupSeconds, ...marks });

  const runTriple = async (name, size, triple) => {
    const order = [['before', rawOf(name), size], ['middle', name, size], ['after', rawOf(name), size]];
    if (hasLarge(name, size)) order.splice(1 + triple % 2, 0, ['large', 'raw', largeSize]);
    const runs = {};
    for (const [place, which, ranSize] of order) {
      const result = await runOnce(which, ranSize, seconds);
      const rate = result.messages / result.seconds;
      const row = {
        bench: 'browser', browser, case: name, size, run: done, triple, place, ran: which, ran_size: ranSize,
        MBps: rounded((rate * ranSize) / 1e6), msgs_per_s: rounded(rate), messages: result.messages,
        seconds: rounded(result.seconds), max_timer_gap_ms: rounded(result.maxTimerGapMs),
      };
      rows.push(row);
      runs[place] = row;
      done += 1;
      progress.step(`${browser}, ${done} of ${Math.max(done, planned)}: ${which}, ${sizeName(ranSize)}: `
        + `${row.MBps} MB/s, ${figure(row.msgs_per_s)} messages/s`);
    }
    const { before, middle, after, large } = runs;
    if (large) middle.raw_64k_MBps = large.MBps;
    return [before, middle, after];
  };

  for (const size of plan.sizes) {
    const cases = casesOf(size);
    await page.reload();
    // The browser compiles what it has seen often: none of the measured runs shall be the first.
    for (const name of new Set(cases.flatMap((each) => [rawOf(each), each]))) await runOnce(name, size, warmupSeconds);
    const triples = Object.fromEntries(cases.map((name) => [name, []]));
    for (let triple = 0; triple < plan.triples; triple += 1) {
      for (const name of triple % 2 === 0 ? cases : [...cases].reverse()) {
        triples[name].push(await runTriple(name, size, triple));
      }
    }
    const ratesOf = (runs) => runs.map((run) => run.MBps);
    for (const name of cases) {
      const rawRates = cases.filter((each) => rawOf(each) === rawOf(name))
        .flatMap((each) => triples[each].flatMap(([before, , after]) => ratesOf([before, after])));
      const collapsed = new Set();
      for (let index = 0; index < triples[name].length; index += 1) {
        if (!hasCollapsed(ratesOf(triples[name][index]), rawRates)) continue;
        collapsed.add(index);
        for (const run of triples[name][index]) run.raw_collapsed = true;
        if (triples[name].length < plan.triples * 2) triples[name].push(await runTriple(name, size, triples[name].length));
      }
      rows.push(summarise(triples[name], collapsed, { browser, size, name, marks }));
    }
  }
  return rows;
}

/** Both ends speak framed mode. */
const isFramed = ({ case: name }) => name.startsWith('framed') || name === 'ping-pong';

/** What a case is compared with: on its own connection, in the same page, just before and just after it. */
const rawOf = (name) => (name === 'ping-pong' ? 'ping-pong-raw' : 'raw');

/** Beside framed messages that are smaller, raw ones of this size run too: the rate at which bytes could go. */
const largeSize = 65_536;
const hasLarge = (name, size) => name.startsWith('framed') && size < 16_384;

// A collapsed raw run would flatter the case: its triple stays in the file, but not in the figures - unless the machine let
// no other pass.
function summarise(triples, collapsed, { browser, size, name, marks }) {
  const rates = triples.map((runs) => runs.map((run) => run.MBps));
  const ratios = rates.map(tripleRatios);
  const clean = ratios.filter((_, index) => !collapsed.has(index));
  const counted = clean.length > 0 ? clean : ratios;
  const ofCase = triples.map(([, middle]) => middle);
  const ofRaw = triples.flatMap(([before, , after]) => [before, after]);
  const each = (runs, key) => runs.map((run) => run[key]);
  return {
    bench: 'browser', browser, case: name, size,
    MBps: rounded(median(each(ofCase, 'MBps'))),
    msgs_per_s: rounded(median(each(ofCase, 'msgs_per_s'))),
    max_timer_gap_ms: rounded(Math.max(...each(ofCase, 'max_timer_gap_ms'))),
    median_timer_gap_ms: rounded(median(each(ofCase, 'max_timer_gap_ms'))),
    ratio_to_raw: rounded(median(counted.map(({ ratio }) => ratio))),
    ratio_to_raw_lower: rounded(bootstrapLowerBound(counted.map(({ ratio }) => ratio))),
    ...ratioToLarge(ofCase.filter(({ raw_64k_MBps: large }) => large !== undefined)),
    ratio_to_raw_of_all: rounded(median(ratios.map(({ ratio }) => ratio))),
    raw_to_raw: rounded(median(counted.map(({ rawToRaw }) => rawToRaw))),
    raw_to_raw_lowest: rounded(Math.min(...counted.map(({ rawToRaw }) => rawToRaw))),
    raw_to_raw_highest: rounded(Math.max(...counted.map(({ rawToRaw }) => rawToRaw))),
    raw_MBps: rounded(median(each(ofRaw, 'MBps'))),
    raw_msgs_per_s: rounded(median(each(ofRaw, 'msgs_per_s'))),
    raw_max_timer_gap_ms: rounded(Math.max(...each(ofRaw, 'max_timer_gap_ms'))),
    raw_median_timer_gap_ms: rounded(median(each(ofRaw, 'max_timer_gap_ms'))),
    triples: counted.length, repeated: collapsed.size, high_water_mark: marks.high, low_water_mark: marks.low,
  };
}

function ratioToLarge(middles) {
  if (middles.length === 0) return {};
  const larges = middles.map((row) => row.raw_64k_MBps);
  const ratios = middles.filter(({ raw_64k_MBps: large }) => !hasCollapsed([large, 0, large], larges))
    .map((row) => row.MBps / row.raw_64k_MBps);
  return { ratio_to_raw_64k: rounded(median(ratios)), ratio_to_raw_64k_lower: rounded(bootstrapLowerBound(ratios)) };
}

/** By what they are fed with, a page for each: where real events were met, plain objects take C++ 3 to 7 ns more of 83. */
const crossingCases = [['cpp-sum', 'js-sum', 'cpp-size', 'package', 'js-view'], ['cpp-event', 'event']];

async function measureCrossings(page, browser, plan, progress) {
  const rows = [];
  for (const size of plan.sizes) {
    progress.step(`${browser}: crossing, ${sizeName(size)}`);
    const { batches, batchMs } = plan;
    const nanoseconds = {};
    for (const cases of crossingCases) {
      await page.reload();
      Object.assign(nanoseconds, await page.call('measureCrossing', { size, cases, batches, batchMs }));
    }
    const figures = (ns) => ({ ns: rounded(ns), GBps: rounded(size / ns), MBps: rounded((size * 1e3) / ns) });
    for (const name of crossingCases.flat()) {
      const shape = { bench: 'crossing', browser, case: name, size };
      nanoseconds[name].forEach((ns, run) => rows.push({ ...shape, run, ...figures(ns) }));
      rows.push({
        ...shape, ...figures(median(nanoseconds[name])),
        ns_lowest: rounded(quantile(nanoseconds[name], 0)), ns_highest: rounded(quantile(nanoseconds[name], 1)),
        ...(name === 'cpp-sum' && { ratio_to_js: rounded(median(nanoseconds['js-sum']) / median(nanoseconds[name])) }),
      });
    }
  }
  return rows;
}

// Showing.

const largeColumns = ['to raw 64 KiB', 'its lower'];
const transferColumns = [
  ['browser', (row) => row.browser],
  ['size', (row) => sizeName(row.size)],
  ['case', (row) => row.case],
  ['raw MB/s', (row) => figure(row.raw_MBps, 1)],
  ['MB/s', (row) => figure(row.MBps, 1)],
  ['messages/s', (row) => figure(row.msgs_per_s)],
  ['to raw', (row) => figure(row.ratio_to_raw, 3)],
  ['95 % lower', (row) => figure(row.ratio_to_raw_lower, 3)],
  ['to raw 64 KiB', (row) => (row.ratio_to_raw_64k === undefined ? '' : figure(row.ratio_to_raw_64k, 3))],
  ['its lower', (row) => (row.ratio_to_raw_64k_lower === undefined ? '' : figure(row.ratio_to_raw_64k_lower, 3))],
  ['raw to raw', (row) => `${figure(row.raw_to_raw, 3)} (${figure(row.raw_to_raw_lowest, 2)} to ${figure(row.raw_to_raw_highest, 2)})`],
  ['timer gap, ms', (row) => figure(row.max_timer_gap_ms)],
  ['raw\'s', (row) => figure(row.raw_max_timer_gap_ms)],
  ['repeated', (row) => figure(row.repeated)],
];

// One line a size, with what belongs together side by side.
function crossingLines(rows) {
  const lines = new Map();
  for (const row of summaries(rows).filter(({ bench }) => bench === 'crossing')) {
    const key = `${row.browser} ${row.size}`;
    if (!lines.has(key)) lines.set(key, { browser: row.browser, size: row.size });
    lines.get(key)[row.case] = row;
  }
  return [...lines.values()];
}

const crossingColumns = [
  ['browser', (line) => line.browser],
  ['size', (line) => sizeName(line.size)],
  ['C++ reads, GB/s', (line) => figure(line['cpp-sum'].GBps, 2)],
  ['ns', (line) => figure(line['cpp-sum'].ns)],
  ['JavaScript loop, GB/s', (line) => figure(line['js-sum'].GBps, 2)],
  ['ns', (line) => figure(line['js-sum'].ns)],
  ['C++ to loop', (line) => figure(line['cpp-sum'].ratio_to_js, 2)],
  ['C++, real event, ns', (line) => figure(line['cpp-event']?.ns)],
  ['C++ unread, ns', (line) => figure(line['cpp-size'].ns)],
  ['package, ns', (line) => figure(line.package.ns)],
  ['plain handler, ns', (line) => figure(line['js-view'].ns)],
  ['event alone, ns', (line) => figure(line.event?.ns)],
];

function printTables({ machine, rows }) {
  const transfers = summaries(rows).filter(({ bench }) => bench === 'browser');
  console.log(`${machine.cpu}, ${machine.cores} cores; ${machine.browsers}`);
  if (transfers.length > 0) {
    console.log('\nOne channel between two peers of one page, against hand-written JavaScript (raw)\n');
    for (const line of textTable(transferColumns, transfers)) console.log(line);
    const plain = transfers.filter((row) => !isFramed(row));
    if (plain.length > 0) printLowest(plain);
  }
  const crossings = crossingLines(rows);
  if (crossings.length > 0) {
    console.log('\nFrom the event to the reader, fed from memory: no network\n');
    for (const line of textTable(crossingColumns, crossings)) console.log(line);
  }
}

function printLowest(transfers) {
  const lowest = transfers.reduce((least, row) => (row.ratio_to_raw < least.ratio_to_raw ? row : least));
  const lowestBound = Math.min(...transfers.map((row) => row.ratio_to_raw_lower));
  console.log(`\nlowest ratio to raw: ${figure(lowest.ratio_to_raw, 3)} (${lowest.browser}, ${lowest.case}, `
    + `${sizeName(lowest.size)}; wanted: 0.97); lowest bound: ${figure(lowestBound, 3)} (wanted: 0.93)`);
}

function fillDocuments({ machine, rows }) {
  const source = [provenance(machine, './bench browser'), ''];
  const insertTransfers = (name, transfers, caption) => {
    if (transfers.length === 0) return;
    const columns = transferColumns.filter(([title]) => name === 'browser-framed' || !largeColumns.includes(title));
    insertIntoDocument(document, name, [
      ...source, ...markdownTable(columns, transfers), '', `![${caption}](plots/${name}.svg)`,
    ]);
  };
  const transfers = summaries(rows).filter(({ bench }) => bench === 'browser');
  insertTransfers('browser', transfers.filter((row) => !isFramed(row)),
    'What the package and C++ reach of hand-written JavaScript, by message size');
  insertTransfers('browser-framed', transfers.filter(isFramed),
    'What framed mode reaches of hand-written JavaScript on a plain channel, by message size');
  const crossings = crossingLines(rows);
  if (crossings.length === 0) return;
  insertIntoDocument(document, 'crossing', [
    ...source, ...markdownTable(crossingColumns, crossings), '',
    '![Bytes read per second by C++ and by a JavaScript loop, by message size](plots/crossing.svg)',
  ]);
}

const sizeScale = (rows) => [...new Set(rows.map(({ size }) => size))].sort((a, b) => a - b).map(sizeName);

function drawPlots({ rows }) {
  const sized = summaries(rows).map((row) => ({ ...row, name: sizeName(row.size) }));
  const transfers = sized.filter(({ bench }) => bench === 'browser');
  const triples = rows.filter(({ bench, place }) => bench === 'browser' && place === 'middle');
  const plain = transfers.filter((row) => !isFramed(row));
  if (plain.length > 0) drawRatios('browser', 'Throughput', plain, triples.filter((row) => !isFramed(row)), rows);
  const framed = (row) => row.case.startsWith('framed');
  if (transfers.some(framed)) drawRatios('browser-framed', 'Framed mode', transfers.filter(framed), triples.filter(framed), rows);
  const crossings = sized.filter((row) => row.bench === 'crossing' && row.case.endsWith('-sum'));
  if (crossings.length > 0) drawCrossings(crossings);
}

// Every triple as a dot, the median as a bar with its lower bound hanging from it.
function drawRatios(name, what, transfers, middles, rows) {
  const raws = new Map(rows.filter(({ place }) => place !== undefined && place !== 'middle')
    .map((row) => [`${row.browser} ${row.case} ${row.size} ${row.triple} ${row.place}`, row.MBps]));
  const rawOf = (row, place) => raws.get(`${row.browser} ${row.case} ${row.size} ${row.triple} ${place}`);
  const dots = middles.filter((row) => !row.raw_collapsed).map((row) => ({
    ...row, name: sizeName(row.size), panel: `${browserTitle(row.browser)}: ${row.case}`,
    ratio: row.MBps / ((rawOf(row, 'before') + rawOf(row, 'after')) / 2),
  }));
  const medians = transfers.map((row) => ({ ...row, panel: `${browserTitle(row.browser)}: ${row.case}` }));
  const panels = [...new Set(medians.map(({ panel }) => panel))];
  drawPlot(`docs/plots/${name}.svg`, {
    title: `${what} against hand-written JavaScript, by message size`,
    height: 110 + 110 * panels.length,
    marginRight: 150,
    x: { domain: sizeScale(transfers), label: 'message size', labelOffset: 38 },
    // Of the smallest messages framed mode carries several times as many.
    y: { label: 'part of what raw reaches', grid: true, zero: false, type: name === 'browser-framed' ? 'log' : 'linear' },
    fy: { domain: panels, label: null },
    plot: (Plot) => [
      Plot.ruleY([1], { stroke: palette[0] }),
      Plot.dot(dots, { x: 'name', y: 'ratio', fy: 'panel', r: 2.5, stroke: palette[0] }),
      Plot.ruleX(medians, { x: 'name', y1: 'ratio_to_raw_lower', y2: 'ratio_to_raw', fy: 'panel', stroke: palette[1] }),
      Plot.tickY(medians, { x: 'name', y: 'ratio_to_raw', fy: 'panel', stroke: palette[1], strokeWidth: 3, inset: 35 }),
    ],
  });
}

function drawCrossings(crossings) {
  const named = crossings.map((row) => ({ ...row, browser: browserTitle(row.browser), reader: row.case === 'cpp-sum' ? 'C++' : 'JavaScript' }));
  drawPlot('docs/plots/crossing.svg', {
    title: 'Bytes read per second by C++ and by a JavaScript loop, by message size',
    height: 340,
    x: { domain: sizeScale(named), label: 'message size', type: 'point', labelOffset: 38 },
    y: { label: 'GB/s', grid: true, zero: true },
    fx: { label: null },
    color: { domain: ['C++', 'JavaScript'], range: [palette[1], palette[2]] },
    key: [{ name: 'C++', color: palette[1] }, { name: 'JavaScript', color: palette[2] }],
    plot: (Plot) => [
      Plot.line(named, { x: 'name', y: 'GBps', fx: 'browser', stroke: 'reader', strokeWidth: 2 }),
      Plot.dot(named, { x: 'name', y: 'GBps', fx: 'browser', fill: 'reader', r: 3 }),
    ],
  });
}

if (options.plot || options.docs) {
  for (const file of options.json === undefined ? committed : [options.json]) {
    const report = readReport(file);
    if (options.plot) drawPlots(report);
    if (options.docs) fillDocuments(report);
  }
} else {
  await measure();
}
