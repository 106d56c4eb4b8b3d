// SPDX-License-Identifier: MIT
//
// The packed package without a bundler: the page of docs/bundlers.md with its import map, and a module worker.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { browserNames } from '../../tools/browser.mjs';
import { serve } from '../browser/support/browser.mjs';
import { browsers, installApp, pageShows, remove, tabsGreetEachOther } from './support/app.mjs';

const running = browsers();
let folder;
let site;

before(async () => {
  folder = await installApp();
  const worker = await readFile(join(folder, 'worker.js'), 'utf8');
  // Import maps do not reach workers.
  await writeFile(join(folder, 'worker.js'),
    worker.replace("'webrtc-data-channel'", "'./node_modules/webrtc-data-channel/dist/index.js'"));
  site = await serve({ '/': `${folder}/` });
});
after(async () => {
  await running.close();
  await site?.close();
  await remove(folder);
});

for (const name of browserNames) {
  const limit = { timeout: 60_000 };
  test(`a plain page runs the default entry in ${name}`, limit, async () => {
    await tabsGreetEachOther(await running.get(name), `${site.origin}/index.html#default`);
  });
  test(`a plain page runs external in ${name}`, limit, async () => {
    await tabsGreetEachOther(await running.get(name), `${site.origin}/index.html#external`);
  });
  test(`a module worker runs the package in ${name}`, limit, async () => {
    await pageShows(await running.get(name), `${site.origin}/index.html#worker`, /^hello$/);
  });
}
