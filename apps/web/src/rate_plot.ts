// SPDX-License-Identifier: MIT
import { formatDuration, formatRate } from './format.js';
import type { RateMeter } from './rate_meter.js';

const svgNamespace = 'http://www.w3.org/2000/svg';
const width = 600;
const height = 96;
const top = 8; // room for the line's own width above its peak

function svgElement<K extends keyof SVGElementTagNameMap>(name: K, className: string): SVGElementTagNameMap[K] {
  const element = document.createElementNS(svgNamespace, name);
  element.setAttribute('class', className);
  return element;
}

/** A round number that is not below `value`. */
export function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return power * ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10);
}

/** The rate over time: an area with a line, the average as a dashed one. The numbers beside it say the same in text. */
export class RatePlot {
  readonly element = document.createElement('figure');
  readonly #area = svgElement('path', 'plot-area');
  readonly #line = svgElement('path', 'plot-line');
  readonly #average = svgElement('path', 'plot-average');
  readonly #scale = document.createElement('span');
  readonly #time = document.createElement('span');

  constructor() {
    this.element.className = 'plot';
    this.element.setAttribute('aria-hidden', 'true');
    const svg = svgElement('svg', 'plot-canvas');
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    const grid = svgElement('path', 'plot-grid');
    grid.setAttribute('d', [0, 1, 2].map((line) => `M0 ${top + ((height - top) / 2) * line}H${width}`).join(''));
    svg.append(grid, this.#area, this.#average, this.#line);
    this.#scale.className = 'plot-scale';
    this.#time.className = 'plot-time';
    this.element.append(this.#scale, svg, this.#time);
  }

  draw(meter: RateMeter): void {
    const points = meter.points();
    if (points.length === 0) return;
    const end = Math.max(points.at(-1)?.time ?? 0, 0.001);
    const scale = niceCeiling(Math.max(...points.map((point) => point.rate)) * 1.05);
    const x = (time: number): string => ((time / end) * width).toFixed(1);
    const y = (rate: number): string => (height - (rate / scale) * (height - top)).toFixed(1);
    const first = points[0]?.rate ?? 0;
    const line = `M0 ${y(first)}${points.map((point) => `L${x(point.time)} ${y(point.rate)}`).join('')}`;
    this.#line.setAttribute('d', line);
    this.#area.setAttribute('d', `${line}V${height}H0Z`);
    this.#average.setAttribute('d', `M0 ${y(meter.average)}H${width}`);
    this.#scale.textContent = formatRate(scale);
    this.#time.textContent = formatDuration(end);
  }
}
