// SPDX-License-Identifier: MIT
//
// check_format.mjs [--fix] [PATH...]   every C++ file, or those below the paths, as clang-format would write it
import { spawnSync } from 'node:child_process';
import { conclude, projectFiles, root } from './files.mjs';

const words = process.argv.slice(2);
const fix = words.includes('--fix');
const paths = words.filter((word) => word !== '--fix');
const chosen = (file) => paths.length === 0 || paths.some((path) => file.startsWith(path));
let passed = 0;
let failed = 0;
for (const file of projectFiles(/\.(h|cc|inc)$/).filter(chosen)) {
  const how = fix ? ['-i'] : ['--dry-run', '-Werror', '--ferror-limit=3'];
  const run = spawnSync('clang-format', [...how, file], { cwd: root, encoding: 'utf8' });
  if (run.error) throw run.error;
  if (run.status === 0) {
    passed += 1;
  } else {
    failed += 1;
    console.log(run.stderr);
  }
}
if (failed > 0) console.log('node tools/check_format.mjs --fix formats every file');
conclude(passed, failed);
