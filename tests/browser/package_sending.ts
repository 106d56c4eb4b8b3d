// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// What may be sent, when, and what becomes of it; package_page.ts runs this with the others.
import { WasmDataChannel, type SendData, type WdcError } from 'webrtc-data-channel';
import { bytesOf, check, collect, connections, equal, fails, pair, plain, rejectsWith, take } from './package_pair.js';

export const sendingTests: Record<string, () => Promise<void>> = {
  async 'every kind of data arrives as its bytes, text as text'() {
    const { left, right, close } = await pair();
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
    new Uint8Array(shared).set([7, 8, 9]);
    const buffer = bytesOf(1, 2, 3, 4, 5, 6, 7, 8).buffer;
    const resizable = new (ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer)(4, { maxByteLength: 64 });
    new Uint8Array(resizable).set([1, 3, 5, 7]);
    const sent: [SendData, number[] | string][] = [
      [buffer, [1, 2, 3, 4, 5, 6, 7, 8]],
      [new Uint8Array(buffer, 2, 3), [3, 4, 5]],
      [new DataView(buffer, 6), [7, 8]],
      [new Uint16Array(buffer, 4, 1), [5, 6]],
      [new Uint8Array(shared, 1, 2), [8, 9]],
      [new Uint8Array(resizable, 1, 2), [3, 5]],
      [resizable, [1, 3, 5, 7]],
      [[0, 128, 255], [0, 128, 255]],
      [new Blob([bytesOf(4, 2)]), [4, 2]],
      [new ArrayBuffer(0), []],
      [new Uint8Array(buffer, 3, 0), []],
      [[], []],
      [new Blob([]), []],
      ['', ''],
      ['a\0b', 'a\0b'],
      ['grüße €😀', 'grüße €😀'],
      ['lone \ud83d', 'lone \ufffd'],
    ];
    const received = take(right, sent.length);
    for (const [data] of sent) await left.send(data);
    equal(plain(await received), sent.map(([, expected]) => expected), 'what arrived');
    await left.close();
    await right.closed;
    close();
  },

  async 'wrong data is refused with the type it met, and the channel goes on'() {
    const { left, right, close } = await pair();
    for (const [data, said] of [
      [7, 'a number'], [null, 'null'], [undefined, 'undefined'], [{}, 'an object'], [new Date(), 'a Date'],
      [true, 'a boolean'], [[256], '256'], [[-1], '-1'], [['1'], 'a string'], [new Map(), 'a Map'],
    ] as const) {
      const error = await fails('invalid_argument', () => left.send(data as unknown as SendData));
      check(error.message.includes(said), `${error.message} says ${said}`);
      const thrown = await fails('invalid_argument', () => left.trySend(data as unknown as string));
      check(thrown.message.includes(said), `${thrown.message} says ${said}`);
    }
    await fails('invalid_argument', () => left.trySend(new Blob([]) as unknown as string));
    const detached = new ArrayBuffer(8);
    structuredClone(detached, { transfer: [detached] });
    await fails('invalid_argument', () => left.send(detached));
    const { buffer } = new WebAssembly.Memory({ initial: 1 });
    await fails('invalid_argument', () => left.send(new Uint8Array(buffer, 0, 1), { transfer: true }));
    await left.send('still here');
    equal(await take(right, 1), ['still here'], 'what arrived');
    await left.close();
    close();
  },

  async 'sending before open is not_open, after close closed'() {
    const { near, far, negotiate, close } = connections();
    const channel = new WasmDataChannel(near.createDataChannel('early'), { peerConnection: near });
    equal(channel.readyState, 'connecting', 'the state');
    await fails('not_open', () => channel.send('early'));
    await fails('not_open', () => channel.trySend('early'));
    await fails('not_open', () => channel.send(new Blob(['early'])));
    const untouched = bytesOf(1, 2);
    await fails('not_open', () => channel.send(untouched, { transfer: true }));
    equal(untouched.length, 2, 'bytes of a send that was refused');
    const arrived = new Promise<WasmDataChannel>((resolve) => {
      far.ondatachannel = (announced) => resolve(new WasmDataChannel(announced.channel));
    });
    await negotiate();
    await channel.opened;
    const other = await arrived;
    equal(channel.readyState, 'open', 'the state');
    const closing = channel.close();
    equal(channel.readyState, 'closing', 'the state');
    await fails('closed', () => channel.send('late'));
    await fails('closed', () => channel.trySend('late'));
    await fails('closed', () => channel.send(new Blob(['late'])));
    await closing;
    await other.closed;
    equal([channel.readyState, other.readyState], ['closed', 'closed'], 'the states');
    await fails('closed', () => channel.send('late'));
    await fails('closed', () => other.send('late'));
    check(channel.close() === channel.close(), 'close() again gives the same promise');
    await other.close();
    close();
  },

  // What browsers would take: a detached array as an empty message, anything while a Blob is read, and Firefox what follows a close.
  async 'a Uint8Array behind others of its kind is refused like any other data'() {
    const { left, right, close } = await pair();
    const received = take(right, 5);
    await left.send(bytesOf(1));
    check(left.trySend(bytesOf(2)), 'the second goes');
    const blob = left.send(new Blob([bytesOf(3)]));
    equal(left.trySend(bytesOf(9)), false, 'trySend behind a Blob');
    const behind = left.send(bytesOf(4));
    await Promise.all([blob, behind]);
    const detached = bytesOf(9);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    await fails('invalid_argument', () => left.send(detached));
    await fails('invalid_argument', () => left.trySend(detached));
    check(left.trySend(new Uint8Array(0)), 'an empty one goes');
    equal(plain(await received), [[1], [2], [3], [4], []], 'what arrived');
    const closing = left.close();
    await fails('closed', () => left.send(bytesOf(9)));
    await fails('closed', () => left.trySend(bytesOf(9)));
    await closing;
    await fails('closed', () => left.send(bytesOf(9)));
    await fails('closed', () => left.trySend(bytesOf(9)));
    await right.closed;
    close();
  },

  async 'a message that is too large says both numbers, and the channel goes on'() {
    const { left, right, close } = await pair({ maxMessageSize: 65_536 });
    equal(left.maxMessageSize, 65_536, 'the limit');
    for (const attempt of [
      () => left.send(new Uint8Array(65_537)),
      () => left.trySend(new Uint8Array(65_537)),
      () => left.send(new Blob([new Uint8Array(65_537)])),
      () => left.send(`${'x'.repeat(65_534)}€`),
    ]) {
      const { value, limit, message } = await fails('message_too_large', attempt);
      equal([value, limit], [65_537, 65_536], 'the numbers');
      check(message.includes('65537') && message.includes('65536'), message);
    }
    const received = take(right, 1);
    await left.send(new Uint8Array(65_536));
    equal((await received)[0]!.length, 65_536, 'the largest');
    await left.close();
    close();
  },

  async 'a caller may reuse its buffer at once, also while send waits'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 65_536, sendLowWaterMark: 16_384 } });
    const count = 400;
    const received = take(right, count);
    const buffer = new Uint8Array(8192);
    const sends = [];
    for (let index = 0; index < count; index += 1) {
      buffer.fill(index % 251);
      sends.push(left.send(buffer));
      buffer.fill(255);
    }
    await Promise.all(sends);
    const messages = await received as Uint8Array[];
    messages.forEach((message, index) => {
      check(message.length === 8192 && message.every((byte) => byte === index % 251), `message ${index} as it was`);
    });
    const stats = left.stats();
    check(stats.sendWaits > 0, 'some had to wait');
    equal([stats.messagesSent, stats.bytesSent, stats.sendQueueOperations], [count, count * 8192, 0], 'statistics');
    await left.close();
    close();
  },

  async 'too many waiting sends are send_queue_full, and the ones before arrive'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 1024, sendQueueOperations: 4 } });
    const received = collect(right);
    const big = new Uint8Array(60_000);
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => left.send(big)));
    const refused = results.filter((result) => result.status === 'rejected');
    check(refused.length > 0 && refused.length < 12, `${refused.length} were refused`);
    for (const { reason } of refused) {
      const { code, limit } = reason as WdcError;
      equal([code, limit], ['send_queue_full', 4], 'the error');
    }
    await left.close();
    equal((await received).length, 12 - refused.length, 'arrived');
    close();
  },

  async 'transfer moves the bytes'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 1024 } });
    const received = collect(right);
    const sends = [];
    for (let index = 0; index < 20; index += 1) {
      const data = new Uint8Array(30_000).fill(index);
      sends.push(left.send(data.subarray(10_000, 20_000), { transfer: true }));
      equal(data.length, 0, 'bytes left behind');
    }
    await Promise.all(sends);
    await left.close();
    const messages = await received as Uint8Array[];
    equal(messages.map((message) => [message.length, message[0], message.at(-1)]),
      Array.from({ length: 20 }, (_, index) => [10_000, index, index]), 'what arrived');
    close();
  },

  async 'Blobs keep their place between other sends'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 16_384 } });
    const received = collect(right);
    const sends: Promise<void>[] = [];
    const reused = new Uint8Array(4);
    for (let index = 0; index < 60; index += 1) {
      reused.fill(index);
      if (index % 5 === 1) {
        sends.push(left.send(new Blob([new Uint8Array(50_000).fill(index)])));
        equal(left.trySend('would overtake'), false, 'trySend behind a Blob');
      } else if (index % 5 === 3) sends.push(left.send(`text ${index}`));
      else sends.push(left.send(reused));
    }
    reused.fill(255);
    const closing = left.close();
    await Promise.all(sends);
    await closing;
    const seen = (await received).map((message) => (typeof message === 'string' ? Number(message.slice(5)) : message[0]));
    equal(seen, Array.from({ length: 60 }, (_, index) => index), 'the order');
    close();
  },

  async 'sends behind a Blob that were taken back leave their place, and are not read'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 1024, sendQueueOperations: 4 } });
    const received = collect(right);
    const big = [left.send(new Uint8Array(60_000).fill(1)), left.send(new Uint8Array(60_000).fill(2))]; // the second waits
    let reads = 0;
    const blob = (content: string) => {
      const made = new Blob([content]);
      return Object.assign(made, {
        arrayBuffer: () => {
          reads += 1;
          return Blob.prototype.arrayBuffer.call(made);
        },
      });
    };
    const reason = new Error('enough');
    const controller = new AbortController();
    const { signal } = controller;
    const taken = [blob('x'), 'y', blob('z')].map((data) => rejectsWith(reason, left.send(data, { signal })));
    const full = fails('send_queue_full', () => left.send('one too many'));
    controller.abort(reason);
    const later = [blob('a'), 'b', 'c'].map((data) => left.send(data));
    await Promise.all([...taken, full, ...big, ...later]);
    equal(reads, 1, 'Blobs that were read');
    await left.close();
    equal((await received).map((message) => (typeof message === 'string' ? message : message[0])), [1, 2, 97, 'b', 'c'], 'what arrived');
    close();
  },
};
