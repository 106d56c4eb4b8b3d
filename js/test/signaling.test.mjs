// SPDX-License-Identifier: MIT
//
// The two carriers of signaling, as members of rooms hear them: WebSocket against the real server, BroadcastChannel against
// itself and against tabs that misbehave.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from 'ws';
import { startServer } from '../../tools/server.mjs';
import { load } from './support/load.mjs';

const preset = process.env.WDC_SERVER_PRESET ?? 'native';
const binary = fileURLToPath(new URL(`../../build/${preset}/apps/server/wdc_server`, import.meta.url));
const skip = existsSync(binary) ? false : `${binary} is not built: cmake --preset ${preset} && cmake --build --preset ${preset}`;
// ./test builds it first.
if (skip && process.env.WDC_ALL_BUILT === '1') throw new Error(skip);
const { openPipe } = await load('connect/pipe.ts');
const { Ledger } = await load('host/ledger.ts');
globalThis.WebSocket ??= WebSocket;

// A member that keeps what it hears; event(name) gives the next one of that name, however early it came.
function member(url, room) {
  const heard = [];
  const waiting = [];
  const look = () => {
    for (let index = 0; index < waiting.length; index += 1) {
      const at = heard.findIndex(([name]) => name === waiting[index].name);
      if (at < 0) continue;
      const [, ...values] = heard.splice(at, 1)[0];
      waiting.splice(index, 1)[0].resolve(values);
      index = -1;
    }
  };
  const listener = Object.fromEntries(['welcome', 'joined', 'left', 'description', 'candidate', 'bye', 'closed'].map((name) => [
    name, (...values) => {
      heard.push([name, ...values]);
      look();
    },
  ]));
  const ledger = new Ledger();
  const pipe = openPipe(url, room, listener, ledger);
  const event = (name) => new Promise((resolve) => {
    waiting.push({ name, resolve });
    look();
  });
  return { pipe, event, heard, ledger };
}

