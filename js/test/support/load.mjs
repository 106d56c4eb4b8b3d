// SPDX-License-Identifier: MIT
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Imports one module of src/, for what the package does not export; afresh for every `copy`. */
export async function load(name, copy = '') {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../../src/${name}`, import.meta.url))],
    bundle: true, format: 'esm', write: false, logLevel: 'silent', footer: { js: `// ${copy}` },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
