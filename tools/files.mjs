// SPDX-License-Identifier: MIT
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const skipped = new Set(['build', 'node_modules', 'dist', '.git']);

// The project's own files whose path the expression matches, as paths from the root.
export function projectFiles(expression, folder = '') {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : projectFiles(expression, path);
    return expression.test(path) ? [path] : [];
  }).sort();
}

// Prints the closing line that ./test reads, and sets the exit status to match.
export function conclude(passed, failed) {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
