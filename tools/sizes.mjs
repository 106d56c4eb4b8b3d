// SPDX-License-Identifier: MIT
//
// What the entries of the npm package weigh after brotli 11, as docs/bundlers.md tells it.
//   sizes.mjs [--write] [FOLDER]   compares the page with the build in FOLDER (default js/dist), or puts its figures there
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { conclude, root } from './files.mjs';

const page = join(root, 'docs/bundlers.md');
const entries = {
  'webrtc-data-channel': ['index.js'],
  'webrtc-data-channel/framed': ['framed.js'],
  'webrtc-data-channel/external': ['external.js', 'webrtc_data_channel.wasm'],
  'webrtc-data-channel/host': ['host.js'],
};

// Compilers differ a little, and a page need not change with every line of code: readers want the magnitude.
const mayDiffer = (kilobytes) => 1 + 0.1 * kilobytes;

const rowOf = (entry) => new RegExp(`^(\\| \`${entry}\` \\|.*\\| )(.*)( \\|)$`, 'm');
const weights = (folder, entry) => entries[entry].map((name) => brotliCompressSync(readFileSync(join(folder, name))).length / 1000);

/** What the page says otherwise than the build in `folder`, a sentence each. */
export function differences(folder, text = readFileSync(page, 'utf8')) {
  return Object.keys(entries).flatMap((entry) => {
    const cell = rowOf(entry).exec(text)?.[2] ?? 'nothing';
    const told = [...cell.matchAll(/(\d+) KB/g)].map(([, number]) => Number(number));
    const found = weights(folder, entry);
    const agree = told.length === found.length && found.every((size, index) => Math.abs(size - told[index]) <= mayDiffer(size));
    return agree ? [] : [`docs/bundlers.md says ${cell} of ${entry}, which is ${found.join(' KB + ')} KB (tools/sizes.mjs --write)`];
  });
}

/** The page's text with the figures of the build in `folder`. */
export const rewritten = (folder, text = readFileSync(page, 'utf8')) => Object.keys(entries).reduce((changed, entry) => changed.replace(
  rowOf(entry), (_, before, cell, after) => `${before}${weights(folder, entry).map((size) => `${Math.round(size)} KB`).join(' + ')}${after}`), text);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values: options, positionals } = parseArgs({ options: { write: { type: 'boolean' } }, allowPositionals: true });
  const folder = positionals[0] ?? join(root, 'js/dist');
  if (options.write) {
    writeFileSync(page, rewritten(folder));
  } else {
    const wrong = differences(folder);
    for (const each of wrong) console.log(each);
    conclude(Object.keys(entries).length - wrong.length, wrong.length);
  }
}
