// SPDX-License-Identifier: MIT
//
// Builds the page to build/web: what a static server needs, nothing inline. The module comes from `cmake --build --preset wasm`.
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = resolve(fileURLToPath(new URL('.', import.meta.url)));
const root = resolve(here, '../..');
const out = process.env.WDC_WEB_OUT ?? join(root, 'build/web');
const module = process.env.WDC_WEB_MODULE ?? join(root, 'build/wasm/apps/web/app.wasm');

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const common = { bundle: true, minify: true, sourcemap: true, legalComments: 'none', logLevel: 'warning' };
await Promise.all([
  build({
    ...common, entryPoints: [join(here, 'src/main.ts')], outfile: join(out, 'app.js'), format: 'esm', target: 'es2022',
  }),
  build({ ...common, entryPoints: [join(here, 'style.css')], outfile: join(out, 'app.css') }),
  copyFile(join(here, 'index.html'), join(out, 'index.html')),
  copyFile(join(here, 'icon.svg'), join(out, 'icon.svg')),
  copyFile(module, join(out, 'app.wasm')),
]);