let server;
let folder;
let url;
before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'wdc-'));
  server = await startServer({ directory: folder, preset, options: ['--quiet', '--message-bytes', '20000'] });
  url = `${server.url.replace('http:', 'ws:')}/ws`;
});
after(async () => {
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

const offer = { type: 'offer', sdp: 'v=0\r\n' };
const candidate = { candidate: 'candidate:1 1 udp 1 10.0.0.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'u' };

test('over the server two members hear each other, and a third that the room is full', { skip, timeout: 20_000 }, async () => {
  const one = member(url, 'blue');
  const [polite, nobody, firstId] = await one.event('welcome');
  assert.deepEqual([polite, nobody], [false, undefined]);
  const two = member(url, 'blue');
  const [politeToo, peer, secondId] = await two.event('welcome');
  assert.deepEqual([politeToo, peer], [true, firstId]);
  assert.deepEqual(await one.event('joined'), [secondId]);

  one.pipe.sendDescription(secondId, offer);
  one.pipe.sendCandidate(secondId, candidate);
  one.pipe.sendCandidate(secondId, null);
  assert.deepEqual(await two.event('description'), [firstId, offer]);
  assert.deepEqual(await two.event('candidate'), [firstId, candidate]);
  assert.deepEqual(await two.event('candidate'), [firstId, null]);

  const three = member(url, 'blue');
  assert.equal((await three.event('closed'))[0].code, 'room_full');

  two.pipe.close();
  assert.deepEqual(await one.event('bye'), [secondId]);
  assert.deepEqual(await one.event('left'), [secondId]);
  one.pipe.close();
  assert.deepEqual([...one.heard, ...two.heard, ...three.heard], []);
  for (const { ledger } of [one, two, three]) assert.deepEqual({ ...ledger }, { handlers: 0, timers: 0 });
});

test('a frame above the limit of the server is not sent: both numbers', { skip, timeout: 20_000 }, async () => {
  const one = member(url, 'large');
  await one.event('welcome');
  one.pipe.sendDescription('somebody', { type: 'offer', sdp: '€'.repeat(7000) });
  const [error] = await one.event('closed');
  assert.equal(error.code, 'signaling_too_large');
  assert.equal(error.limit, 20_000);
  assert.ok(error.value > 21_000);
});

test('a server that is not there is signaling_unreachable', { timeout: 20_000 }, async () => {
  const one = member('ws://127.0.0.1:1/ws', 'blue');
  assert.equal((await one.event('closed'))[0].code, 'signaling_unreachable');
});

// A server that says what it likes.
async function rudeServer(answer) {
  const rude = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => rude.once('listening', resolve));
  rude.on('connection', answer);
  return { url: `ws://127.0.0.1:${rude.address().port}/ws`, close: () => new Promise((resolve) => rude.close(resolve)) };
}

const welcome = JSON.stringify({ type: 'welcome', version: 1, you: 'a', polite: true, peers: [] });

for (const [what, frame] of [
  ['no JSON', '{'], ['binary', Buffer.from(welcome)], ['no object', '[]'], ['no type', '{}'], ['an unknown type', '{"type":"x"}'],
  ['a welcome without role', '{"type":"welcome","version":1,"you":"a","peers":[]}'],
  ['a bad id', '{"type":"joined","peer":"a b"}'], ['a description without sdp', '{"type":"description","from":"b","description":{"type":"offer"}}'],
  ['a candidate that is a number', '{"type":"candidate","from":"b","candidate":7}'], ['an error without code', '{"type":"error"}'],
]) {
  test(`from a server, ${what} is signaling_malformed`, { timeout: 20_000 }, async () => {
    const rude = await rudeServer((socket) => {
      socket.send(welcome);
      socket.send(frame);
    });
    const one = member(rude.url, 'blue');
    await one.event('welcome');
    assert.equal((await one.event('closed'))[0].code, 'signaling_malformed');
    await rude.close();
  });
}

for (const [code, expected] of [
  [4001, 'signaling_malformed'], [4002, 'signaling_too_large'], [4010, 'room_full'], [4011, 'signaling_refused'],
  [4012, 'rate_limited'], [4013, 'signaling_lost'], [4099, 'signaling_refused'], [1001, 'signaling_lost'],
]) {
  test(`close code ${code} is ${expected}`, { timeout: 20_000 }, async () => {
    const rude = await rudeServer((socket) => {
      socket.send(welcome);
      socket.close(code);
    });
    const one = member(rude.url, 'blue');
    assert.equal((await one.event('closed'))[0].code, expected);
    await rude.close();
  });
}

test('an error frame of a server is told with its text', { timeout: 20_000 }, async () => {
  const rude = await rudeServer((socket) => socket.send('{"type":"error","code":"rate_limited","message":"201 frames"}'));
  const one = member(rude.url, 'blue');
  const [error] = await one.event('closed');
  assert.equal(error.code, 'rate_limited');
  assert.match(error.message, /201 frames/);
  await rude.close();
});

test('between tabs two pair, by the rule of their ids; a third is refused; a place that is left is free', { timeout: 30_000 }, async () => {
  const one = member('broadcast:', 'tabs');
  const two = member('broadcast:', 'tabs');
  const [[oneIsPolite, , oneId], [twoIsPolite, , twoId]] = await Promise.all([one.event('welcome'), two.event('welcome')]);
  assert.deepEqual([oneIsPolite, twoIsPolite], [oneId > twoId, twoId > oneId]);
  assert.match(oneId, /^[0-9a-f]{32}$/);
  assert.deepEqual(await one.event('joined'), [twoId]);
  assert.deepEqual(await two.event('joined'), [oneId]);

  const three = member('broadcast:', 'tabs');
  assert.equal((await three.event('closed'))[0].code, 'room_full');

  one.pipe.sendDescription(twoId, offer);
  one.pipe.sendCandidate(twoId, candidate);
  one.pipe.sendCandidate(twoId, null);
  assert.deepEqual(await two.event('description'), [oneId, offer]);
  assert.deepEqual(await two.event('candidate'), [oneId, candidate]);
  assert.deepEqual(await two.event('candidate'), [oneId, null]);

  two.pipe.close();
  assert.deepEqual(await one.event('bye'), [twoId]);
  assert.deepEqual(await one.event('left'), [twoId]);
  const four = member('broadcast:', 'tabs');
  const [, , fourId] = await four.event('welcome');
  assert.deepEqual(await one.event('joined'), [fourId]);
  one.pipe.close();
  assert.deepEqual(await four.event('left'), [oneId]);
  assert.deepEqual({ ...four.ledger }, { handlers: 1, timers: 1 }, 'alone again');
  four.pipe.close();
  for (const { ledger } of [one, two, three, four]) assert.deepEqual({ ...ledger }, { handlers: 0, timers: 0 });
});

test('three tabs at the same moment: two pair, one is refused', { timeout: 30_000 }, async () => {
  for (let round = 0; round < 5; round += 1) {
    const all = Array.from({ length: 3 }, () => member('broadcast:', `three-${round}`));
    const outcomes = await Promise.all(all.map(({ event }) => Promise.race([
      event('joined').then(() => 'paired'), event('closed').then(([{ code }]) => code),
    ])));
    assert.deepEqual(outcomes.sort(), ['paired', 'paired', 'room_full']);
    for (const { pipe } of all) pipe.close();
  }
});

test('a tab ignores rubbish, frames for others, and refuses another version', { timeout: 20_000 }, async () => {
  const other = new BroadcastChannel('wdc-signaling-v1:rubbish');
  const answers = [];
  const answered = new Promise((resolve) => {
    other.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      answers.push(frame);
      if (frame.type === 'error') resolve(frame);
    };
  });
  const one = member('broadcast:', 'rubbish');
  for (const data of [7, 'x', '{}', '{"type":"welcome"}', '{"type":"bye"}', '{"type":"joined","peer":"b"}',
    '{"type":"description","from":"b","to":"c","description":{"type":"offer","sdp":""}}']) other.postMessage(data);
  other.postMessage('{"type":"hello","version":2,"from":"b"}');
  const error = await answered;
  assert.deepEqual([error.code, error.to], ['unsupported_version', 'b']);
  assert.deepEqual(one.heard, []);
  one.pipe.close();
  other.close();
});
