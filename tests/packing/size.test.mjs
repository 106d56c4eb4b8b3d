// SPDX-License-Identifier: MIT
//
// The build says what each file of the package weighs, and fails if the default entry is too heavy.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { differences, rewritten } from '../../tools/sizes.mjs';
import { root } from '../browser/support/browser.mjs';

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'wdc-size-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('the build prints what each file weighs, about as documented, and fails over its budget', { timeout: 120_000 }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath,
    [join(root, 'js/scripts/build.mjs'), '--outdir', folder, '--budget', '20000'], { encoding: 'utf8' });
  for (const name of ['index.js', 'framed.js', 'external.js', 'webrtc_data_channel.wasm', 'host.js']) {
    const bytes = readFileSync(join(folder, name));
    const [, ...printed] = new RegExp(`dist/${name} +(\\d+) +(\\d+) +(\\d+)`).exec(stdout).map(Number);
    assert.deepEqual(printed.slice(0, 2), [bytes.length, gzipSync(bytes, { level: 9 }).length], name);
    // 11 is brotli's default; the hint of the size makes little difference.
    assert.ok(Math.abs(printed[2] - brotliCompressSync(bytes).length) < 0.02 * printed[2], name);
    if (name === 'index.js') {
      assert.ok(printed[2] <= 40 * 1024, `${printed[2]} bytes`);
      assert.match(stderr, new RegExp(`^dist/index\\.js is ${printed[2] - 20_000} bytes over its budget of 20000 in brotli$`, 'm'));
    }
  }
  assert.equal(status, 1);

  assert.deepEqual(differences(folder), []);
  // And a page that is wrong is found, and mended.
  const page = readFileSync(join(root, 'docs/bundlers.md'), 'utf8');
  const wrong = page.replace(/(\d+) KB/g, (_, number) => `${2 * Number(number)} KB`);
  assert.equal(differences(folder, wrong).length, 4);
  assert.deepEqual(differences(folder, rewritten(folder, wrong)), []);
});
