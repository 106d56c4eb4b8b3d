// SPDX-License-Identifier: MIT
//
// How often the package calls its WebAssembly, which tells whether messages really go past it. To be imported before the first channel
// is made.

const calls = new Map<string, number>();
const Original = WebAssembly.Instance;

function counted(exports: WebAssembly.Exports): WebAssembly.Exports {
  return Object.fromEntries(Object.entries(exports).map(([name, value]: [string, unknown]) => {
    if (typeof value !== 'function') return [name, value];
    const call = value as (...values: unknown[]) => unknown;
    return [name, (...values: unknown[]) => {
      calls.set(name, callsOf(name) + 1);
      return call(...values);
    }];
  })) as WebAssembly.Exports;
}

WebAssembly.Instance = function instance(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
  return { exports: counted(new Original(module, imports).exports) };
} as unknown as typeof WebAssembly.Instance;

/** Calls so far of the export `name`, of all instances of this page. */
export function callsOf(name: string): number {
  return calls.get(name) ?? 0;
}
