// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { build } from 'esbuild';
import * as everything from 'webrtc-data-channel';

const js = fileURLToPath(new URL('..', import.meta.url));
const { connect, counts, incoming, WasmDataChannel, WebRtcDataChannel } = everything;

test('the package offers what it documents', () => {
  assert.deepEqual(Object.keys(everything).sort(), [
    'IncomingMessage', 'WasmDataChannel', 'WdcError', 'WebRtcDataChannel', 'connect', 'counts', 'errorCodes', 'incoming',
    'receiveChannel', 'transferTo',
  ]);
});

test('an import in Node does nothing and keeps nothing alive', () => {
  const script = `const names = new Set(Object.getOwnPropertyNames(globalThis));
    await import('webrtc-data-channel');
    const added = Object.getOwnPropertyNames(globalThis).filter((name) => !names.has(name));
    if (added.length > 0) throw new Error(added.join());
    await import('webrtc-data-channel/external');
    await import('webrtc-data-channel/host');`;
  const { status, stderr } = spawnSync('node', ['--input-type=module', '-e', script], {
    cwd: js, encoding: 'utf8', timeout: 20_000,
  });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('a bundle that uses nothing of the package holds nothing of it', async () => {
  const { outputFiles } = await build({
    stdin: { contents: "import { connect } from 'webrtc-data-channel';", resolveDir: js },
    bundle: true, format: 'esm', write: false, logLevel: 'silent',
  });
  assert.ok(outputFiles[0].text.length < 200, outputFiles[0].text.slice(0, 500));
});

for (const [what, value, named] of [
  ['undefined', undefined, 'undefined'],
  ['null', null, 'null'],
  ['a plain object', {}, 'an object'],
  ['a MessagePort', new MessageChannel().port1, 'a MessagePort'],
]) {
  test(`wrapping ${what} is invalid_argument and names it`, () => {
    for (const Wrapper of [WasmDataChannel, WebRtcDataChannel]) {
      assert.throws(() => new Wrapper(value), { name: 'WdcError', code: 'invalid_argument', message: new RegExp(named) });
    }
  });
}

test('connect() without WebRTC is unsupported, and bad arguments are told before', async () => {
  await assert.rejects(connect('broadcast:', 'room'), { code: 'unsupported' });
  await assert.rejects(connect('broadcast:', ''), { code: 'invalid_argument' });
  await assert.rejects(connect('broadcast:', 'a room'), { code: 'invalid_argument', message: /"a room"/ });
  await assert.rejects(connect('broadcast:', 'x'.repeat(65)), { code: 'invalid_argument' });
  await assert.rejects(connect('broadcast:', 7), { code: 'invalid_argument', message: /a number/ });
  await assert.rejects(connect('broadcast:', 'r', { label: 'x'.repeat(65_536) }), {
    code: 'invalid_argument', value: 65_536, limit: 65_535,
  });
  await assert.rejects(connect('broadcast:', 'r', { maxRetransmits: 1, maxPacketLifeTime: 1 }), { code: 'invalid_argument' });
  await assert.rejects(connect('broadcast:', 'r', { maxRetransmits: 65_536 }), { code: 'invalid_argument' });
  await assert.rejects(connect('broadcast:', 'r', { timeoutMs: 0 }), { code: 'invalid_argument' });
  await assert.rejects(connect('broadcast:', 'r', { signal: AbortSignal.abort('why') }), (reason) => reason === 'why');
});

test('incoming() checks its options', () => {
  assert.throws(() => incoming({}, { maxWaiting: 0 }), { code: 'invalid_argument' });
});

test('nothing is counted before the first channel', () => {
  assert.deepEqual(counts(), { channels: 0, peers: 0, pipes: 0, slots: 0, handlers: 0, timers: 0 });
});

test('the packed package holds its files and nothing else', () => {
  const { status, stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: js, encoding: 'utf8' });
  assert.equal(status, 0);
  const paths = JSON.parse(stdout)[0].files.map(({ path }) => path);
  for (const path of ['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.js.map', 'dist/index.d.ts',
    'dist/framed.js', 'dist/framed.d.ts', 'dist/external.js', 'dist/external.d.ts', 'dist/webrtc_data_channel.wasm', 'dist/host.js', 'dist/host.d.ts']) {
    assert.ok(paths.includes(path), path);
  }
  assert.deepEqual(paths.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/.+\.(js|js\.map|d\.ts)|dist\/webrtc_data_channel\.wasm)$/.test(path)), []);
});

test('the source map names the sources and carries them', () => {
  const map = JSON.parse(readFileSync(new URL('../dist/index.js.map', import.meta.url), 'utf8'));
  assert.ok(map.sources.includes('../src/wasm_data_channel.ts'));
  assert.equal(map.sources.length, map.sourcesContent.length);
});
