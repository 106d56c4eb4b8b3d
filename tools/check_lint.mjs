// SPDX-License-Identifier: MIT
//
// eslint over every script (a file is a test, warnings fail) and tsc over every tsconfig.json (a project is a test).
import { spawnSync } from 'node:child_process';
import { conclude, projectFiles, root } from './files.mjs';

const run = (command, ...words) =>
  spawnSync(`node_modules/.bin/${command}`, words, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

let passed = 0;
let failed = 0;

const eslint = run('eslint', '--format', 'json', '.');
if (eslint.status === null || eslint.status > 1) {
  failed += 1;
  console.log(eslint.stderr);
} else {
  for (const { filePath, messages } of JSON.parse(eslint.stdout)) {
    for (const { line, column, message, ruleId } of messages) {
      console.log(`${filePath.slice(root.length + 1)}:${line}:${column}: ${message} (${ruleId})`);
    }
    if (messages.length > 0) failed += 1;
    else passed += 1;
  }
}

for (const project of projectFiles(/(^|\/)tsconfig\.json$/)) {
  // Not .bin/tsc: other versions are installed beside it.
  const tsc = run('../typescript/bin/tsc', '--noEmit', '-p', project);
  if (tsc.status === 0) {
    passed += 1;
  } else {
    failed += 1;
    console.log(`tsc -p ${project}\n${tsc.stdout}${tsc.stderr}`);
  }
}
conclude(passed, failed);
