// SPDX-License-Identifier: MIT
//
// The packed package in Node, as a server that renders pages imports it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { installPackage, remove } from './support/app.mjs';

const name = 'webrtc-data-channel';
let folder;

before(async () => {
  folder = await installPackage();
});
after(() => remove(folder));

/** Ends by itself, or is killed: an import that keeps Node alive fails. */
async function runs(file, text) {
  await writeFile(join(folder, file), text);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: folder, timeout: 20_000 });
  assert.equal(stderr, '');
  return stdout;
}

for (const [entry, present] of [[name, 'connect'], [`${name}/framed`, 'connect'], [`${name}/external`, 'load'], [`${name}/host`, 'createHost']]) {
  test(`importing ${entry} compiles nothing, sets no global and keeps nothing alive`, async () => {
    assert.equal(await runs('import.mjs', `
      const before = new Set(Object.getOwnPropertyNames(globalThis));
      WebAssembly.Module = WebAssembly.compile = WebAssembly.compileStreaming = () => { throw new Error('compiled'); };
      const { ${present} } = await import('${entry}');
      console.log(typeof ${present}, Object.getOwnPropertyNames(globalThis).filter((each) => !before.has(each)).join());
    `), 'function \n');
  });

  test(`a CommonJS program imports ${entry}`, async () => {
    assert.equal(await runs('import.cjs', `import('${entry}').then(({ ${present} }) => console.log(typeof ${present}));`), 'function\n');
  });
}

test('connect() is unsupported in Node, before and after load()', async () => {
  assert.equal(await runs('external.mjs', `
    import { readFile } from 'node:fs/promises';
    import { connect, load } from '${name}/external';
    const code = () => connect('broadcast:', 'room').catch((error) => console.log(error.code));
    await code();
    const file = new URL('node_modules/${name}/dist/webrtc_data_channel.wasm', import.meta.url);
    await load(await WebAssembly.compile(await readFile(file)));
    await code();
  `), 'unsupported\nunsupported\n');
});

test('the package is installed with nothing beside it', async () => {
  const lock = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'));
  assert.deepEqual(Object.keys(lock.packages), ['', `node_modules/${name}`]);
});
