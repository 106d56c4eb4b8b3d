// SPDX-License-Identifier: MIT
//
// What browser tests stand on: the browser under test (WDC_BROWSER, chromium or firefox), pages that report their
// errors, and a loopback server for files, folders and TypeScript bundled on the way.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { launchBrowser, newWindow } from '../../../tools/browser.mjs';

export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
/** Where the WebAssembly modules were built. */
export const wasmBuild = process.env.WDC_WASM_BUILD ?? join(root, 'build/wasm');
export const browserName = process.env.WDC_BROWSER ?? 'chromium';

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** Starts the browser under test; the caller closes it. */
export const launch = (options) => launchBrowser(browserName, options);

/**
 * Opens `url` in a window of its own. `errors` fills with what nobody caught in the page; `text` with its console.
 */
export async function openPage(browser, url, options) {
  const page = await newWindow(browser, options);
  const errors = [];
  const text = [];
  page.on('pageerror', (error) => errors.push(error.stack ?? String(error)));
  page.on('console', (message) => text.push(`${message.type()}: ${message.text()}`));
  if (url) await page.goto(url, { waitUntil: 'load' });
  return { page, errors, text, close: () => page.browserContext().close() };
}

/** One ES module, with all it imports, as JavaScript text. */
export async function bundle(path, options = {}) {
  const result = await build({
    entryPoints: [path], bundle: true, format: 'esm', write: false, sourcemap: 'inline', logLevel: 'silent', ...options,
  });
  return result.outputFiles[0].text;
}

/**
 * Serves on 127.0.0.1 and gives { origin, close() }.
 *   routes      URL path -> file, folder (both paths end in /), or { text, type, headers }; the longest match counts
 *   headers     sent with every answer
 *   isolated    true: COOP and COEP, so that pages have SharedArrayBuffer
 */
export async function serve(routes, { headers = {}, isolated = false } = {}) {
  const isolation = isolated
    ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
    : {};
  const paths = Object.keys(routes).sort((a, b) => b.length - a.length);

  const answer = async (path) => {
    const match = paths.find((prefix) => path === prefix || (prefix.endsWith('/') && path.startsWith(prefix)));
    if (match === undefined) return undefined;
    const target = routes[match];
    if (typeof target === 'object') return { body: target.text, type: target.type, headers: target.headers };
    const file = match === path ? target : normalize(join(target, path.slice(match.length)));
    if (file.endsWith(sep) || !file.startsWith(normalize(target))) return undefined;
    return { body: await readFile(file), type: types[extname(file)] };
  };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    answer(decodeURIComponent(pathname)).then(
      (found) => {
        response.writeHead(found ? 200 : 404, {
          'Content-Type': found?.type ?? 'text/plain; charset=utf-8',
          'Cache-Control': 'no-store',
          ...isolation, ...headers, ...found?.headers,
        });
        response.end(found?.body ?? 'not found');
      },
      (error) => response.writeHead(404).end(error.message),
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

/** A page that does nothing, as a route. */
export const emptyPage = {
  text: '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>test</title>',
  type: types['.html'],
};
/** JavaScript text as a route. */
export const script = (text) => ({ text, type: types['.js'] });
