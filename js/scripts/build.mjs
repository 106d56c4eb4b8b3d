// SPDX-License-Identifier: MIT
//
// build.mjs [--budget BYTES] [--outdir FOLDER]   makes dist/: the bundles with their source maps, the WebAssembly, and the
// declarations. Needs the WebAssembly of the preset `wasm` (or of the build tree WDC_WASM_BUILD). Prints what each file weighs;
// fails if the default entry, compressed by brotli 11, is larger than its budget (default 40 KiB).
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const js = fileURLToPath(new URL('..', import.meta.url));
const root = join(js, '..');
const { values: options } = parseArgs({
  options: { budget: { type: 'string', default: '40960' }, outdir: { type: 'string', default: join(js, 'dist') } },
});
const budget = Number(options.budget);
const dist = resolve(options.outdir);
// Beside it, for the source maps' paths, and in its place only once it is whole: who reads dist/ meanwhile finds all of it.
const fresh = `${dist}.${process.pid}`;
process.on('exit', () => rmSync(fresh, { recursive: true, force: true }));
const modulePath = join(process.env.WDC_WASM_BUILD ?? join(root, 'build/wasm'), 'js/webrtc_data_channel.wasm');
const plainModulePath = modulePath.replace(/\.wasm$/, '_plain.wasm'); // without framed mode

for (const path of [modulePath, plainModulePath]) {
  if (existsSync(path)) continue;
  console.error(`${path} is missing: cmake --preset wasm && cmake --build --preset wasm`);
  process.exit(1);
}
const embed = (path) => JSON.stringify(readFileSync(path).toString('hex'));

// Each entry is one file, so that a page without a bundler loads one, and none depends on what bundlers keep of another.
const bundle = (entries, embedded, framed = true) => build({
  absWorkingDir: js,
  entryPoints: entries.map((name) => `src/${name}.ts`),
  outdir: fresh,
  bundle: true,
  format: 'esm',
  target: ['es2022'],
  minify: true,
  // Error texts and stack traces name our classes.
  keepNames: false,
  sourcemap: true,
  sourcesContent: true,
  legalComments: 'none',
  banner: { js: '// SPDX-License-Identifier: MIT' },
  define: { WDC_EMBEDDED_MODULE: embedded, WDC_FRAMED_MODE: String(framed) },
});

await bundle(['index'], embed(plainModulePath), false);
await bundle(['framed'], embed(modulePath));
await bundle(['external', 'host'], 'undefined');
copyFileSync(modulePath, join(fresh, 'webrtc_data_channel.wasm'));
chmodSync(join(fresh, 'webrtc_data_channel.wasm'), 0o644);

const tsc = spawnSync(process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', js, '--emitDeclarationOnly', '--declarationMap', 'false',
    '--outDir', fresh],
  { stdio: 'inherit' });
if (tsc.status !== 0) process.exit(1);

rmSync(dist, { recursive: true, force: true });
renameSync(fresh, dist);

const brotli = (bytes) => brotliCompressSync(bytes, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
}).length;
const row = (...cells) => console.log(cells.map((cell, index) => (index === 0 ? cell.padEnd(32) : String(cell).padStart(9))).join(''));
row('', 'bytes', 'gzip', 'brotli');
for (const name of ['index.js', 'framed.js', 'external.js', 'webrtc_data_channel.wasm', 'host.js']) {
  const bytes = readFileSync(join(dist, name));
  const size = brotli(bytes);
  row(`dist/${name}`, bytes.length, gzipSync(bytes, { level: 9 }).length, size);
  if (name === 'index.js' && size > budget) {
    console.error(`dist/index.js is ${size - budget} bytes over its budget of ${budget} in brotli`);
    process.exitCode = 1;
  }
}
