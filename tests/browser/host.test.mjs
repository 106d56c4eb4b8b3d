// SPDX-License-Identifier: MIT
/* global DOMException, RTCDataChannel, Subject, nextTurn, once, pairWith */
//
// C++ in WebAssembly over the browser's real connections, both ends in one page: src/browser and js/src/host.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { browserName, bundle, emptyPage, launch, openPage, root, script, serve, wasmBuild } from './support/browser.mjs';

const nothing = { channels: 0, peers: 0, pipes: 0, slots: 0, handlers: 0, timers: 0 };

describe(`the host in ${browserName}`, { timeout: 600_000 }, () => {
  let browser;
  let server;
  let page;
  let errors;
  let leave;

  before(async () => {
    server = await serve(
      {
        '/': emptyPage,
        '/host_page.js': script(await bundle(join(root, 'tests/browser/host_page.ts'))),
        '/host_test.wasm': join(wasmBuild, 'tests/browser/host_test.wasm'),
      },
      { isolated: true },
    );
    browser = await launch();
    ({ page, errors, close: leave } = await openPage(browser, `${server.origin}/`));
    await page.addScriptTag({ type: 'module', url: '/host_page.js' });
    await page.waitForSelector('html[data-state=ready]');
  });

  after(async () => {
    await leave?.();
    await browser?.close();
    await server?.close();
  });

  const scenario = async (number) => {
    // Waited for in small steps: Chromium's own path takes minutes at times, longer than one call of the page may.
    await page.evaluate((which) => {
      globalThis.result = undefined;
      const subject = new Subject();
      subject.scenario(which).then(async (outcome) => {
        globalThis.result = [outcome, await subject.settledCounts()];
      });
    }, number);
    await page.waitForFunction(() => globalThis.result !== undefined, { timeout: 300_000, polling: 100 });
    const [outcome, counts] = await page.evaluate(() => globalThis.result);
    assert.equal(outcome, '');
    assert.deepEqual(counts, nothing);
    assert.deepEqual(errors, []);
  };

  test('exchanges every kind of message, and forwards them untouched', () => scenario(1));
  test('delivers 2,000 of 2,000 queued messages before a close', () => scenario(2));
  test("carries a channel's options to both ends", () => scenario(3));
  test('tells a closed connection to both ends', () => scenario(4));
  test('goes on after an ICE restart', () => scenario(5));
  test('gives the reasons of refusals', () => scenario(6));
  test('allocates nothing over 100,000 messages each way', () => scenario(7));
  test('awaits three million times in 256 KB of stack', () => scenario(8));
  test('sleeps, and drives two loops by one timer', () => scenario(9));

  test('lets two instances meet by a BroadcastChannel', async () => {
    const result = await page.evaluate(async () => {
      const [left, right] = [new Subject(), new Subject()];
      const outcomes = await Promise.all([left.meet('broadcast:', 'host', true), right.meet('broadcast:', 'host', false)]);
      return [outcomes, await left.settledCounts(), await right.settledCounts()];
    });
    assert.deepEqual(result, [['', ''], nothing, nothing]);
  });

  test('refuses a room without a name and a server that is not there', async () => {
    const outcomes = await page.evaluate(async (port) => {
      const subject = new Subject();
      return [
        await subject.meet('broadcast:', '', true), await subject.meet('ftp://x', 'a', true),
        await subject.meet(`ws://127.0.0.1:${port}/no`, 'a', true), await subject.settledCounts(),
      ];
    }, new URL(server.origin).port);
    assert.match(outcomes[0], /invalid_argument/);
    assert.match(outcomes[1], /invalid_argument/);
    assert.match(outcomes[2], /signaling_unreachable/);
    // Firefox reports the failed WebSocket as an error of the page.
    assert.deepEqual(errors.splice(0).filter((error) => !error.includes('connection to the server at ws:')), []);
    assert.deepEqual(outcomes[3], nothing);
  });

  test('adopts a channel and loses nothing that arrives before C++ listens', async () => {
    const result = await page.evaluate(async () => {
      const subject = new Subject();
      const early = ['a', new Uint8Array([1, 0, 2]).buffer, '', 'é\0'];
      let adopted;
      const { a, b, channel, incoming } = await pairWith((dataChannel) => {
        adopted = dataChannel;
        return { number: subject.host.adoptChannel(dataChannel), arrived: [] };
      });
      for (const value of early) channel.send(value);
      // The host listens, C++ not yet.
      await new Promise((resolve) => {
        let count = 0;
        adopted.addEventListener('message', () => {
          if (++count === early.length) resolve();
        });
      });
      const heard = new Promise((resolve) => {
        const got = [];
        channel.addEventListener('message', ({ data }) => {
          got.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
          if (got.length === early.length) resolve(got);
        });
      });
      const finished = subject.echoAdopted(incoming.number);
      const got = await heard;
      channel.close();
      const reason = await finished;
      a.close();
      b.close();
      return [got, reason, await subject.settledCounts()];
    });
    assert.deepEqual(result, [['a', [1, 0, 2], '', 'é\0'], '', nothing]);
  });

  test('holds what it sends while the browser takes back that a channel is open', async () => {
    const result = await page.evaluate(async () => {
      const subject = new Subject();
      const { a, b, channel, incoming } = await pairWith((dataChannel) => dataChannel);
      const finished = subject.echo(incoming);
      // As Chromium does once in some 500,000 channels that it announces.
      let early = true;
      const { send } = incoming;
      incoming.send = (data) => {
        if (early) throw new DOMException('RTCDataChannel.readyState is not \'open\'', 'InvalidStateError');
        send.call(incoming, data);
      };
      const { get } = Object.getOwnPropertyDescriptor(RTCDataChannel.prototype, 'readyState');
      Object.defineProperty(incoming, 'readyState', { get: () => (early ? 'connecting' : get.call(incoming)) });
      const heard = once(channel, 'message');
      channel.send('x');
      await once(incoming, 'message');
      await new Promise((resolve) => setTimeout(resolve, 60));
      early = false;
      const { data } = await heard;
      channel.close();
      const reason = await finished;
      a.close();
      b.close();
      return [data, reason, await subject.settledCounts()];
    });
    assert.deepEqual(result, ['x', '', nothing]);
  });

  test('refuses to adopt what is no channel, wrapped or closed', async () => {
    const codes = await page.evaluate(async () => {
      const [subject, other] = [new Subject(), new Subject()];
      const connection = new RTCPeerConnection();
      const channel = connection.createDataChannel('x');
      const closed = connection.createDataChannel('y');
      const code = (adopt) => {
        try {
          return adopt();
        } catch (error) {
          return error.code;
        }
      };
      subject.sender(channel);
      connection.close();
      if (closed.readyState !== 'closed') await once(closed, 'close');
      const result = [
        code(() => subject.host.adoptChannel(channel)), code(() => other.host.adoptChannel(channel)),
        code(() => subject.host.adoptChannel({})), code(() => subject.host.adoptChannel(null)),
        code(() => subject.host.adoptChannel(closed)),
        code(() => subject.host.adoptChannel(new RTCPeerConnection().createDataChannel('z'), { disconnectedTimeout: 0 })),
      ];
      subject.host.call(() => subject.exports.drop_sender());
      return [...result, await subject.settledCounts()];
    });
    assert.deepEqual(codes, [
      'already_wrapped', 'already_wrapped', 'invalid_argument', 'invalid_argument', 'closed', 'invalid_argument', nothing,
    ]);
  });

  test('tells why an adopted channel ended', async () => {
    const reasons = await page.evaluate(async () => {
      const subject = new Subject();
      const run = async (end) => {
        const { a, b, channel, incoming } = await pairWith((dataChannel, peerConnection) =>
          ({ end: subject.echo(dataChannel, { peerConnection, disconnectedTimeout: 50 }) }));
        end(a, b, channel);
        const reason = await incoming.end;
        a.close();
        b.close();
        return reason.split(':')[0];
      };
      const reasons = [
        await run((_a, _b, channel) => channel.close()),
        await run((a) => a.close()),
        await run((_a, b) => b.close()),
      ];
      return [...reasons, await subject.settledCounts()];
    });
    // Firefox may not tell a connection that the other side closed from a channel that it closed.
    if (browserName === 'firefox' && reasons[1] === '') reasons[1] = 'connection_closed';
    assert.deepEqual(reasons, ['', 'connection_closed', 'connection_closed', nothing]);
  });

  test('sends views, resizable and shared memory, and text', async () => {
    const result = await page.evaluate(async () => {
      const subject = new Subject();
      const { a, b, channel } = await pairWith((dataChannel) => subject.sender(dataChannel));
      const values = [
        new Uint8Array([9, 1, 2, 9]).subarray(1, 3), new DataView(new Uint8Array([3, 4]).buffer), 'text €',
        new Uint8Array([5]).buffer, new ArrayBuffer(0), '',
      ];
      const resizable = new ArrayBuffer(2, { maxByteLength: 8 });
      new Uint8Array(resizable).set([6, 7]);
      const shared = new Uint8Array(new SharedArrayBuffer(3));
      shared.set([8, 9, 10]);
      values.push(resizable, new Uint8Array(resizable, 1), shared);
      const arrived = new Promise((resolve) => {
        const got = [];
        channel.addEventListener('message', ({ data }) => {
          got.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
          if (got.length === values.length) resolve(got);
        });
      });
      // In Chromium an announced channel takes nothing yet.
      let first = subject.send(values[0]);
      for (const wouldBlock = -9; first === wouldBlock; first = subject.send(values[0])) await nextTurn();
      const results = [first, ...values.slice(1).map((value) => subject.send(value))];
      const got = await arrived;
      subject.host.call(() => subject.exports.drop_sender());
      const counts = await subject.settledCounts();
      a.close();
      b.close();
      return [results, got, counts];
    });
    assert.deepEqual(result[0], Array(9).fill(0));
    assert.deepEqual(result[1], [[1, 2], [3, 4], 'text €', [5], [], '', [6, 7], [7], [8, 9, 10]]);
    assert.deepEqual(result[2], nothing);
  });

  test('small messages, empty ones and large ones of two channels arrive whole and in order, whichever way they come in', async () => {
    const sizes = [0, 1, 8, 15, 16, 63, 64, 65, 0, 120, 127, 128, 136, 200, 1_000, 1_023, 1_024, 1_025, 2_000, 64, 3, 70_000, 5];
    const result = await page.evaluate(async (all) => {
      const subject = new Subject();
      const pairs = [];
      for (let count = 0; count < 2; count += 1) pairs.push(await pairWith((dataChannel) => ({ end: subject.echo(dataChannel) })));
      const bytes = (size, number, which) => new Uint8Array(size).map((_, index) => index * 5 + number + 100 * which);
      const messages = 30 * all.length;
      const wrong = [];
      const complete = pairs.map(({ channel }, which) => new Promise((resolve) => {
        let next = 0;
        channel.addEventListener('message', ({ data }) => {
          const expected = bytes(all[next % all.length], next, which);
          const got = new Uint8Array(data);
          if (got.length !== expected.length || got.some((byte, index) => byte !== expected[index])) wrong.push([which, next, got.length]);
          next += 1;
          if (next === messages) resolve();
        });
      }));
      for (let number = 0; number < messages; number += 1) {
        for (const [which, { channel }] of pairs.entries()) channel.send(bytes(all[number % all.length], number, which));
        if (number % 100 === 0) await nextTurn();
      }
      await Promise.all(complete);
      const reasons = [];
      for (const { a, b, channel, incoming } of pairs) {
        channel.close();
        reasons.push(await incoming.end);
        a.close();
        b.close();
      }
      return [wrong, reasons, await subject.settledCounts()];
    }, sizes);
    assert.deepEqual(result, [[], ['', ''], nothing]);
    assert.deepEqual(errors, []);
  });

  test('leaves small messages outside of memory while many that nobody has read are inside', async () => {
    const result = await page.evaluate(async () => {
      const subject = new Subject();
      const { a, b, channel, incoming } = await pairWith((dataChannel) => {
        const marker = new Promise((resolve) => {
          dataChannel.addEventListener('message', ({ data }) => { if (typeof data === 'string') resolve(); });
        });
        subject.sender(dataChannel);
        return { marker };
      });
      for (let number = 0; number < 600; number += 1) channel.send(new Uint8Array(64));
      channel.send('that was all');
      await incoming.marker;
      await nextTurn();
      const { slots } = subject.host.counts();
      subject.host.call(() => subject.exports.drop_sender());
      const counts = await subject.settledCounts();
      a.close();
      b.close();
      return [slots, counts];
    });
    // One arrived before C++ had said that small ones are welcome, 257 in memory; then there were enough of them.
    assert.deepEqual(result, [1 + (600 - 1 - 257) + 1, nothing]);
    assert.deepEqual(errors, []);
  });

  for (const way of ['trap', 'overflow_stack']) {
    test(`is dead after ${way}, and another instance lives on`, async () => {
      const result = await page.evaluate(async (name) => {
        const [subject, other] = [new Subject(), new Subject()];
        const { a, b, channel, incoming } = await pairWith((dataChannel) => ({ end: subject.echo(dataChannel) }));
        const farEnd = once(channel, 'close');
        let told = '';
        subject.host.onDead((reason) => { told = reason.code; });
        let thrown = '';
        try {
          subject.host.call(() => subject.exports[name]());
        } catch (error) {
          thrown = `${error.code} ${error.cause.name}`;
        }
        const reason = await incoming.end;
        await farEnd;
        let again = '';
        try {
          subject.host.adoptChannel(a.createDataChannel('later'));
        } catch (error) {
          again = error.code;
        }
        a.close();
        b.close();
        return [
          told, thrown, reason.slice(0, 18), again, subject.host.dead.code, subject.host.counts(), await other.scenario(9),
        ];
      }, way);
      assert.deepEqual(result, [
        'wasm_trapped', 'wasm_trapped RuntimeError', 'dead: wasm_trapped', 'wasm_trapped', 'wasm_trapped', nothing, '',
      ]);
    });
  }

  test('only queues events while C++ suspends the stack', async (context) => {
    const result = await page.evaluate(async () => {
      if (!('Suspending' in WebAssembly)) return 'unsupported';
      const subject = new Subject();
      const { a, b, channel, incoming } = await pairWith((dataChannel) => ({ end: subject.echo(dataChannel) }));
      const echoes = [];
      channel.addEventListener('message', ({ data }) => echoes.push(data));
      const suspended = subject.host.call(() => WebAssembly.promising(subject.exports.suspend_stack)(41));
      channel.send('while suspended');
      while (subject.host.counts().slots === 0 && echoes.length === 0 && channel.bufferedAmount > 0) await nextTurn();
      for (let turn = 0; turn < 200; turn += 1) await nextTurn();
      const before = echoes.length;
      subject.resume();
      const value = await suspended;
      if (echoes.length === 0) await once(channel, 'message');
      channel.close();
      const reason = await incoming.end;
      a.close();
      b.close();
      return [before, value, echoes, reason, await subject.settledCounts()];
    });
    if (result === 'unsupported') return context.skip('this browser cannot suspend WebAssembly');
    assert.deepEqual(result, [0, 42, ['while suspended'], '', nothing]);
  });

  test('leaves no error that nobody caught', () => assert.deepEqual(errors, []));
});
