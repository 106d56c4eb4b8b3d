// SPDX-License-Identifier: MIT
//
// The programs of docs/bundlers.md, built against the packed package and run in browsers.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { serve } from '../browser/support/browser.mjs';
import {
  browsers, buildWithEsbuild, installApp, node, pageOf, pageShows, remove, tabsGreetEachOther,
} from './support/app.mjs';

const [major, minor] = process.versions.node.split('.').map(Number);
const runsVite8 = (major === 20 && minor >= 19) || major > 22 || (major === 22 && minor >= 12);

const vite8 = !runsVite8 && 'Vite 8 needs Node.js 20.19 or 22.12';

/** How each turns the folder into dist/. */
const bundlers = {
  'Vite 8': {
    skip: vite8,
    build: (folder) => node(folder, 'vite/bin/vite.js', 'build', '--logLevel', 'warn'),
  },
  webpack: {
    async build(folder) {
      await node(folder, 'webpack/bin/webpack.js', 'build', '--mode', 'production', '--entry', './start.js', '--output-path', 'dist');
      await writeFile(join(folder, 'dist/index.html'), pageOf('./main.js'));
    },
  },
  esbuild: { build: buildWithEsbuild },
};

const running = browsers();
after(() => running.close());

/** Each in Chromium; the other browser runs what esbuild makes, which is nearest to the sources. */
const browsersOf = (bundler) => (bundler === 'esbuild' ? ['chromium', 'firefox'] : ['chromium']);

/** All programs of the site, in `name`. */
async function programsRun(t, name, origin) {
  const browser = await running.get(name);
  const limit = { timeout: 60_000 };
  await t.test(`the default entry in ${name}`, limit, () => tabsGreetEachOther(browser, `${origin}/index.html#default`));
  await t.test(`external in ${name}`, limit, () => tabsGreetEachOther(browser, `${origin}/index.html#external`));
  await t.test(`a worker in ${name}`, limit, () => pageShows(browser, `${origin}/index.html#worker`, /^hello$/));
}

for (const [bundler, { build, skip = false }] of Object.entries(bundlers)) {
  test(`${bundler} builds programs that run`, { skip, timeout: 180_000 }, async (t) => {
    const folder = await installApp();
    t.after(() => remove(folder));
    await writeFile(join(folder, 'index.html'), pageOf('./start.js'));
    await build(folder);
    const site = await serve({ '/': `${join(folder, 'dist')}/` });
    t.after(() => site.close());
    for (const name of browsersOf(bundler)) await programsRun(t, name, site.origin);
  });
}

for (const [what, configured] of [['as it is', false], ['with the documented setting', true]]) {
  test(`Vite 8 serves programs while they are written, ${what}`, { skip: vite8, timeout: 180_000 }, async (t) => {
    const { createServer } = await import('vite');
    const folder = await installApp();
    t.after(() => remove(folder));
    await writeFile(join(folder, 'index.html'), pageOf('./start.js'));
    const server = await createServer({
      root: folder, logLevel: 'error', server: { host: '127.0.0.1', port: 0 },
      configFile: configured ? join(folder, 'vite.config.js') : false,
    });
    t.after(() => server.close());
    await server.listen();
    await programsRun(t, 'chromium', server.resolvedUrls.local[0].replace(/\/$/, ''));
  });
}
