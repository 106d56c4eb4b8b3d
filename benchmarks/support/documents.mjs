// SPDX-License-Identifier: MIT
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../tools/files.mjs';

/** The text with what stands between `<!-- bench: NAME -->` and `<!-- /bench -->` replaced. Throws if there is no such place. */
export function insertBetweenMarks(text, name, lines) {
  const opening = `<!-- bench: ${name} -->`;
  const closing = '<!-- /bench -->';
  const start = text.indexOf(opening);
  const end = text.indexOf(closing, start);
  if (start < 0 || end < 0) throw new Error(`no place ${opening} ... ${closing}`);
  const content = lines.length > 0 ? `${lines.join('\n')}\n` : '';
  return `${text.slice(0, start + opening.length)}\n${content}${text.slice(end)}`;
}

/** Puts lines of Markdown into a document at its mark: no figure in the documents is typed by hand. */
export function insertIntoDocument(path, name, lines) {
  const file = join(root, path);
  writeFileSync(file, insertBetweenMarks(readFileSync(file, 'utf8'), name, lines));
  console.error(`bench: ${path}: ${name}`);
}

/** One line on where figures come from. */
export const provenance = (machine, command) =>
  `Measured with \`${command}\` on ${machine.date.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, ${machine.system}`
  + `${machine.browsers ? `, ${machine.browsers}` : ''}; commit ${machine.commit}.`;
