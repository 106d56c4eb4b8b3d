// SPDX-License-Identifier: MIT
/* global create, outcome, turn, until */
//
// The C++ library over a current Emscripten, in a browser: docs/emscripten.md. Not part of ./test, because Debian has no
// such Emscripten. WDC_EMSCRIPTEN=/path/to/emsdk/upstream/emscripten node --test tests/emscripten/current.test.mjs
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { browserName, emptyPage, launch, openPage, root, serve } from '../browser/support/browser.mjs';

const run = promisify(execFile);
const emscripten = process.env.WDC_EMSCRIPTEN;
const folder = join(root, 'build/emscripten-current');
const nothing = { channels: 0, peers: 0, pipes: 0, slots: 0, handlers: 0, timers: 0 };

/** The flags of a program, and which build of the library it is linked with. */
const programs = {
  plain: { flags: ['-O2'] },
  debug: { flags: ['-O0', '-sASSERTIONS=2'] },
  closure: { flags: ['-O3', '--closure', '1'] },
  resizable: { flags: ['-O2', '-sGROWABLE_ARRAYBUFFERS=1'] },
  threads: { flags: ['-O2', '-pthread', '-sPTHREAD_POOL_SIZE=2', '-Wno-pthreads-mem-growth'], library: 'threads' },
  exceptions: { flags: ['-O2', '-fexceptions', '-DTEST_EXCEPTIONS'] },
  wasm_exceptions: { flags: ['-O2', '-fwasm-exceptions', '-DTEST_EXCEPTIONS'] },
  asyncify: { flags: ['-O2', '-sASYNCIFY', '-DTEST_SUSPEND'] },
  jspi: { flags: ['-O2', '-sJSPI', '-DTEST_SUSPEND'] },
};
const chosen = (process.env.WDC_EMSCRIPTEN_PROGRAMS ?? Object.keys(programs).join()).split(',');
const has = (name) => chosen.includes(name);
const exchanging = chosen;

async function buildLibrary(name, flags) {
  const tree = join(folder, name);
  await run(join(emscripten, 'emcmake'), [
    'cmake', '-S', root, '-B', tree, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', `-DCMAKE_CXX_FLAGS=${flags}`,
  ]);
  await run('ninja', ['-C', tree, '-j2']);
}

async function build(name) {
  const { flags, library = 'plain' } = programs[name];
  const tree = join(folder, library);
  await run(join(emscripten, 'em++'), [
    '-std=c++23', `-I${root}/include`, join(root, 'tests/emscripten/current.cc'), `${tree}/src/browser/libwdc_browser.a`,
    `${tree}/src/core/libwdc_core.a`, '--js-library', `${tree}/js/emscripten/libwdc.js`, '-lembind', '-sMODULARIZE',
    '-sEXPORT_ES6', '-sALLOW_MEMORY_GROWTH', ...flags, '-o', join(folder, 'programs', `${name}.mjs`),
  ]);
}

/** In the page. */
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
  return { near, far: await far, open, connection: b, close: () => { a.close(); b.close(); } };
}
const support = `
  globalThis.pair = ${pair};
  globalThis.create = async (name) => (await import('/programs/' + name + '.mjs')).default();
  globalThis.turn = () => new Promise((resolve) => setTimeout(resolve, 5));
  globalThis.until = async (condition) => { for (let turns = 0; turns < 4000 && !condition(); ++turns) await turn(); };
  globalThis.outcome = async (module) => {
    await until(() => module.finished());
    const counts = () => module.wdcHost().counts();
    await until(() => Object.values(counts()).every((count) => count === 0));
    return [module.finished(), module.outcome(), counts()];
  };`;

