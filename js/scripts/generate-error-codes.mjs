// SPDX-License-Identifier: MIT
//
// generate-error-codes.mjs [--check]   writes js/src/error_codes.ts and docs/errors.md from include/wdc/error_codes.inc;
// with --check it only says whether they are current.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

const root = new URL('../../', import.meta.url);
const path = (name) => fileURLToPath(new URL(name, root));

/** The table, as [{number, name, sentence}]. */
export function readTable() {
  const source = readFileSync(path('include/wdc/error_codes.inc'), 'utf8');
  return [...source.matchAll(/^WDC_ERROR\((\d+), (\w+), "([^"]*)"\)$/gm)].map(([, number, name, sentence]) => ({
    number: Number(number), name, sentence,
  }));
}

function typescript(table) {
  const sentence = (text) => `'${text.replaceAll("'", "\\'")}'`;
  return `// SPDX-License-Identifier: MIT
// Made by scripts/generate-error-codes.mjs from include/wdc/error_codes.inc: change that one.

/** Every error code: its stable name, its number and what it says. */
export const errorCodes = {
${table.map(({ number, name, sentence: text }) => `  ${name}: { number: ${number}, sentence: ${sentence(text)} },`).join('\n')}
} as const;

/** The stable name of an error. */
export type ErrorCode = keyof typeof errorCodes;
`;
}

function markdown(table) {
  return `<!-- SPDX-License-Identifier: MIT -->
<!-- Made by js/scripts/generate-error-codes.mjs from include/wdc/error_codes.inc: change that one. -->
# Errors

The same codes in C++ (\`wdc::Errc\`, by name) and in JavaScript (\`WdcError.code\`, the name as a string; \`WdcError.number\`).
Names and numbers are stable: none is ever used for something else, new ones may be added. Where numbers belong to an
error, what was met is \`value\` and what is allowed is \`limit\`, in C++ as in JavaScript, and both are in its text.

| code | number | meaning |
|---|---|---|
${table.map(({ number, name, sentence }) => `| \`${name}\` | ${number} | ${sentence} |`).join('\n')}
`;
}

/** What the generated files should hold, by path. */
export function generate() {
  const table = readTable();
  return { 'js/src/error_codes.ts': typescript(table), 'docs/errors.md': markdown(table) };
}

/** The generated files that are not current. */
export function stale() {
  const current = (name) => {
    try {
      return readFileSync(path(name), 'utf8');
    } catch {
      return undefined;
    }
  };
  return Object.entries(generate()).filter(([name, text]) => current(name) !== text).map(([name]) => name);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    for (const name of stale()) console.log(`${name} is not current: run node js/scripts/generate-error-codes.mjs`);
    process.exitCode = stale().length > 0 ? 1 : 0;
  } else {
    for (const [name, text] of Object.entries(generate())) writeFileSync(path(name), text);
  }
}
