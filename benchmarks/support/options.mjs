// SPDX-License-Identifier: MIT
import { parseArgs } from 'node:util';

/** Parses the command line or ends the program with the usage. */
export function parseOptions(usage, options) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', default: false } } });
    if (!values.help) return values;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    return fail(`${error.message}\n${usage}`);
  }
}

export function fail(text) {
  console.error(text);
  process.exit(2);
}

/** The given ones, or the default; ends the program at one that there is not. */
export function choose(what, given, possible, byDefault = possible) {
  for (const each of given ?? []) {
    if (!possible.includes(each)) fail(`no ${what} ${each}; there are ${possible.join(', ')}`);
  }
  return given ?? byDefault;
}

/** '64', '16k', '1m' in bytes. */
export function parseSize(text) {
  const match = /^(\d+)([km]?)$/i.exec(text);
  if (!match || Number(match[1]) === 0) fail(`no size: ${text}`);
  return Number(match[1]) * { '': 1, k: 1024, m: 2 ** 20 }[match[2].toLowerCase()];
}

/** A positive number. */
export function parseNumber(name, text) {
  const value = Number(text);
  if (!(value > 0)) fail(`no --${name}: ${text}`);
  return value;
}
