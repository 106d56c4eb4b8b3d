// SPDX-License-Identifier: MIT
//
// The built signaling server as a child process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './files.mjs';

// Starts the server on loopback; port 0 is any free one. Resolves once it listens, to {url, stop, exited}: exited
// resolves to what it ended with, stop() ends it and resolves when it has.
export async function startServer({ port = 0, directory = join(root, 'build/web'), preset = 'native', options = [] } = {}) {
  const binary = join(root, 'build', preset, 'apps/server/wdc_server');
  const child = spawn(binary, ['--port', String(port), '--root', directory, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit').then(([code, signal]) => code ?? signal);
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    once(lines, 'line').then(([line]) => line),
    exited.then((how) => Promise.reject(new Error(`the server ended with ${how} before it listened`))),
  ]);
  const url = /^listening on (http:\/\/\S+)$/.exec(first)?.[1];
  if (url === undefined) {
    child.kill();
    throw new Error(`the server's first line is not its address: ${first}`);
  }
  const stop = async () => {
    child.kill('SIGTERM');
    return exited;
  };
  return { url, stop, exited };
}
