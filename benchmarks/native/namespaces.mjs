// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';

const ip = (...words) => execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });

/**
 * Calls `work` with the names of two network namespaces that a veth pair joins, and removes them afterwards. Without the
 * right to make them it says so, and calls `work` with nothing.
 */
export function withNamespaces(work) {
  const names = ['a', 'b'].map((end) => `wdc-bench-${process.pid}-${end}`);
  const made = [];
  const remove = () => { for (const name of made.splice(0)) ip('netns', 'delete', name); };
  process.once('exit', remove);
  try {
    let why;
    try {
      for (const name of names) {
        ip('netns', 'add', name);
        made.push(name);
      }
      ip('-n', names[0], 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth0', 'netns', names[1]);
      names.forEach((name, index) => {
        ip('-n', name, 'address', 'add', `10.0.0.${index + 1}/24`, 'dev', 'veth0');
        ip('-n', name, 'link', 'set', 'veth0', 'up');
      });
    } catch (error) {
      why = String(error.stderr ?? error.message).trim();
    }
    if (why !== undefined) console.error(`bench: no network namespaces, so nothing between two of them: ${why}`);
    work(why === undefined ? names : undefined);
  } finally {
    process.off('exit', remove);
    remove();
  }
}
