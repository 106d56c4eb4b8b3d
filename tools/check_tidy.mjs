// SPDX-License-Identifier: MIT
//
// check_tidy.mjs BUILD_DIR   clang-tidy over every source file that is compiled there, two at a time. A file found clean
// is not looked at again until it, a header, the rules or the compile command has changed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { conclude, projectFiles, root } from './files.mjs';

const buildDirectory = join(root, process.argv[2]);
const cleanDirectory = join(root, 'build/tidy');
mkdirSync(cleanDirectory, { recursive: true });

const common = createHash('sha256');
for (const path of ['.clang-tidy', ...projectFiles(/\.(h|inc)$/)]) common.update(path).update(readFileSync(join(root, path)));
const commonHash = common.digest('hex');

const commands = JSON.parse(readFileSync(join(buildDirectory, 'compile_commands.json'), 'utf8'))
  .filter(({ file }) => !relative(root, file).startsWith('build/'));
const files = [...new Map(commands.map((entry) => [entry.file, entry.command]))];

function tidy(file) {
  return new Promise((done) => {
    const child = spawn('clang-tidy-22', ['-p', buildDirectory, '--quiet', file], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => done({ clean: false, output: error.message }));
    child.on('close', (code) => done({ clean: code === 0, output }));
  });
}

let passed = 0;
let failed = 0;
const queue = [...files];
async function work() {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [file, command] = next;
    const hash = createHash('sha256').update(commonHash).update(command).update(readFileSync(file)).digest('hex');
    const stamp = join(cleanDirectory, hash);
    const { clean, output } = existsSync(stamp) ? { clean: true, output: '' } : await tidy(file);
    if (clean) {
      writeFileSync(stamp, '');
      passed += 1;
    } else {
      failed += 1;
      console.log(output);
    }
  }
}
await Promise.all([work(), work()]);
conclude(passed, failed);
