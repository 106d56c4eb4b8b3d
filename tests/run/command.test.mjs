// SPDX-License-Identifier: MIT
//
// The command wdc: serves, sends and receives.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root } from '../../tools/files.mjs';

const program = join(root, 'build', process.env.WDC_PRESET ?? 'native', 'apps/cli/wdc');
let folder;
let server;
let url;

function start(...words) {
  const child = spawn(program, words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  const says = (name, text) => new Promise((resolve) => {
    const look = () => { if (output[name].includes(text)) resolve(); };
    child[name].on('data', look);
    look();
  });
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => { output[name] += text; });
  const ended = once(child, 'close').then(([code, signal]) => ({ status: code ?? signal, ...output }));
  return { child, says, ended, output };
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wdc-command-'));
  for (const name of ['page', 'out']) await import('node:fs/promises').then(({ mkdir }) => mkdir(join(folder, name)));
  writeFileSync(join(folder, 'page/index.html'), 'the page');
  server = start('serve', '--root', 'page', '--port', '0', '--quiet');
  await server.says('stdout', '\n');
  url = /^listening on (\S+)/.exec(server.output.stdout)[1];
});
after(async () => {
  server.child.kill('SIGTERM');
  assert.equal((await server.ended).status, 0);
  rmSync(folder, { recursive: true });
});

test('calls itself wdc serve in its help', async () => {
  const { status, stdout } = await start('serve', '--help').ended;
  assert.equal(status, 0);
  assert.match(stdout, /wdc serve \[OPTIONS\]/);
  assert.doesNotMatch(stdout, /wdc_server/);
});

test('serves the page', async () => {
  const answer = await fetch(`${url}/`);
  assert.equal(await answer.text(), 'the page');
});

for (const [bytes, name] of [[3 * 1024 * 1024 + 17, 'random.bin'], [0, 'empty.bin']]) {
  test(`sends ${bytes} bytes, and keeps the file that has the name already`, async () => {
    const content = randomBytes(bytes);
    writeFileSync(join(folder, name), content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    for (const arrived of [name, name.replace('.', ' (2).')]) {
      const receiving = start('receive', 'room', '--server', url, '--output', 'out', '--json').ended;
      const sent = await start('send', name, '--room', 'room', '--server', url, '--json').ended;
      const received = await receiving;
      assert.equal(sent.status, 0, sent.stderr);
      assert.equal(received.status, 0, received.stderr);
      for (const [{ stdout }, file] of [[sent, name], [received, `out/${arrived}`]]) {
        assert.match(stdout, /^[^\n]+\n$/);
        const line = JSON.parse(stdout);
        assert.deepEqual(Object.keys(line), ['ok', 'room', 'file', 'bytes', 'sha256', 'seconds', 'MBps']);
        assert.deepEqual({ ...line, seconds: 0, MBps: 0 }, { ok: true, room: 'room', file, bytes, sha256, seconds: 0, MBps: 0 });
      }
      assert.ok(readFileSync(join(folder, 'out', arrived)).equals(content));
    }
  });
}

test('makes a room, and says how to come there', async () => {
  writeFileSync(join(folder, 'small.txt'), 'small');
  const sending = start('send', 'small.txt', '--server', url);
  await sending.says('stderr', 'waiting');
  const words = /the other side: wdc (receive \S{16} --server \S+)\n/.exec(sending.output.stderr)[1].split(' ');
  const received = await start(...words, '--output', 'out').ended;
  assert.equal(received.status, 0, received.stderr);
  assert.equal(received.stdout, '');
  assert.match(received.stderr, /100%\nwdc: received out\/small\.txt\n$/);
  assert.equal((await sending.ended).status, 0);
});

for (const [who, other] of [['sender', 'receiver'], ['receiver', 'sender']]) {
  test(`an interrupted ${who} tells the other side, and leaves no half of a file`, async () => {
    writeFileSync(join(folder, 'large.bin'), '');
    truncateSync(join(folder, 'large.bin'), 8e9);
    const before = readdirSync(join(folder, 'out'));
    const ends = {
      receiver: start('receive', 'large', '--server', url, '--output', 'out', '--json'),
      sender: start('send', 'large.bin', '--room', 'large', '--server', url, '--json'),
    };
    await ends.receiver.says('stderr', ' 0%');
    ends[who].child.kill('SIGINT');
    const interrupted = await ends[who].ended;
    assert.equal(interrupted.status, 130, interrupted.stderr);
    const told = await ends[other].ended;
    assert.equal(told.status, 4, told.stderr);
    assert.deepEqual(JSON.parse(told.stdout), { ok: false, room: 'large', error: 'cancelled: by the other side', status: 4 });
    assert.deepEqual(readdirSync(join(folder, 'out')), before);
  });
}

for (const [words, status, text] of [
  [['send', 'absent.bin'], 1, 'wdc: absent.bin: No such file or directory'],
  [['send', 'page'], 1, 'wdc: page: not a file'],
  [['receive', 'room', '--output', 'absent'], 1, 'wdc: absent: not a folder'],
  [['receive', 'not a room'], 2, "the room's name must be"],
  [['receive', 'room', '--server', 'http://127.0.0.1:1'], 3, 'signaling_unreachable: '],
  [['serve', '--root', 'absent'], 1, 'absent'],
  [['sned', 'x'], 2, 'sned'],
  [[], 2, 'subcommand'],
]) {
  test(`wdc ${words.join(' ')} ends with ${status} and says why`, async () => {
    const ended = await start(...words).ended;
    assert.equal(ended.status, status, ended.stderr);
    assert.ok(ended.stderr.includes(text), ended.stderr);
  });
}
