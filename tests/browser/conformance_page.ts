// SPDX-License-Identifier: MIT
//
// Loads conformance.wasm and lets the test run one case at a time. Looks at what a case leaves behind.
import { createHost, type HostCounts } from '../../js/src/host.js';

interface Exports extends WebAssembly.Exports {
  memory: WebAssembly.Memory;
  conformance_argument: (size: number) => number;
  conformance_count: () => number;
  conformance_list: (index: number) => void;
  conformance_start: (index: number) => void;
  conformance_finish: () => void;
  conformance_answer: () => void;
  conformance_meetings: () => number;
  conformance_live_allocations: () => number;
}

export interface CaseResult {
  passed: boolean;
  milliseconds: number;
  detail: string;
  counts: HostCounts;
  allocations: number;
  memory: number;
  meetings: number;
}

declare global {
  /** Puppeteer puts it there. */
  function carryOut(what: string): Promise<void>;
  var conformance: {
    list: () => { name: string; stress: boolean }[];
    run: (index: number, prefix: string, framed: boolean) => Promise<CaseResult>;
    meetings: () => number;
  };
}

let onLine: (line: string) => void = () => undefined;
const host = createHost();
const text = (pointer: number, size: number) =>
  new TextDecoder().decode(new Uint8Array(exports.memory.buffer, pointer, size));
const imports = {
  line: (pointer: number, size: number) => onLine(text(pointer, size)),
  request: (pointer: number, size: number) => {
    carryOut(text(pointer, size)).then(
      () => host.call(() => exports.conformance_answer()),
      (error: unknown) => console.error(error),
    );
  },
};

const { instance } = await WebAssembly.instantiateStreaming(fetch('conformance.wasm'), { ...host.imports, conformance: imports });
const exports = instance.exports as Exports;
host.bind(instance);

function list(): { name: string; stress: boolean }[] {
  const found: { name: string; stress: boolean }[] = [];
  onLine = (line) => {
    const [, stress = '', name = ''] = line.split('\t');
    found.push({ name, stress: stress === '1' });
  };
  host.call(() => {
    for (let index = 0; index < exports.conformance_count(); index += 1) exports.conformance_list(index);
  });
  return found;
}

const meetings = () => host.call(() => exports.conformance_meetings());
const isNothing = (counts: HostCounts) => Object.values(counts).every((count) => count === 0);
const nextTask = () => new Promise((resolve) => setTimeout(resolve, 1));

/** Runs one case; then waits, 3 seconds at most, for everything it had to be given back. */
async function run(index: number, prefix: string, framed: boolean): Promise<CaseResult> {
  const line = await new Promise<string>((resolve, reject) => {
    onLine = resolve;
    host.onDead(reject);
    const argument = new TextEncoder().encode(`ws://${location.host}/ws\n${prefix}${framed ? '\nframed' : ''}`);
    host.call(() => {
      const pointer = exports.conformance_argument(argument.length);
      new Uint8Array(exports.memory.buffer, pointer, argument.length).set(argument);
      exports.conformance_start(index);
    });
  });
  await nextTask(); // the line is written from inside the case
  host.call(() => exports.conformance_finish());
  const deadline = performance.now() + 3_000;
  while (!isNothing(host.counts()) && performance.now() < deadline) await nextTask();
  const [, outcome, milliseconds, , detail = ''] = line.split('\t');
  return {
    passed: outcome === 'passed',
    milliseconds: Number(milliseconds),
    detail,
    counts: host.counts(),
    allocations: host.call(() => exports.conformance_live_allocations()),
    memory: exports.memory.buffer.byteLength,
    meetings: meetings(),
  };
}


globalThis.conformance = { list, run, meetings };
