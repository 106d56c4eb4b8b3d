// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { root } from '../../tools/files.mjs';

function output(command, ...words) {
  try {
    return execFileSync(command, words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

function distribution() {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** Where and on what was measured: the `machine` of every benchmark's JSON. */
export const describeMachine = () => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memory_gib: Math.round(totalmem() / 2 ** 30),
  system: distribution(),
  kernel: release(),
  node: process.version,
  date: new Date().toISOString(),
  load_at_start: Math.round(loadavg()[0] * 100) / 100,
  commit: output('git', 'rev-parse', '--short', 'HEAD'),
  changed_files: output('git', 'status', '--porcelain', '--untracked-files=no')?.split('\n').filter(Boolean).length,
});
