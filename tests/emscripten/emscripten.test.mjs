// SPDX-License-Identifier: MIT
/* global create, echo, outcome, until */
//
// The library that js/emscripten/build.mjs makes, in programs that Debian's Emscripten links, in a browser. That one is
// too old for the C++ library, and its optimisers for the host's JavaScript: hence -O1.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { browserName, emptyPage, launch, openPage, root, serve } from '../browser/support/browser.mjs';

const run = promisify(execFile);
const folder = join(root, 'build/emscripten-test');
const nothing = { channels: 0, peers: 0, pipes: 0, slots: 0, handlers: 0, timers: 0 };

const programs = {
  plain: [],
  threads: ['-pthread', '-Wno-pthreads-mem-growth'],
  asyncify: ['-sASYNCIFY', '-DTEST_ASYNCIFY'],
};

async function build(name) {
  await run('em++', [
    '-std=c++17', '-O1', '-Wall', '-Wextra', '-Werror', `-I${root}`, join(root, 'tests/emscripten/pair.cc'),
    '--js-library', join(folder, 'libwdc.js'), '-sMODULARIZE', '-sEXPORT_ES6', '-sALLOW_MEMORY_GROWTH',
    '-sINITIAL_MEMORY=16777216', '-sEXPORTED_RUNTIME_METHODS=UTF8ToString', ...programs[name],
    '-o', join(folder, `${name}.mjs`),
  ], { env: { ...process.env, NODE_PATH: '/usr/share/nodejs' } }); // where Debian's Emscripten finds its acorn
}

/** In the page: two connections of its own, and one channel between them. */
async function pair() {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate).catch(() => undefined);
  b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate).catch(() => undefined);
  const near = a.createDataChannel('from the page');
  near.binaryType = 'arraybuffer';
  const far = new Promise((resolve) => { b.ondatachannel = ({ channel }) => resolve(channel); });
  const open = new Promise((resolve) => { near.onopen = resolve; });
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription);
  const channel = await far;
  // Adopted in the turn it appears in, as it should be.
  return { near, far: channel, open, close: () => { a.close(); b.close(); } };
}

/** In the page: instances of a program, and waiting for them. */
const support = `
  globalThis.pair = ${pair};
  globalThis.create = async (name) => (await import('/' + name + '.mjs')).default();
  globalThis.turn = () => new Promise((resolve) => setTimeout(resolve, 5));
  globalThis.until = async (condition) => { for (let turns = 0; turns < 4000 && !condition(); ++turns) await turn(); };
  globalThis.outcome = async (module) => {
    await until(() => module._test_finished() || module._test_failure() && module.UTF8ToString(module._test_failure()) !== '');
    const counts = () => module.wdcHost().counts();
    await until(() => Object.values(counts()).every((count) => count === 0));
    return [module.UTF8ToString(module._test_failure()), module._test_finished(), module._test_echoes(), counts()];
  };
  globalThis.echo = (module, channel) => {
    const number = module.wdcHost().adoptChannel(channel);
    module._test_adopt(number);
  };`;

