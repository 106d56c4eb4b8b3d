// SPDX-License-Identifier: MIT
//
// ./bench native: two native peers on a thread and a core each, over real UDP on loopback with DTLS; what the machine
// allows below them; and other people's peers. docs/performance.md says how each is driven and shows the outcome.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../tools/files.mjs';
import { fillDocuments, drawPlots, printTables } from './native/report.mjs';
import { withNamespaces } from './native/namespaces.mjs';
import { describeMachine } from './support/machine.mjs';
import { choose, fail, parseNumber, parseOptions, parseSize } from './support/options.mjs';
import { Progress, readReport, rounded, sizeName, writeReport } from './support/report.mjs';
import { median } from './support/statistics.mjs';

const ours = {
  wdc: [],
  'wdc-openssl': ['aead=openssl'],
  'wdc-batches': ['offload=batches'],
  'wdc-no-offload': ['offload=single'],
};
const limits = {
  limit: ['--offload', 'segments'],
  'limit-openssl': ['--offload', 'segments', '--aead', 'openssl'],
  'limit-no-offload': ['--offload', 'single'],
};
const others = ['libdatachannel', 'libwebrtc'];
const cases = [...Object.keys(ours), ...Object.keys(limits), ...others];
const kinds = ['throughput', 'ping-pong', 'set-up', 'memory', 'connections', 'veth'];

const kib = 1024;
const mib = 1024 * kib;
const allSizes = [64, kib, 16 * kib, 64 * kib, 256 * kib, mib, 16 * mib];
const quickSizes = [64, kib, 64 * kib];
/** The largest message of a plain channel; ours are framed beyond. */
const largestPlain = 256 * kib;
const bulk = 64 * kib;

const usage = `usage: ./bench native --json FILE [options]       measures, prints tables, writes FILE
       ./bench native --plot|--docs [--json FILE]  draws docs/plots, fills docs/performance.md from FILE
  --kind NAME       ${kinds.join(', ')} (all);
                    may be given several times, as may the next two
  --case NAME       ${cases.join(', ')} (all)
  --size BYTES      message size of throughput (${allSizes.map((size) => sizeName(size)).join(', ')})
  --rounds N        runs for each; the median is kept (3)
  --seconds S       of one run (1)
  --quick           one round of half a second, fewer sizes: about a minute`;

const options = parseOptions(usage, {
  json: { type: 'string' },
  kind: { type: 'string', multiple: true },
  case: { type: 'string', multiple: true },
  size: { type: 'string', multiple: true },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  plot: { type: 'boolean', default: false },
  docs: { type: 'boolean', default: false },
});

const committed = join(root, 'benchmarks/results/native.json');
const patience = 60_000; // milliseconds of one run

function run(command, ...words) {
  return execFileSync(command, words,
    { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: patience, killSignal: 'SIGKILL' });
}

function runOurs(kind, name, settings) {
  const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return JSON.parse(run(join(root, 'build/native/src/native/engine/peers_bench'), kind, ...words, ...ours[name]));
}

function runLimit(name, seconds) {
  const rows = JSON.parse(run(join(root, 'build/native/src/native/udp/record_path'), '--seconds', String(seconds), ...limits[name]));
  const { MBps, cpu_s_per_GB, lost_percent, aead } = rows.at(-1); // without --aead: the fastest there is
  return { MBps, cpu_s_per_GB, lost_percent, aead };
}

const runOther = (kind, name, settings) =>
  JSON.parse(run('node', 'benchmarks/native/npm_peers.mjs', name, kind, JSON.stringify(settings)));

/** What is measured: { kind, case, ...what is part of the row, measure() }. */
function plan({ chosen, chosenKinds, sizes, seconds, counts }) {
  const entries = [];
  const add = (kind, name, fields, measure) => {
    if (chosenKinds.includes(kind) && chosen.includes(name)) entries.push({ bench: 'native', kind, case: name, ...fields, measure });
  };
  for (const size of sizes) {
    const framed = size > largestPlain ? { framed: 1 } : {};
    for (const name of Object.keys(ours)) {
      if (name === 'wdc-batches' && size !== bulk) continue;
      add('throughput', name, { size, ...framed }, () => runOurs('bulk', name, { size, seconds, ...framed }));
    }
    // A process for each end, and so a thread of JavaScript, is the faster way for this one alone.
    add('throughput', 'libdatachannel', { size },
      () => runOther('bulk', 'libdatachannel', { size, seconds, ownProcess: true }));
    if (size <= largestPlain) add('throughput', 'libwebrtc', { size }, () => runOther('bulk', 'libwebrtc', { size, seconds }));
  }
  for (const name of Object.keys(limits)) add('throughput', name, { size: 1_163 }, () => runLimit(name, seconds));
  for (const name of ['wdc', 'wdc-openssl', 'wdc-no-offload'])
    add('ping-pong', name, { size: 64 }, () => runOurs('pingpong', name, { size: 64, seconds }));
  for (const name of others) add('ping-pong', name, { size: 64 }, () => runOther('pingpong', name, { size: 64, seconds }));
  add('set-up', 'wdc', {}, () => runOurs('setup', 'wdc', { count: counts.setUp }));
  for (const name of others) add('set-up', name, {}, () => runOther('setup', name, { count: counts.otherSetUp }));
  add('memory', 'wdc', {}, () => runOurs('memory', 'wdc', { count: counts.memory }));
  for (const name of others) add('memory', name, {}, () => runOther('memory', name, { count: counts.otherMemory }));
  for (const connections of [1, 10, 100])
    add('connections', 'wdc', { size: bulk, connections }, () => runOurs('bulk', 'wdc', { size: bulk, seconds, connections }));
  return { entries, add };
}

