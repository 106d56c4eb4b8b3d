// SPDX-License-Identifier: MIT
//
// What ./bench native shows of its rows: tables for a terminal and for the documents, and the plot.
import { insertIntoDocument, provenance } from '../support/documents.mjs';
import { drawPlot, palette } from '../support/plot.mjs';
import { figure, markdownTable, sizeName, summaries, textTable } from '../support/report.mjs';

const title = (row) => (row.framed ? `${row.case}, framed` : row.case);
const isLimit = (row) => row.case.startsWith('limit');
const cpu = ['CPU s/GB', (row) => figure(row.cpu_s_per_GB, 2)];
const rate = ['MB/s', (row) => figure(row.MBps)];

const throughputColumns = [
  ['case', title],
  ['message', (row) => (isLimit(row) ? 'none' : sizeName(row.size))],
  rate,
  ['messages/s', (row) => figure(row.msgs_per_s)],
  cpu,
  ['allocations a packet', (row) => figure(row.allocations_per_packet, 4)],
];

const peerColumns = [
  ['case', title],
  ['round trip p50, us', (row) => figure(row.p50_us)],
  ['p99, us', (row) => figure(row.p99_us)],
  ['set-up CPU, ms', (row) => figure(row.setup_cpu_ms, 1)],
  ['set-up wall, ms', (row) => figure(row.setup_wall_ms, 1)],
  ['memory a peer, KB', (row) => figure(row.peer_KB)],
];

const otherColumns = [
  ['case', title],
  ['network', (row) => (row.kind === 'veth' ? 'two namespaces, veth' : 'loopback')],
  ['connections', (row) => String(row.connections ?? 1)],
  rate,
  cpu,
  ['allocations a packet', (row) => figure(row.allocations_per_packet, 4)],
];

/** [columns, rows] of each table that has rows. */
function tables(rows) {
  const all = summaries(rows).filter(({ bench }) => bench === 'native');
  const peers = new Map();
  for (const row of all.filter(({ kind }) => ['ping-pong', 'set-up', 'memory'].includes(kind)))
    peers.set(row.case, { ...peers.get(row.case), ...row });
  return [
    [throughputColumns, all.filter(({ kind }) => kind === 'throughput')],
    [peerColumns, [...peers.values()]],
    [otherColumns, all.filter(({ kind }) => kind === 'connections' || kind === 'veth')],
  ].filter(([, found]) => found.length > 0);
}

export function printTables(rows) {
  for (const [columns, found] of tables(rows)) console.log(`\n${textTable(columns, found).join('\n')}`);
}

export function fillDocuments({ machine, rows }) {
  insertIntoDocument('docs/performance.md', 'native', [
    provenance(machine, './bench native'), '',
    ...tables(rows).flatMap(([columns, found]) => [...markdownTable(columns, found), '']),
    '![Throughput of native peers by message size](plots/native.svg)',
  ]);
}

export function drawPlots({ rows }) {
  const throughput = summaries(rows).filter(({ bench, kind }) => bench === 'native' && kind === 'throughput');
  const all = throughput.filter((row) => !isLimit(row)).map((row) => ({ ...row, message: sizeName(row.size) }));
  const lined = all.filter((row) => all.filter((other) => other.case === row.case).length > 1);
  const names = [...new Set(lined.map((row) => row.case))];
  const sizes = [...new Set(lined.map(({ size }) => size))].sort((a, b) => a - b).map(sizeName);
  const key = names.map((name, index) => ({ name, color: palette[index + 1] }));
  const limits = throughput.filter(isLimit);
  drawPlot('docs/plots/native.svg', {
    title: 'Throughput of native peers by message size',
    height: 420,
    marginRight: 110,
    x: { domain: sizes, label: 'message size', type: 'point', padding: 0.2 },
    y: { label: 'MB/s', grid: true, type: 'log', domain: [0.5, 5_000], ticks: [1, 10, 100, 1_000], tickFormat: ',d' },
    color: { domain: names, range: key.map(({ color }) => color) },
    key,
    keyWidth: 118,
    plot: (Plot) => [
      Plot.ruleY(limits, { y: 'MBps', stroke: palette[0], strokeDasharray: '4 3' }),
      Plot.text(limits, { y: 'MBps', text: 'case', frameAnchor: 'right', textAnchor: 'start', dx: 6 }),
      Plot.line(lined, { x: 'message', y: 'MBps', stroke: 'case', strokeWidth: 1.5 }),
      Plot.dot(lined, { x: 'message', y: 'MBps', fill: 'case', r: 3 }),
    ],
  });
}
