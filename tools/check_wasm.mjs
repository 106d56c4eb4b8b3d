// SPDX-License-Identifier: MIT
//
// check_wasm.mjs DIR...   every .wasm below: valid, and without a clock, socket, file or random number of the system's
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { conclude } from './files.mjs';

// What libc++ and wasi-libc pull in for an abort's message and for ending; all of it harmless without an answer.
const allowed = new Set(['fd_close', 'fd_fdstat_get', 'fd_seek', 'fd_write', 'proc_exit']);

const modulesBelow = (directory) => readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
  const path = join(directory, entry.name);
  if (entry.isDirectory()) return modulesBelow(path);
  return entry.name.endsWith('.wasm') ? [path] : [];
});

let passed = 0;
let failed = 0;
for (const path of process.argv.slice(2).flatMap(modulesBelow)) {
  const bytes = readFileSync(path);
  let wrong;
  try {
    wrong = WebAssembly.Module.imports(new WebAssembly.Module(bytes))
      .filter(({ module, name }) => module.startsWith('wasi') && !allowed.has(name))
      .map(({ module, name }) => `imports ${module}.${name}`);
  } catch (error) {
    wrong = [error.message];
  }
  console.log(`${path}: ${statSync(path).size} bytes, ${brotliCompressSync(bytes).length} in brotli ${wrong.join(', ')}`);
  if (wrong.length > 0) failed += 1;
  else passed += 1;
}
conclude(passed, failed);
