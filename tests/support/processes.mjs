// SPDX-License-Identifier: MIT
import { readdir, readFile } from 'node:fs/promises';

/** The fields of a stat file of /proc that come after the name, the state first; none: it has ended. */
const statOf = (path) => readFile(`${path}/stat`, 'utf8').then(
  (stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' '), () => []);

/** The processes below `pid` whose command line matches, itself among them. */
export async function processesBelow(pid, pattern) {
  const children = new Map();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = Number((await statOf(`/proc/${entry}`))[1]); // NaN: it has ended meanwhile
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const found = [];
  const visit = async (process) => {
    const command = await readFile(`/proc/${process}/cmdline`, 'utf8').catch(() => '');
    if (pattern.test(command.replaceAll('\0', ' '))) found.push(process);
    for (const child of children.get(process) ?? []) await visit(child);
  };
  await visit(pid);
  return found;
}

/** What has ended meanwhile, as a browser's helpers do at any time, is past all signals. */
export function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

const isStopped = async (pid) => {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const states = await Promise.all(threads.map((thread) => statOf(`/proc/${pid}/task/${thread}`)));
  return states.every(([state]) => state === undefined || 'TtZX'.includes(state));
};

/** Resolves when no thread of them runs any more: after SIGSTOP those go on until one of them has taken the signal. */
export async function stopProcesses(pids) {
  for (const pid of pids) signal(pid, 'SIGSTOP');
  const deadline = Date.now() + 10_000;
  for (const pid of pids) {
    while (!await isStopped(pid)) {
      if (Date.now() > deadline) throw new Error(`process ${pid} does not stop`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
