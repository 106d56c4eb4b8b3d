// SPDX-License-Identifier: MIT
//
// What says why a step failed, out of its log.

const most = 200; // lines

/** The blocks of `node --test --test-reporter=tap` for what failed, but not for what only holds what failed. */
function failedInTap(lines) {
  const found = [];
  for (const [begin, line] of lines.entries()) {
    const indent = /^( *)not ok /.exec(line)?.[1];
    if (indent === undefined) continue;
    const end = lines.indexOf(`${indent}  ...`, begin);
    const block = lines.slice(begin, end < 0 ? begin + 1 : end + 1);
    if (!block.includes(`${indent}  failureType: 'subtestsFailed'`)) found.push(...block);
  }
  return found;
}

/** What each program that failed printed, also as it crashed, without the tests that passed. */
function failedInGtest(lines) {
  const found = [];
  let inside = false;
  let test = -1; // where the present one begins in `found`
  for (const line of lines) {
    if (/: \d+ passed, [1-9]\d* failed/.test(line)) inside = true;
    if (!inside) continue;
    found.push(line);
    if (line.startsWith('[ RUN      ] ')) test = found.length - 1;
    if (line.startsWith('[       OK ] ') && test >= 0) found.length = test;
    if (/^\S+ ended with /.test(line)) inside = false;
  }
  return found;
}

/** What failed, or where nothing is recognised, the log's last lines. The log itself has everything. */
export function excerpt(log) {
  const lines = log.trimEnd().split('\n');
  const found = [failedInTap(lines), failedInGtest(lines)].find((list) => list.length > 0) ?? lines;
  const left = found.length - most;
  return [...(left > 0 ? [`[${left} lines before]`] : []), ...found.slice(-most)].join('\n');
}
