// SPDX-License-Identifier: MIT
//
// build.mjs   makes dist/: the bundles with their source maps, and the declarations. Needs the WebAssembly of the preset
// `wasm` (or of the build tree WDC_WASM_BUILD); fails if the default entry outgrows its budget.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';

const budget = 40 * 1024;  // bytes of dist/index.js in brotli 11: what a page loads
const js = fileURLToPath(new URL('..', import.meta.url));
const root = join(js, '..');
const modulePath = join(process.env.WDC_WASM_BUILD ?? join(root, 'build/wasm'), 'js/webrtc_data_channel.wasm');

if (!existsSync(modulePath)) {
  console.error(`${modulePath} is missing: cmake --preset wasm && cmake --build --preset wasm`);
  process.exit(1);
}
const module = readFileSync(modulePath);

rmSync(join(js, 'dist'), { recursive: true, force: true });
await build({
  absWorkingDir: js,
  entryPoints: ['src/index.ts', 'src/host.ts'],
  outdir: 'dist',
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
  define: { WDC_EMBEDDED_MODULE: JSON.stringify(module.toString('hex')) },
});

const tsc = spawnSync(join(root, 'node_modules/.bin/tsc'),
  ['-p', 'tsconfig.json', '--emitDeclarationOnly', '--declarationMap', 'false'], { cwd: js, stdio: 'inherit' });
if (tsc.status !== 0) process.exit(1);

const brotli = (bytes) => brotliCompressSync(bytes, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
}).length;
const entry = readFileSync(join(js, 'dist/index.js'));
const size = brotli(entry);
console.log(`module ${module.length} bytes, ${brotli(module)} in brotli; dist/index.js ${entry.length} bytes, ${size} in brotli`
  + ` (budget ${budget})`);
if (size > budget) {
  console.error(`dist/index.js is ${size - budget} bytes over its budget`);
  process.exitCode = 1;
}
