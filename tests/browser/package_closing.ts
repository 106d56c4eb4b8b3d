// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// The ends of a channel, whoever brings them about; package_page.ts runs this with the others.
import { WasmDataChannel, type WdcError } from 'webrtc-data-channel';
import { check, collect, connections, equal, fails, pair, plain, take } from './package_pair.js';

export const closingTests: Record<string, () => Promise<void>> = {
  async 'closing before open ends both waits'() {
    const { near, close } = connections();
    const channel = new WasmDataChannel(near.createDataChannel('never'), { peerConnection: near });
    const opened = fails('closed', () => channel.opened);
    await channel.close();
    await opened;
    await channel.closed;
    close();
  },

  async 'close delivers 2,000 of 2,000, from either side'() {
    for (const from of ['left', 'right'] as const) {
      const both = await pair();
      const [sender, receiver] = from === 'left' ? [both.left, both.right] : [both.right, both.left];
      let arrived = 0;
      receiver.startListening((message) => {
        check(new DataView(message.buffer).getUint32(0) === arrived, `message ${arrived} in its place`);
        arrived += 1;
      });
      const message = new DataView(new ArrayBuffer(1000));
      for (let index = 0; index < 2000; index += 1) {
        message.setUint32(0, index);
        await sender.send(message);
      }
      await sender.close();
      await receiver.closed;
      equal(arrived, 2000, `arrived from the ${from}`);
      both.close();
    }
  },

  async 'close lets what arrived before it be read after it, by whoever comes then'() {
    const { left, right, close } = await pair();
    for (let index = 0; index < 5; index += 1) await left.send([index]);
    await left.close();
    await right.closed;
    equal(right.readyState, 'closed', 'the state');
    equal(right.stats().receiveQueueMessages, 5, 'unread');
    equal(plain(await take(right, 2)), [[0], [1]], 'the first two');
    const rest: number[] = [];
    await new Promise<void>((resolve) => {
      right.startListening((message) => {
        rest.push(message[0]!);
        if (rest.length === 3) resolve();
      });
    });
    equal(rest, [2, 3, 4], 'the rest');
    equal(await collect(right), [], 'and then the end');
    close();
  },

  async 'a reader that waits ends with the close, whichever side closes'() {
    const { left, right, close } = await pair();
    const ends = [collect(left), collect(right)];
    await right.close();
    equal(await Promise.all(ends), [[], []], 'what they got');
    await left.closed;
    close();
  },

  async 'close gives up after its timeout'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 16 * 1024 * 1024 } });
    await fails('invalid_argument', () => left.close({ timeoutMs: 0 }));
    await fails('invalid_argument', () => left.close({ timeoutMs: 1.5 }));
    await fails('invalid_argument', () => left.close({ timeoutMs: 2 ** 31 }));
    for (let index = 0; index < 100; index += 1) await left.send(new Uint8Array(100_000));
    await fails('timed_out', () => left.close({ timeoutMs: 1 }));
    await fails('timed_out', () => left.closed);
    void right.close().catch(() => undefined);
    close();
    await right.closed.catch(() => undefined);
  },

  async 'abort fails what waits'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 1024 } });
    const reading = fails('aborted', () => collect(left));
    const results = Promise.allSettled(Array.from({ length: 20 }, () => left.send(new Uint8Array(60_000))));
    const behindBlob = [fails('aborted', () => left.send(new Blob(['x']))), fails('aborted', () => left.send('y'))];
    left.abort();
    const codes = (await results).map((result) => (result.status === 'fulfilled' ? 'sent' : (result.reason as WdcError).code));
    check(codes.includes('aborted') && codes.every((code) => code === 'sent' || code === 'aborted'), codes.join());
    await reading;
    await Promise.all(behindBlob);
    await fails('aborted', () => left.closed);
    await fails('aborted', () => left.close());
    await collect(right);
    await right.closed;
    close();
  },

  async 'a connection closed below ends its channels with connection_closed'() {
    const { near, far, left, right } = await pair();
    const reading = fails('connection_closed', () => collect(right));
    far.close();
    await reading;
    await fails('connection_closed', () => right.closed);
    // Firefox may tell the other side no more than that the channel has closed.
    const end = await left.closed.then(() => 'closed' as const, (error: unknown) => (error as WdcError).code);
    check(end === 'connection_closed' || (end === 'closed' && navigator.userAgent.includes('Firefox')), `${end} over there`);
    await fails(end, () => left.send('late'));
    near.close();
  },

  async 'disposal by `using` stops and closes'() {
    if (typeof Symbol.asyncDispose !== 'symbol' || typeof Symbol.dispose !== 'symbol') return;
    const { left, right, close } = await pair();
    right.startListening(() => undefined)[Symbol.dispose]();
    right.startListening(() => undefined);
    await left[Symbol.asyncDispose]();
    equal(left.readyState, 'closed', 'the state');
    await right.closed;
    close();
  },
};