/** Runs of every entry by turns, so that a drift of the machine falls on all of a size alike; then the medians. */
function measureAll(entries, rounds, rows, progress) {
  const given = new Set();
  for (let round = 0; round < rounds; round += 1) {
    for (const entry of round % 2 === 0 ? entries : [...entries].reverse()) {
      const { measure, ...row } = entry;
      const isOnce = (row.kind === 'set-up' || row.kind === 'memory') && round > 0; // a median of many, or an average
      if (isOnce || given.has(entry)) continue;
      const title = [row.kind, row.case, row.size && !(row.case in limits) && sizeName(row.size),
        row.connections].filter(Boolean).join(', ');
      try {
        const figures = measure();
        rows.push({ ...row, run: round, ...Object.fromEntries(Object.entries(figures).map(([key, value]) =>
          [key, typeof value === 'number' ? rounded(value) : value])) });
        progress.step(`${title}, round ${round + 1} of ${rounds}: ${JSON.stringify(figures)}`);
      } catch (error) {
        if (!others.includes(row.case)) throw error;
        given.add(entry);
        console.error(`bench: ${title}: ${error.message}; left out`);
      }
    }
  }
  for (const entry of entries.filter((each) => !given.has(each))) {
    const row = Object.fromEntries(Object.entries(entry).filter(([key]) => key !== 'measure'));
    const own = rows.filter((each) => Object.keys(row).every((key) => each[key] === row[key]));
    const names = Object.keys(own[0]).filter((key) => !(key in row) && key !== 'run');
    const middle = (key) => (typeof own[0][key] === 'number' ? rounded(median(own.map((each) => each[key]))) : own[0][key]);
    rows.push({ ...row, ...Object.fromEntries(names.map((key) => [key, middle(key)])) });
  }
}

function measure() {
  if (options.json === undefined) fail(usage);
  const chosen = choose('case', options.case, cases);
  const chosenKinds = choose('kind', options.kind, kinds);
  const sizes = options.size?.map(parseSize) ?? (options.quick ? quickSizes : allSizes);
  const rounds = parseNumber('rounds', options.rounds ?? (options.quick ? '1' : '3'));
  const seconds = parseNumber('seconds', options.seconds ?? (options.quick ? '0.5' : '1'));
  const counts = options.quick
    ? { setUp: 50, otherSetUp: 5, memory: 100, otherMemory: 10 }
    : { setUp: 50, otherSetUp: 20, memory: 100, otherMemory: 50 };
  const machine = describeMachine();
  if (machine.load_at_start > 0.3) console.error(`bench: the machine is not idle (load ${machine.load_at_start})`);
  execFileSync('cmake', ['--preset', 'native'], { cwd: root, stdio: 'ignore' });
  execFileSync('cmake', ['--build', '--preset', 'native', '-j', '2', '--target', 'peers_bench', 'record_path'], { cwd: root, stdio: 'ignore' });

  const rows = [];
  const progress = new Progress();
  const { entries, add } = plan({ chosen, chosenKinds, sizes, seconds, counts });
  const all = () => measureAll(entries, rounds, rows, progress);
  if (!chosenKinds.includes('veth')) {
    all();
  } else {
    withNamespaces((namespaces) => {
      if (namespaces) {
        for (const name of ['wdc', 'wdc-no-offload'])
          add('veth', name, { size: bulk }, () => runOurs('bulk', name, { size: bulk, seconds, namespaces: namespaces.join(',') }));
      }
      all();
    });
  }
  progress.end();
  writeReport(options.json, { machine, rows });
  console.log(`${machine.cpu}, ${machine.cores} cores`);
  printTables(rows);
}

if (options.plot || options.docs) {
  const report = readReport(options.json ?? committed);
  if (options.plot) drawPlots(report);
  if (options.docs) fillDocuments(report);
} else {
  measure();
}