describe(`the C++ library over a current Emscripten in ${browserName}`, { skip: !emscripten, timeout: 1_800_000 }, () => {
  let browser;
  let server;
  let page;
  let errors;
  let leave;
  const fine = [true, '', nothing];

  before(async () => {
    mkdirSync(join(folder, 'programs'), { recursive: true });
    await buildLibrary('plain', '');
    if (has('threads')) await buildLibrary('threads', '-pthread -Wno-pthreads-mem-growth');
    for (const name of chosen) await build(name);
    const routes = { '/': emptyPage, '/programs/': `${folder}/programs/`, '/examples/': `${folder}/plain/examples/` };
    routes['/adopt/'] = `${folder}/plain/examples/emscripten/`;
    routes['/adopt/index.html'] = join(root, 'examples/emscripten/index.html');
    server = await serve(routes, { isolated: true });
    browser = await launch();
    ({ page, errors, close: leave } = await openPage(browser, `${server.origin}/`));
    await page.addScriptTag({ content: support });
  });

  after(async () => {
    await leave?.();
    await browser?.close();
    await server?.close();
  });

  for (const name of exchanging) {
    test(`exchanges 2,000 messages in C++ and leaves nothing behind (${name})`, async () => {
      const result = await page.evaluate(async (program) => {
        const module = await create(program);
        module.startExchange();
        module.grow();
        return outcome(module);
      }, name);
      assert.deepEqual(result, fine);
    });

    test(`takes a channel of JavaScript's, echoes, and gives one back (${name})`, async () => {
      const result = await page.evaluate(async (program) => {
        const module = await create(program);
        const { near, far, open, connection, close } = await pair();
        const refused = module.adopt({}, undefined);
        const adopted = module.adopt(far, { peerConnection: connection });
        const again = module.adopt(far, undefined);
        await open;
        const given = module.giveBack();
        const back = given === far && module.wdcHost().counts();
        const retaken = module.adopt(far, undefined);
        const echoes = [];
        near.onmessage = ({ data }) => echoes.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
        module.startEcho();
        near.send('grüße');
        module.grow();
        near.send(new Uint8Array([1, 2]));
        await until(() => echoes.length === 2);
        near.close();
        const end = await outcome(module);
        close();
        return [refused.split(':')[0], adopted, again.split(':')[0], back, retaken, echoes, end];
      }, name);
      assert.deepEqual(result, ['invalid_argument', '', 'already_wrapped', nothing, '', ['grüße', [1, 2]], fine]);
    });
  }

  test('keeps two instances apart', async () => {
    const results = await page.evaluate(async (program) => {
      const modules = [await create(program), await create(program)];
      for (const module of modules) module.startExchange();
      return Promise.all(modules.map(outcome));
    }, chosen[0]);
    assert.deepEqual(results, [fine, fine]);
  });

  test('lets another thread post, and refuses it everything else', { skip: !has('threads') }, async () => {
    const result = await page.evaluate(async () => {
      const module = await create('threads');
      const { near, far, open, close } = await pair();
      module.adopt(far, undefined);
      await open;
      const arrived = new Promise((resolve) => { near.onmessage = ({ data }) => resolve(data); });
      module.startThreads();
      const text = await arrived;
      await until(() => module.finished());
      close();
      return [text, module.outcome()];
    });
    assert.deepEqual(result, ['posted', '']);
  });

  for (const name of ['exceptions', 'wasm_exceptions']) {
    test(`lets an exception leave a task at its co_await (${name})`, { skip: !has(name) }, async () => {
      const result = await page.evaluate(async (program) => {
        const module = await create(program);
        module.startExceptions();
        return outcome(module);
      }, name);
      assert.deepEqual(result, fine);
    });
  }

  for (const name of ['asyncify', 'jspi']) {
    test(`only queues events while the stack is suspended (${name})`, { skip: !has(name) }, async (context) => {
      const result = await page.evaluate(async (program) => {
        if (program === 'jspi' && !('Suspending' in WebAssembly)) return 'unsupported';
        const module = await create(program);
        const { near, far, open, close } = await pair();
        module.adopt(far, undefined);
        await open;
        const during = [];
        const echoes = [];
        near.onmessage = ({ data }) => {
          during.push(module._test_is_asleep());
          echoes.push(data);
        };
        module.startEcho();
        const slept = module.sleepSuspended(300);
        near.send('while suspended');
        await turn();
        const asleep = module._test_is_asleep();
        await slept;
        await until(() => echoes.length === 1);
        near.close();
        const end = await outcome(module);
        close();
        return [asleep, during, echoes, end];
      }, name);
      if (result === 'unsupported') return context.skip('this browser cannot suspend WebAssembly');
      assert.deepEqual(result, [1, [0], ['while suspended'], fine]);
    });
  }

  test("runs the example: JavaScript's channel in C++ and back", async () => {
    const example = await openPage(browser);
    await example.page.goto(`${server.origin}/adopt/index.html`, { waitUntil: 'load' });
    await example.page.waitForFunction(() => true);
    for (let turns = 0; turns < 400 && example.text.length < 3; turns += 1) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual([example.text, example.errors], [
      ['log: C++ has it', 'log: hello from C++', 'log: JavaScript got to whom it may concern'], [],
    ]);
    await example.close();
  });

  test('leaves no error that nobody caught', () => assert.deepEqual(errors, []));
});
