// SPDX-License-Identifier: MIT
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Writes {"machine":{...},"rows":[...]}, one row a line. */
export function writeReport(file, { machine, rows }) {
  const lines = rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n');
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, `{"machine":${JSON.stringify(machine)},\n"rows":[\n${lines}\n]}\n`);
}

export const readReport = (file) => JSON.parse(readFileSync(resolve(file), 'utf8'));

/** The rows that sum up; a row with `run` is one measurement. */
export const summaries = (rows) => rows.filter((row) => row.run === undefined);

/** Four significant digits: more says nothing, and fewer would hide what bounds compare. */
export const rounded = (value) => (Number.isFinite(value) ? Number(value.toPrecision(4)) : null);

export function sizeName(bytes) {
  if (bytes >= 2 ** 20) return `${bytes / 2 ** 20} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

/** A browser's name for people. */
export const browserTitle = (name) => name.charAt(0).toUpperCase() + name.slice(1);

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A figure for people. */
export function figure(value, digits) {
  if (value === null || value === undefined) return '';
  return digits === undefined ? grouped.format(value) : value.toFixed(digits);
}

/** Columns: [heading, row => text]. Gives lines for a terminal: texts to the left, figures to the right. */
export function textTable(columns, rows) {
  const cells = [columns.map(([heading]) => heading), ...rows.map((row) => columns.map(([, cell]) => String(cell(row))))];
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  const isText = columns.map((_, column) => cells.slice(1).some((line) => /^[a-z]/i.test(line[column])));
  return cells.map((line) =>
    line.map((cell, column) => (isText[column] ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ').trimEnd(),
  );
}

/** The same as Markdown. */
export function markdownTable(columns, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(([heading]) => heading)),
    line(columns.map((_, column) => (column === 0 ? '---' : '---:'))),
    ...rows.map((row) => line(columns.map(([, cell]) => String(cell(row))))),
  ];
}

/** Shows how far it is on standard error: one line that is written over on a terminal, else nothing but the steps. */
export class Progress {
  #width = 0;

  step(text) {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r${text.padEnd(this.#width)}`);
      this.#width = text.length;
    } else {
      process.stderr.write(`${text}\n`);
    }
  }

  end() {
    if (process.stderr.isTTY && this.#width > 0) process.stderr.write(`\r${' '.repeat(this.#width)}\r`);
    this.#width = 0;
  }
}
