// SPDX-License-Identifier: MIT
//
// Behind ./run: builds server, module and page, then serves the page, or sends a file between two headless pages.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './files.mjs';
import { startServer } from './server.mjs';

const usage = `usage: ./run [--port N]                                     serves the page until Ctrl-C
       ./run --headless FILE [--browser chromium|firefox]   sends FILE between two headless pages
                             [--from native | --to native]  or between one and the command wdc`;

function fail(text) {
  console.error(text);
  process.exit(1);
}

function parse() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string', default: '8080' },
        headless: { type: 'string' },
        browser: { type: 'string', default: 'chromium' },
        from: { type: 'string', default: 'page' },
        to: { type: 'string', default: 'page' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail(`${error.message}\n${usage}`);
  }
}

const options = parse();
if (options.help) {
  console.log(usage);
  process.exit(0);
}
const wantedPort = Number(options.port);
if (!Number.isInteger(wantedPort) || wantedPort < 0 || wantedPort > 65535) fail(`no port: ${options.port}\n${usage}`);
if (!['chromium', 'firefox'].includes(options.browser)) fail(`no browser: ${options.browser}\n${usage}`);
const ends = [options.from, options.to];
for (const end of ends) if (!['page', 'native'].includes(end)) fail(`no end of a transfer: ${end}\n${usage}`);
if (ends.every((end) => end === 'native')) fail(`one end is a page: for two commands, see docs/command.md\n${usage}`);
const isNative = ends.includes('native');
if (isNative && options.headless === undefined) fail(`--from and --to belong to --headless\n${usage}`);
if (options.headless !== undefined && !statSync(options.headless, { throwIfNoEntry: false })?.isFile()) {
  fail(`no file: ${options.headless}`);
}

// What stops everything; set once there is something to stop.
let stop = () => process.exit(130);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop());

// Standard output stays free for the JSON line: what builds print is shown only where it fails.
async function build(...words) {
  const child = spawn(words[0], words.slice(1), { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
  const [code, signal] = await once(child, 'close');
  if (code !== 0) fail(`${Buffer.concat(output)}\n${words.join(' ')} ended with ${code ?? signal}`);
}

// From the wanted port upwards, the first that nobody listens on.
async function freePort(from) {
  for (let port = from; port < Math.min(from + 100, 65536); port += 1) {
    const probe = createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
  return fail(`no free port from ${from} on`);
}

console.error(`run: building the server${isNative ? ' and the command' : ''}`);
await build('cmake', '--preset', 'native');
await build('cmake', '--build', '--preset', 'native', '--target', 'wdc_server', ...(isNative ? ['wdc_command'] : []));
console.error('run: building the WebAssembly module and the page');
await build('cmake', '--preset', 'wasm');
await build('cmake', '--build', '--preset', 'wasm');
await build('npm', 'run', 'build');

if (options.headless === undefined) {
  const server = await startServer({
    port: wantedPort === 0 ? 0 : await freePort(wantedPort),
    directory: join(root, 'build/web'),
  });
  let stopping = false;
  stop = () => {
    stopping = true;
    void server.stop();
  };
  console.log(`${server.url}\nOpen it twice, or send it to a friend on this machine. Ctrl-C ends it.`);
  const how = await server.exited;
  if (!stopping || how !== 0) fail(`the server ended with ${how}`);
} else {
  const { sendFile } = await import('./send_file.mjs');
  const abort = new AbortController();
  stop = () => abort.abort(new Error('interrupted'));
  try {
    const result = await sendFile(options.headless, options.browser, abort.signal, { from: options.from, to: options.to });
    console.log(JSON.stringify(result));
    process.exitCode = result.sha256_match ? 0 : 1;
  } catch (error) {
    fail(`run: ${error.message}`);
  }
}
