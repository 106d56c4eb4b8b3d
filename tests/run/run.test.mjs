// SPDX-License-Identifier: MIT
//
// ./run as a person or a script would use it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root } from '../../tools/files.mjs';

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'wdc-run-test-'));
});
after(() => rmSync(folder, { recursive: true }));

function start(...words) {
  const child = spawn(join(root, 'run'), words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  const ended = once(child, 'close').then(([code, signal]) => ({ status: code ?? signal, ...output }));
  return { child, ended };
}

for (const browser of ['chromium', 'firefox']) {
  test(`sends a file between two pages of ${browser} and ends with one line of JSON`, async () => {
    // Not a multiple of any chunk's size.
    const bytes = 3 * 1024 * 1024 + 17;
    writeFileSync(join(folder, 'random.bin'), randomBytes(bytes));
    const { status, stdout, stderr } = await start('--headless', 'random.bin', '--browser', browser).ended;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^[^\n]+\n$/);
    const result = JSON.parse(stdout);
    assert.deepEqual(Object.keys(result), ['bytes', 'sha256_match', 'seconds', 'MBps', 'browser']);
    assert.equal(result.bytes, bytes);
    assert.equal(result.sha256_match, true);
    assert.equal(result.browser, browser);
    assert.ok(result.seconds > 0 && result.MBps > 0);
  });
}

for (const [browser, option] of [['chromium', '--from'], ['chromium', '--to'], ['firefox', '--from'], ['firefox', '--to']]) {
  test(`sends a file ${option.slice(2)} the command wdc, a page of ${browser} on the other end`, async () => {
    const bytes = 3 * 1024 * 1024 + 17;
    writeFileSync(join(folder, 'random.bin'), randomBytes(bytes));
    const { status, stdout, stderr } = await start('--headless', 'random.bin', '--browser', browser, option, 'native').ended;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^[^\n]+\n$/);
    const { seconds, MBps, ...rest } = JSON.parse(stdout);
    const [from, to] = option === '--from' ? ['native', 'page'] : ['page', 'native'];
    assert.deepEqual(rest, { bytes, sha256_match: true, browser, from, to });
    assert.ok(seconds > 0 && MBps > 0);
  });
}

test('says that one end has to be a page', async () => {
  writeFileSync(join(folder, 'empty.bin'), '');
  const { status, stderr } = await start('--headless', 'empty.bin', '--from', 'native', '--to', 'native').ended;
  assert.equal(status, 1);
  assert.match(stderr, /one end is a page/);
});

test('sends an empty file', async () => {
  writeFileSync(join(folder, 'empty.bin'), '');
  const { status, stdout, stderr } = await start('--headless', 'empty.bin').ended;
  assert.equal(status, 0, stderr);
  assert.equal(JSON.parse(stdout).bytes, 0);
});

test('says which file is not there', async () => {
  const { status, stdout, stderr } = await start('--headless', 'absent.bin').ended;
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /no file: absent\.bin/);
});

test('says which option it does not know', async () => {
  const { status, stderr } = await start('--haedless', 'x').ended;
  assert.equal(status, 1);
  assert.match(stderr, /--haedless/);
  assert.match(stderr, /usage: /);
});

test('serves on the next port where the wanted one is taken, until interrupted', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address();
  const { child, ended } = start('--port', String(port));
  try {
    let text = '';
    for await (const chunk of child.stdout) {
      text += chunk;
      if (text.includes('\n')) break;
    }
    const url = /^(http:\/\/127\.0\.0\.1:(\d+))\n/.exec(text);
    assert.ok(url, text);
    assert.ok(Number(url[2]) > port);
    const response = await fetch(`${url[1]}/`);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /id="file-input"/);
  } finally {
    child.kill('SIGINT');
    taken.close();
  }
  assert.equal((await ended).status, 0);
});
