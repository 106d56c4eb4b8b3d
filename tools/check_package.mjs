// SPDX-License-Identifier: MIT
//
// The npm package as it would be published: publint, attw, what it holds, what it depends on; and the lock file.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { conclude, root } from './files.mjs';

const read = (path) => readFileSync(join(root, path), 'utf8');
const run = (words) => {
  const { status, stdout, stderr } = spawnSync(words[0], words.slice(1), { cwd: root, encoding: 'utf8' });
  return status === 0 ? '' : `${words.join(' ')} ended with ${status}\n${stdout}${stderr}`;
};

const leaves = (value) => (typeof value === 'string' ? [value] : Object.values(value).flatMap(leaves));

const checks = {
  'publint finds nothing': () => run(['node_modules/.bin/publint', 'js', '--strict']),
  'attw finds nothing': () => {
    // WebAssembly has no types.
    const wrong = run(['node_modules/.bin/attw', '--pack', 'js', '--profile', 'esm-only',
      '--exclude-entrypoints', 'webrtc_data_channel.wasm']);
    // It leaves what it packed where it finds something.
    for (const name of readdirSync(join(root, 'js'))) if (name.endsWith('.tgz')) rmSync(join(root, 'js', name));
    return wrong;
  },
  'the package has no runtime dependency': () => {
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(read('js/package.json'));
    return Object.keys({ ...dependencies, ...peerDependencies }).join(', ');
  },
  'every export is a file of the package': () => {
    const { exports, files } = JSON.parse(read('js/package.json'));
    return leaves(exports)
      .filter((path) => !path.includes('*') && path !== './package.json')
      .filter((path) => !existsSync(join(root, 'js', path)) || !files.includes(path.split('/')[1]))
      .join(', ');
  },
  'the lock file names no download address': () => (/"resolved": "[a-z+]+:/.test(read('package-lock.json')) ? 'it does' : ''),
};

let passed = 0;
let failed = 0;
for (const [what, check] of Object.entries(checks)) {
  const wrong = check();
  console.log(`${wrong ? 'not ok' : 'ok'}: ${what}${wrong ? `: ${wrong}` : ''}`);
  if (wrong) failed += 1;
  else passed += 1;
}
conclude(passed, failed);
