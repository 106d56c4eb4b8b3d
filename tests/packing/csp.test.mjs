// SPDX-License-Identifier: MIT
//
// The packed package under a strict Content-Security-Policy: the one that docs/bundlers.md gives, and what it lacks.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { browserNames } from '../../tools/browser.mjs';
import { root, serve } from '../browser/support/browser.mjs';
import { browsers, buildWithEsbuild, installApp, pageShows, remove, tabsGreetEachOther } from './support/app.mjs';

const running = browsers();
const sites = [];
let folder;
let documented;

before(async () => {
  folder = await installApp();
  await buildWithEsbuild(folder);
  documented = /^ {4}Content-Security-Policy: (.*)$/m.exec(await readFile(join(root, 'docs/bundlers.md'), 'utf8'))[1];
});
after(async () => {
  await running.close();
  for (const site of sites) await site.close();
  await remove(folder);
});

/** Serves every file, the worker's too, under a policy. The page's icon has nothing to do with it. */
async function under(policy) {
  const headers = { 'Content-Security-Policy': `${policy}; img-src data:` };
  const site = await serve({ '/': `${join(folder, 'dist')}/` }, { headers });
  sites.push(site);
  return `${site.origin}/index.html`;
}

for (const name of browserNames) {
  const limit = { timeout: 60_000 };

  test(`the documented policy allows the package, in a worker too, in ${name}`, limit, async () => {
    const page = await under(documented);
    await tabsGreetEachOther(await running.get(name), `${page}#default`);
    await pageShows(await running.get(name), `${page}#worker`, /^hello$/);
  });

  test(`with connect-src it allows load() in ${name}`, limit, async () => {
    await tabsGreetEachOther(await running.get(name), `${await under(`${documented}; connect-src 'self'`)}#external`);
  });

  test(`without connect-src load() says that it could not fetch in ${name}`, limit, async () => {
    const missing = /^failed: WdcError: invalid_argument: .*webrtc_data_channel\.wasm: TypeError/;
    await pageShows(await running.get(name), `${await under(documented)}#external`, missing);
  });

  test(`without 'wasm-unsafe-eval' everything is wasm_blocked, and names it, in ${name}`, limit, async () => {
    const policy = `${documented}; connect-src 'self'`.replace(" 'wasm-unsafe-eval'", '');
    assert.ok(!policy.includes('wasm'));
    const page = await under(policy);
    for (const program of ['#default', '#external', '#worker']) {
      const blocked = /^failed: WdcError: wasm_blocked: .*script-src lacks 'wasm-unsafe-eval'/;
      await pageShows(await running.get(name), `${page}${program}`, blocked);
    }
  });
}
