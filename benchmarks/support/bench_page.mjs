// SPDX-License-Identifier: MIT
//
// Builds what a browser benchmark needs and drives its page.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser, newWindow } from '../../tools/browser.mjs';
import { projectFiles, root } from '../../tools/files.mjs';
import { bundle, serve } from '../../tests/browser/support/browser.mjs';

const wasmBuild = process.env.WDC_WASM_BUILD ?? join(root, 'build/wasm');

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

async function run(...words) {
  const child = spawn(words[0], words.slice(1), { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
  const [code, signal] = await once(child, 'close');
  if (code !== 0) throw new Error(`${Buffer.concat(output)}\n${words.join(' ')} ended with ${code ?? signal}`);
}

const changedAt = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

// Bundling and type checking take as long as several runs.
function isPackageBuilt() {
  const built = changedAt(join(root, 'js/dist/host.js'));
  const sources = ['js/src', 'js/scripts'].flatMap((folder) => projectFiles(/./, folder)).map((path) => join(root, path));
  const modules = ['webrtc_data_channel', 'webrtc_data_channel_plain'].map((name) => join(wasmBuild, `js/${name}.wasm`));
  return [...sources, ...modules].every((path) => changedAt(path) < built);
}

/** Builds modules and package, unless WDC_WASM_BUILD names a tree that somebody else keeps up to date. */
export async function buildForBrowser() {
  if (process.env.WDC_WASM_BUILD !== undefined) return;
  console.error('bench: building');
  if (!existsSync(join(wasmBuild, 'build.ninja'))) await run('cmake', '--preset', 'wasm');
  await run('cmake', '--build', '--preset', 'wasm', '--target', 'bench', 'webrtc_data_channel', 'webrtc_data_channel_plain');
  if (!isPackageBuilt()) await run('npm', 'run', 'build', '-w', 'js');
}

const html = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>bench</title>'
  + '<script type="module" src="page.js"></script>';

/**
 * Starts a browser on the benchmarks' page: { version, call(name, options), reload(), close() }. call() runs one of the
 * functions of browser/page.mjs.
 */
export async function openBenchPage(browserName) {
  const server = await serve({
    '/': { text: html, type: 'text/html; charset=utf-8' },
    '/page.js': {
      text: await bundle(join(root, 'benchmarks/browser/page.mjs'), { sourcemap: false }),
      type: 'text/javascript; charset=utf-8',
    },
    '/bench.wasm': join(wasmBuild, 'benchmarks/bench.wasm'),
  });
  // A signal would end this process only, and leave a browser that sends as fast as it can; on exit puppeteer ends it.
  const interrupted = () => process.exit(130);
  for (const signal of signals) process.once(signal, interrupted);
  const browser = await launchBrowser(browserName);
  const page = await newWindow(browser);
  const load = async () => {
    await page.goto(`${server.origin}/`, { waitUntil: 'load' });
    await page.waitForFunction(() => globalThis.bench !== undefined);
  };
  await load();
  return {
    version: await browser.version(),
    call: (name, options) => page.evaluate((called, given) => globalThis.bench[called](given), name, options),
    reload: load,
    async close() {
      for (const signal of signals) process.off(signal, interrupted);
      await browser.close();
      await server.close();
    },
  };
}