describe(`the library for Emscripten in ${browserName}`, { timeout: 240_000 }, () => {
  let browser;
  let server;
  let page;
  let errors;
  let leave;

  before(async () => {
    mkdirSync(folder, { recursive: true });
    await run(process.execPath, [join(root, 'js/emscripten/build.mjs'), join(folder, 'libwdc.js')]);
    for (const name of Object.keys(programs)) await build(name);
    server = await serve({ '/': emptyPage, ...Object.fromEntries(
      Object.keys(programs).flatMap((name) => ['mjs', 'wasm', 'worker.js'].map((type) => [`/${name}.${type}`, join(folder, `${name}.${type}`)]))),
    }, { isolated: true });
    browser = await launch();
    ({ page, errors, close: leave } = await openPage(browser, `${server.origin}/`));
    await page.addScriptTag({ content: support });
  });

  after(async () => {
    await leave?.();
    await browser?.close();
    await server?.close();
  });

  for (const name of Object.keys(programs)) {
    test(`connects, exchanges messages and closes (${name})`, async () => {
      const result = await page.evaluate(async (program) => {
        const module = await create(program);
        module._test_connect();
        return outcome(module);
      }, name);
      assert.deepEqual(result, ['', 1, 3, nothing]);
    });
  }

  test('keeps two instances of a page apart', async () => {
    const results = await page.evaluate(async () => {
      const modules = [await create('plain'), await create('plain')];
      for (const module of modules) module._test_connect();
      return [await Promise.all(modules.map(outcome)), modules[0].wdcHost() !== modules[1].wdcHost()];
    });
    assert.deepEqual(results, [[['', 1, 3, nothing], ['', 1, 3, nothing]], true]);
  });

  test('adopts a channel of the page, which no other instance can adopt then', async () => {
    const result = await page.evaluate(async () => {
      const [module, other] = [await create('plain'), await create('plain')];
      const { near, far, open, close } = await pair();
      echo(module, far);
      let refusal = '';
      try {
        other.wdcHost().adoptChannel(far);
      } catch (error) {
        refusal = error.code;
      }
      await open;
      const echoes = [];
      near.onmessage = ({ data }) => echoes.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
      near.send('one');
      near.send(new Uint8Array([2, 3]));
      await until(() => echoes.length === 2);
      near.close();
      await until(() => module.wdcHost().counts().channels === 0);
      close();
      return [refusal, echoes, module.wdcHost().counts(), other.wdcHost().counts()];
    });
    assert.deepEqual(result, ['already_wrapped', ['one', [2, 3]], nothing, nothing]);
  });

  test('only queues events while Asyncify suspends the stack, and delivers them afterwards', async () => {
    const result = await page.evaluate(async () => {
      const module = await create('asyncify');
      const { near, far, open, close } = await pair();
      echo(module, far);
      await open;
      const echoes = [];
      near.onmessage = ({ data }) => echoes.push(data);
      let awake = false;
      module._test_sleep(300);
      const sleeping = new Promise((resolve) => setTimeout(resolve, 250)).then(() => { awake = true; });
      near.send('while asleep');
      await until(() => module.wdcHost().counts().slots > 0 || awake);
      const during = echoes.length;
      await sleeping;
      await until(() => echoes.length === 1);
      near.close();
      await until(() => module.wdcHost().counts().channels === 0);
      close();
      return [during, echoes, module.UTF8ToString(module._test_failure()), module.wdcHost().counts()];
    });
    assert.deepEqual(result, [0, ['while asleep'], '', nothing]);
  });

  test('is dead after abort(), and another instance lives on', async () => {
    const result = await page.evaluate(async () => {
      const [module, other] = [await create('plain'), await create('plain')];
      const { near, far, close } = await pair();
      echo(module, far);
      const ended = new Promise((resolve) => { near.onclose = () => resolve('closed'); });
      let thrown = '';
      try {
        module.wdcHost().call(() => module._test_abort());
      } catch (error) {
        thrown = error.code;
      }
      const end = await ended;
      close();
      other._test_connect();
      return [thrown, end, module.wdcHost().dead.code, module.wdcHost().counts(), await outcome(other)];
    });
    assert.deepEqual(result, ['wasm_trapped', 'closed', 'wasm_trapped', nothing, ['', 1, 3, nothing]]);
  });

  test('leaves no error that nobody caught', () => assert.deepEqual(errors, []));
});

// Debian's Emscripten is too old to compile C++23; its <emscripten/val.h> is not too old for clang.
test('the example of docs/emscripten.md compiles', { timeout: 60_000 }, () => run('clang++-22', [
  '--target=wasm32-wasi', '-Wno-deprecated', '-fno-exceptions', '-std=c++23', '-Wall', '-Wextra', '-Werror', '-fsyntax-only',
  `-I${root}/include`, '-isystem', '/usr/share/emscripten/system/include', join(root, 'examples/docs/js_channel.cc'),
]));
