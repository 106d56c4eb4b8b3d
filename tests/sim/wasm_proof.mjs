// SPDX-License-Identifier: MIT
//
// wasm_proof.mjs BUILD_DIR SOURCE...   compiles the sans-IO rooms to WebAssembly and fails if together they need anything
// but the C++ runtime: a clock, a socket or random numbers would have to come from outside.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [directory, ...sources] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const root = join(dirname(new URL(import.meta.url).pathname), '../..');
const compiler = 'clang++-22';
const target = ['--target=wasm32-wasi', '-Wno-deprecated', '-O0', '-DNDEBUG', '-std=c++23', '-fno-exceptions', '-fno-rtti'];

const execute = (...words) =>
  new Promise((resolve, reject) => {
    const child = spawn(compiler, words, { cwd: root, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${compiler} ended with ${code}`))));
  });

const objects = [];
const queue = [...sources];
async function work() {
  for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
    const object = join(directory, `${source.replaceAll('/', '_')}.o`);
    objects.push(object);
    await execute(...target, `-I${root}`, '-c', source, '-o', object);
  }
}
await Promise.all([work(), work()]);

// Linked into one object that keeps its open ends: what is not here must come from the C++ runtime.
const module = join(directory, 'sans_io.o');
execFileSync('wasm-ld-22', ['-r', ...objects, '-o', module], { stdio: 'inherit' });
const listing = execFileSync('llvm-nm-22', ['--undefined-only', '--demangle', '--format=just-symbols', module], { encoding: 'utf8' });
const names = listing.split('\n').filter((name) => name !== '');
const runtime =
  /^(operator (new|delete)|std::\w+::(basic_string|to_string|__libcpp_verbose_abort)\b|__cxa_pure_virtual|__indirect_function_table|__stack_pointer|mem(chr|cpy|move|set|cmp)$|strlen$|__multi3$)/;
const refused = names.filter((name) => !runtime.test(name));
for (const name of refused) console.error(`the sans-IO rooms need ${name}`);
console.log(`${objects.length} sources, ${names.length} open ends, ${refused.length} refused`);
process.exit(refused.length === 0 && names.length > 0 ? 0 : 1);
