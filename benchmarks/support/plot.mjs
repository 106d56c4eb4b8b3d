// SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { root } from '../../tools/files.mjs';

// An SVG shown as an image has no page to take its colours from.
const look = `svg { background: #fff; color: #222; --plot-background: #fff; }
@media (prefers-color-scheme: dark) { svg { background: #0d1117; color: #d8dee6; --plot-background: #0d1117; } }`;

/** Readable on light and dark, and apart for people who see few colours. */
export const palette = ['#8a8f98', '#2f81f7', '#e36209', '#1a9e77', '#b65fcf', '#c9a227', '#d6336c'];

const width = 760;

/**
 * Draws an SVG into the documents. `plot` is given Observable Plot and gives the marks; `key` names the colours, [{ name,
 * color }], above them, `keyWidth` apart, in lines of `keysPerLine`; the rest are Plot's own options.
 */
export function drawPlot(path, { title, key = [], keyWidth = 90, keysPerLine = key.length, plot, ...options }) {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    document, width, marginLeft: 56, marginTop: 52, marginBottom: 44, style: { fontSize: '12px' }, ...options, marks: plot(Plot),
  });
  const element = (name, attributes, text = '') => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    made.textContent = text;
    svg.append(made);
  };
  element('style', {}, look);
  key.forEach(({ name, color }, index) => {
    const x = width - (keysPerLine - (index % keysPerLine)) * keyWidth; // on the right: Plot's axis label is on the left
    const y = 10 + 17 * Math.floor(index / keysPerLine);
    element('circle', { cx: x, cy: y, r: 4, fill: color });
    element('text', { x: x + 9, y: y + 4, fill: 'currentColor', 'text-anchor': 'start' }, name);
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', title);
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `<!-- SPDX-License-Identifier: MIT -->\n${svg.outerHTML}\n`);
  console.error(`bench: ${path}`);
}
