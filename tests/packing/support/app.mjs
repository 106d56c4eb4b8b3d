// SPDX-License-Identifier: MIT
//
// The package as it would be published, installed into throwaway folders, and the programs of docs/bundlers.md beside it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { launchBrowser } from '../../../tools/browser.mjs';
import { openPage, root } from '../../browser/support/browser.mjs';

const run = promisify(execFile);
const tool = (path) => join(root, 'node_modules', path);

/** The blocks of docs/bundlers.md that begin with a file's name, as { name: text }. */
export async function examples() {
  const text = await readFile(join(root, 'docs/bundlers.md'), 'utf8');
  return Object.fromEntries(
    [...text.matchAll(/^```\w+\n(?:\/\/|<!--) ([\w.]+)(?: -->)?\n(.*?)^```$/gms)].map(([, name, body]) => [name, body]),
  );
}

// The real path: a bundler compares it with those of the files.
const newFolder = async () => realpath(await mkdtemp(join(tmpdir(), 'wdc-packing-')));

async function packAndInstall() {
  const folder = await newFolder();
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, join(root, 'js')]);
  const [{ filename }] = JSON.parse(stdout);
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  // It has no dependencies, so nothing is fetched.
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], { cwd: folder });
  return folder;
}

let installed;

/** A folder with the package in its node_modules. Give what it resolves to to `remove`. */
export async function installPackage() {
  installed ??= packAndInstall();
  const folder = await newFolder();
  await cp(await installed, folder, { recursive: true });
  return folder;
}

/** The same with the programs: those of docs/bundlers.md and those of app/. */
export async function installApp() {
  const folder = await installPackage();
  await cp(join(root, 'tests/packing/app'), folder, { recursive: true });
  for (const [name, text] of Object.entries(await examples())) await writeFile(join(folder, name), text);
  return folder;
}

export const remove = (folder) => (folder === undefined ? undefined : rm(folder, { recursive: true, force: true }));

/** Runs a script of this project's node_modules in `folder`. */
export const node = (folder, path, ...words) => run(process.execPath, [tool(path), ...words], { cwd: folder });

/** The programs as esbuild's bundles, with their page. */
export async function buildWithEsbuild(folder) {
  await symlink(tool('esbuild'), join(folder, 'node_modules/esbuild'));
  await run(process.execPath, ['build.mjs'], { cwd: folder });
  await writeFile(join(folder, 'dist/index.html'), pageOf('./start.js'));
}

/** A page that runs one module. */
export const pageOf = (source) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script type="module" src="${source}"></script>
`;

/** Resolves to the first line that the page shows. */
async function firstLine(page) {
  await page.waitForFunction(() => document.querySelector('p') !== null, { timeout: 20_000, polling: 50 });
  return page.evaluate(() => document.querySelector('p').textContent);
}

/** Two tabs with the same program, which meet over WebRTC and greet each other. */
export async function tabsGreetEachOther(browser, url) {
  const { page, errors, close } = await openPage(browser, url);
  const other = await page.browserContext().newPage();
  other.on('pageerror', (error) => errors.push(error.stack ?? String(error)));
  await other.goto(url, { waitUntil: 'load' });
  assert.equal(await firstLine(page), 'hello');
  assert.equal(await firstLine(other), 'hello');
  assert.deepEqual(errors, []);
  await close();
}

/** What one page alone shows: what came back from its worker, or what failed. */
export async function pageShows(browser, url, wanted) {
  const { page, errors, close } = await openPage(browser, url);
  assert.match(await firstLine(page), wanted);
  // Firefox reports what a policy blocks like an error.
  assert.deepEqual(errors.filter((error) => !error.startsWith('Error: Content-Security-Policy')), []);
  await close();
}

/** The browsers of a test file, each started when it is first asked for: call close() at its end. */
export function browsers() {
  const started = {};
  return {
    get: (name) => (started[name] ??= launchBrowser(name)),
    async close() {
      for (const each of Object.values(started)) await (await each).close();
    },
  };
}
