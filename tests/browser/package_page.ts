// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// The package's tests, in the page: each a function by its name. package.test.mjs runs them.
import {
  counts, incoming, WasmDataChannel, WebRtcDataChannel, type HostCounts, type SendData, type WdcError,
} from 'webrtc-data-channel';
import { counts as framedCounts } from 'webrtc-data-channel/framed';
import './export_calls.js';
import {
  bytesOf, check, collect, connections, equal, event, fails, pair, plain, rejectsWith, take, until,
} from './package_pair.js';
import { announcedTests } from './package_announced.js';
import { directTests } from './package_direct.js';
import { exampleTests } from './package_examples.js';
import { framedTests } from './package_framed.js';
import { lentTests } from './package_lent.js';
import { loneTests } from './package_lone.js';
import { streamTests } from './package_streams.js';
import { workerTests } from './package_workers.js';

const tests: Record<string, () => Promise<void>> = {
  async 'the example of the README works as written'() {
    const { near, left, right, far } = await pair();
    far.ondatachannel = null;
    const rtcChannel = near.createDataChannel('example');
    const other = new Promise<RTCDataChannel>((resolve) => {
      far.addEventListener('datachannel', ({ channel }) => resolve(channel));
    });
    const received: number[][] = [];
    const opened = event(rtcChannel, 'open');
    {
      const channel = new WasmDataChannel(rtcChannel);
      await opened;
      const echo = new WasmDataChannel(await other);
      echo.startListening((bytes) => void echo.send(bytes));
      const arrived = new Promise<void>((resolve) => {
        channel.startListening((bytes) => {
          received.push([...bytes]);
          resolve();
        });
      });
      await channel.send(new Uint8Array([1, 2, 3]));
      await arrived;
      await channel.close();
      await echo.closed;
    }
    equal(received, [[1, 2, 3]], 'what came back');
    await Promise.all([left.close(), right.close()]);
    near.close();
    far.close();
  },

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

  async 'binary messages stand over a buffer of their own; text is UTF-8 bytes unless asked for'() {
    const { left, right, close } = await pair();
    const messages: Uint8Array[] = [];
    const strings: unknown[] = [];
    for (const [text, target] of [[false, messages], [true, strings]] as const) {
      const stop = right.startListening((message) => void (target as unknown[]).push(message), { text });
      await left.send('€');
      await left.send(bytesOf(1, 2));
      await until(() => target.length === 2);
      await fails('consumer_busy', () => right.messages().next());
      await left.send('end');
      await until(() => target.length === 3);
      stop();
    }
    equal(plain(messages), [[0xe2, 0x82, 0xac], [1, 2], [0x65, 0x6e, 0x64]], 'without text');
    equal(plain(strings as (Uint8Array | string)[]), ['€', [1, 2], 'end'], 'with text');
    check(messages.every(({ byteOffset, buffer, length }) => byteOffset === 0 && buffer.byteLength === length), 'own buffers');
    await left.close();
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

  async 'closing before open ends both waits'() {
    const { near, close } = connections();
    const channel = new WasmDataChannel(near.createDataChannel('never'), { peerConnection: near });
    const opened = fails('closed', () => channel.opened);
    await channel.close();
    await opened;
    await channel.closed;
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

  async 'one consumer at a time; the next goes on where it stopped'() {
    const { left, right, close } = await pair();
    const stop = right.startListening(() => undefined);
    await fails('consumer_busy', () => right.startListening(() => undefined));
    await fails('consumer_busy', () => right.messages().next());
    await fails('consumer_busy', async () => {
      for await (const message of right) check(false, `a message, ${message.length} bytes`);
    });
    stop();
    stop();
    const iterator = right.messages();
    const first = iterator.next();
    await fails('consumer_busy', () => right.startListening(() => undefined));
    for (let index = 0; index < 6; index += 1) await left.send([index]);
    equal((await first).value![0], 0, 'the first');
    await iterator.return();
    equal((await iterator.next()).done, true, 'after return()');
    for await (const message of right) {
      equal(message[0], 1, 'the second');
      break;
    }
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      const stopAtThree = right.startListening((message) => {
        seen.push(message[0]!);
        if (message[0] !== 3) return;
        stopAtThree();
        right.startListening((later) => {
          seen.push(later[0]!);
          if (later[0] === 5) resolve();
        });
      });
    });
    equal(seen, [2, 3, 4, 5], 'the rest');
    await left.close();
    close();
  },

  async 'several next() at once are answered in order'() {
    const { left, right, close } = await pair();
    const iterator = right.messages();
    const results = [iterator.next(), iterator.next(), iterator.next()];
    await left.send([1]);
    await left.send([2]);
    await left.close();
    const settled = await Promise.all(results);
    equal(settled.map(({ value, done }) => [value?.[0] ?? null, done]), [[1, false], [2, false], [null, true]], 'answers');
    close();
  },

  async 'a callback that throws is reported, and the listening goes on'() {
    const { left, right, close } = await pair();
    const reported: unknown[] = [];
    const onError = (event: ErrorEvent) => {
      reported.push(event.error);
      event.preventDefault();
    };
    addEventListener('error', onError);
    const seen: number[] = [];
    const done = new Promise<void>((resolve) => {
      right.startListening((message) => {
        seen.push(message[0]!);
        if (message[0] === 2) resolve();
        throw new Error(`callback ${message[0]}`);
      });
    });
    for (let index = 0; index < 3; index += 1) await left.send([index]);
    await done;
    await left.close();
    removeEventListener('error', onError);
    equal(seen, [0, 1, 2], 'calls');
    equal(reported.map((error) => (error as Error).message), ['callback 0', 'callback 1', 'callback 2'], 'reports');
    close();
  },

  async 'signals end listening, reading and a send that waits'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 1024, sendLowWaterMark: 0 } });
    const reason = new Error('enough');
    right.startListening(() => undefined, { signal: AbortSignal.abort(reason) });
    const listening = new AbortController();
    right.startListening(() => undefined, { signal: listening.signal });
    listening.abort(reason);
    const reading = new AbortController();
    const next = right.messages({ signal: reading.signal }).next();
    reading.abort(reason);
    await rejectsWith(reason, next);
    await rejectsWith(reason, right.messages({ signal: AbortSignal.abort(reason) }).next());
    await rejectsWith(reason, left.send('never', { signal: AbortSignal.abort(reason) }));

    const sending = new AbortController();
    const sends = Array.from({ length: 8 }, (_, index) => left.send(new Uint8Array(60_000).fill(index)));
    const taken = [
      rejectsWith(reason, left.send(new Uint8Array(100).fill(100), { signal: sending.signal })),
      rejectsWith(reason, left.send(new Blob(['x']), { signal: sending.signal })),
      rejectsWith(reason, left.send('behind the Blob', { signal: sending.signal })),
    ];
    const last = left.send([99], { signal: new AbortController().signal });
    sending.abort(reason);
    await Promise.all(taken);
    await Promise.all([...sends, last]);
    const received = await take(right, 9) as Uint8Array[];
    equal(received.map((message) => message[0]), [0, 1, 2, 3, 4, 5, 6, 7, 99], 'what arrived');
    await left.close();
    close();
  },

  async 'wrapping twice or a closed channel is refused'() {
    const { near, left, close } = await pair();
    const rtcChannel = near.createDataChannel('again');
    const channel = new WasmDataChannel(rtcChannel);
    await fails('already_wrapped', () => new WasmDataChannel(rtcChannel));
    await fails('already_wrapped', () => new WebRtcDataChannel(rtcChannel));
    await channel.opened;
    await channel.close();
    await fails('already_wrapped', () => new WasmDataChannel(rtcChannel));
    const closed = near.createDataChannel('closed');
    const end = event(closed, 'close');
    await event(closed, 'open');
    closed.close();
    await end;
    await fails('closed', () => new WasmDataChannel(closed));
    await left.close();
    close();
  },

  async 'the default entry refuses framed mode and names the entry that has it'() {
    const connection = new RTCPeerConnection();
    const framed = connection.createDataChannel('framed', { protocol: 'wdc.framed.v1' });
    const { message } = await fails('unsupported', () => new WasmDataChannel(framed));
    check(message.includes('webrtc-data-channel/framed'), message);
    connection.close();
  },

  async 'wrong options are refused and leave the channel as it is'() {
    const { near, left, close } = await pair();
    const rtcChannel = near.createDataChannel('options');
    for (const options of [
      { receiveQueueBytes: 0 }, { receiveQueueBytes: -1 }, { receiveQueueMessages: 2 ** 24 + 1 }, { sendHighWaterMark: 1.5 },
      { sendHighWaterMark: 17 * 1024 * 1024 }, { sendHighWaterMark: 100, sendLowWaterMark: 101 }, { sendQueueOperations: 0 },
      { closeTimeoutMs: 0 }, { closeTimeoutMs: NaN }, { closeTimeoutMs: 2 ** 31 }, { disconnectedTimeoutMs: 0 }, { disconnectedTimeoutMs: 2 ** 31 },
      { receiveOverflow: 'never' }, { receiveQueueBytes: '1' },
    ]) {
      const error = await fails('invalid_argument', () => new WasmDataChannel(rtcChannel, options as object));
      check(error.message.length > 40, error.message);
      await fails('invalid_argument', () => incoming(near, options as object));
    }
    await incoming(near).return(); // nobody has the connection
    await new WasmDataChannel(rtcChannel).close();
    await left.close();
    close();
  },

  async 'members tell what the channel is'() {
    const { near, left, right, close } = await pair({ init: { ordered: false, maxRetransmits: 3, protocol: 'p' } });
    for (const channel of [left, right]) {
      const { label, protocol, ordered, maxRetransmits, maxPacketLifeTime, negotiated, readyState, bufferedAmount } = channel;
      equal({ label, protocol, ordered, maxRetransmits, maxPacketLifeTime, negotiated, readyState, bufferedAmount }, {
        label: 'a label', protocol: 'p', ordered: false, maxRetransmits: 3, maxPacketLifeTime: null, negotiated: false,
        readyState: 'open', bufferedAmount: 0,
      }, 'members');
      check(typeof channel.id === 'number', 'an id');
      check(channel.maxMessageSize >= 65_536, `maxMessageSize ${channel.maxMessageSize}`);
    }
    check(left.peerConnection === near, 'the connection');
    equal(left.id, right.id, 'the id');
    await left.close();
    equal([left.label, left.maxMessageSize, left.bufferedAmount], ['a label', 0, 0], 'members after the close');
    close();
  },

  async 'a queue that overflows closes with an error, or drops as told'() {
    const results: Record<string, unknown> = {};
    for (const receiveOverflow of ['drop-oldest', 'drop-newest'] as const) {
      const { left, right, close } = await pair({ far: { receiveQueueMessages: 3, receiveOverflow } });
      for (let index = 0; index < 6; index += 1) await left.send([index]);
      await left.close();
      await right.closed;
      const { messagesReceived, messagesDropped, bytesDropped } = right.stats();
      results[receiveOverflow] = [plain(await collect(right)), messagesReceived, messagesDropped, bytesDropped];
      close();
    }
    equal(results, { 'drop-oldest': [[[3], [4], [5]], 6, 3, 3], 'drop-newest': [[[0], [1], [2]], 6, 3, 3] }, 'what was kept');

    const { left, right, close } = await pair({ far: { receiveQueueMessages: 3 } });
    const sends = Promise.allSettled(Array.from({ length: 6 }, (_, index) => left.send([index])));
    const { value, limit } = await fails('receive_overflow', () => right.closed);
    equal([value, limit], [4, 3], 'the numbers');
    const got: number[] = [];
    await fails('receive_overflow', async () => {
      for await (const message of right) got.push(message[0]!);
    });
    equal(got, [0, 1, 2], 'what was queued');
    await sends;
    await left.closed;
    close();
  },

  async 'messages that nobody wants are counted and dropped'() {
    const { left, right, close } = await pair({ far: { discardReceived: true } });
    for (let index = 0; index < 10; index += 1) await left.send([1, 2]);
    await left.close();
    await right.closed;
    equal([right.stats().messagesDropped, right.stats().bytesDropped], [10, 20], 'dropped');
    equal(await collect(right), [], 'delivered');
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

  async 'incoming() wraps in time and in order'() {
    const { near, far, left, close } = await pair();
    far.ondatachannel = null;
    const signal = new AbortController();
    const channels = incoming(far, { signal: signal.signal, receiveQueueMessages: 10 });
    await fails('consumer_busy', () => incoming(far));
    const sent = ['one', 'two', 'three'].map((label) => near.createDataChannel(label));
    for (const channel of sent) channel.onopen = () => channel.send(`of ${channel.label}`);
    const seen: string[] = [];
    const all: WasmDataChannel[] = [];
    for await (const channel of channels) {
      await new Promise((resolve) => setTimeout(resolve)); // late, and nothing is lost
      seen.push(`${channel.label}: ${String(await take(channel, 1))}`);
      check(channel.peerConnection === far, 'the connection');
      if (all.push(channel) === 3) break;
    }
    equal(seen.sort(), ['one: of one', 'three: of three', 'two: of two'], 'what came');
    await Promise.all(all.map((channel) => channel.close()));

    const again = incoming(far, { signal: signal.signal });
    const waiting = again.next();
    const reason = new Error('enough');
    signal.abort(reason);
    await rejectsWith(reason, waiting);
    equal((await again.next()).done, true, 'after the end');

    const last = incoming(far);
    const untilClosed = last.next();
    const announced = near.createDataChannel('last');
    check((await untilClosed).value?.label === 'last', 'the last');
    const pending = last.next();
    await left.close();
    close();
    void announced;
    equal((await pending).done, true, 'after the connection was closed');
  },

  async 'incoming() ends with the error of a channel that cannot be wrapped'() {
    const { near, far, left, right, close } = await pair();
    far.ondatachannel = null;
    const greedy = ({ channel }: RTCDataChannelEvent) => {
      if (channel.label === 'taken') mine.push(new WasmDataChannel(channel));
    };
    const mine: WasmDataChannel[] = [];
    far.addEventListener('datachannel', greedy);
    const channels = incoming(far);
    const here = ['free', 'taken'].map((label) => new WasmDataChannel(near.createDataChannel(label)));
    await until(() => mine.length === 1);
    const first = (await channels.next()).value!;
    equal(first.label, 'free', 'what came before');
    await fails('already_wrapped', () => channels.next());
    equal((await channels.next()).done, true, 'after the end');
    await here[1]!.opened;
    await here[1]!.send('to the other handler');
    equal(await take(mine[0]!, 1), ['to the other handler'], 'a channel of somebody else goes on');

    const again = incoming(far);
    const waiting = [again.next(), again.next()];
    here.push(new WasmDataChannel(near.createDataChannel('taken')));
    for (const next of waiting) await fails('already_wrapped', () => next);
    await incoming(far).return(); // the connection is free
    await Promise.all(here.map((channel) => channel.close()));
    await left.close();
    await right.closed;
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

  async 'WebRtcDataChannel sends, streams and closes'() {
    const { near, far, left, close } = await pair();
    const rtcChannel = near.createDataChannel('thin');
    const arrived = new Promise<WebRtcDataChannel>((resolve) => {
      far.ondatachannel = ({ channel }) => resolve(new WebRtcDataChannel(channel));
    });
    await event(rtcChannel, 'open');
    const here = new WebRtcDataChannel(rtcChannel, { peerConnection: near });
    const there = await arrived;
    const stream = there.message_stream();
    await here.send_bytes(bytesOf(1, 2, 3));
    await here.send_text('text');
    await fails('invalid_argument', () => here.send_bytes('text' as unknown as Uint8Array));
    await fails('invalid_argument', () => here.send_text(7 as unknown as string));
    const first = await stream.next();
    equal([[...first.value as Uint8Array], first.done], [[1, 2, 3], false], 'the first');
    equal(await stream.next(), { value: 'text', done: false }, 'the second');
    await fails('consumer_busy', () => there.message_stream().next());
    for (const timeoutMs of [0, -1, 1.5, NaN, Infinity, 2 ** 31]) await fails('invalid_argument', () => here.close(timeoutMs));
    const closing = here.close();
    const end = await stream.next();
    equal([end.value === undefined, end.done], [true, true], 'the end');
    await closing;
    await fails('closed', () => here.send_bytes(bytesOf(1)));
    await there.close();
    await left.close();
    close();
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

  async 'many channels come and go on one connection'() {
    const { near, far, left, close } = await pair();
    far.ondatachannel = null;
    const channels = incoming(far);
    for (let round = 0; round < 20; round += 1) {
      const here = new WasmDataChannel(near.createDataChannel(`channel ${round}`));
      const there = (await channels.next()).value!;
      await here.opened;
      await here.send(`${round}`);
      equal(await take(there, 1), [`${round}`], 'arrived');
      await (round % 2 === 0 ? here : there).close();
      await Promise.all([here.closed, there.closed]);
    }
    await channels.return();
    await left.close();
    close();
  },
};

/** A trap is provoked by filling the module's memory with ones, which takes a hold of it from outside. */
async function trap(): Promise<void> {
  const instances: WebAssembly.Instance[] = [];
  const original = WebAssembly.Instance;
  WebAssembly.Instance = class extends original {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      instances.push(this);
    }
  };
  const { left, right, close } = await pair();
  equal(instances.length, 1, 'instances: all channels share one');
  const reading = fails('wasm_trapped', () => collect(right));
  const idle = await pair(); // readers that are not inside next() when it happens
  equal(instances.length, 1, 'instances: still one');
  const iterator = idle.left.messages();
  const stream = idle.right.readable.getReader();
  await Promise.all([idle.left, idle.right].map((channel) => channel.send('read')));
  await Promise.all([iterator.next(), stream.read()]);
  await Promise.all([idle.left, idle.right].map((channel) => channel.send('unread')));
  await until(() => [idle.left, idle.right].every((channel) => channel.stats().receiveQueueMessages === 1));
  new Uint8Array((instances[0]!.exports['memory'] as WebAssembly.Memory).buffer).fill(0xff);
  await fails('wasm_trapped', () => left.send('x'));
  await reading;
  for (const channel of [left, right]) {
    await fails('wasm_trapped', () => channel.closed);
    await fails('wasm_trapped', () => channel.send('x'));
    equal(channel.readyState, 'closed', 'the state');
  }
  await fails('wasm_trapped', () => iterator.next());
  equal((await iterator.next()).done, true, 'the error was told');
  await fails('wasm_trapped', () => stream.read());
  await fails('wasm_trapped', () => collect(idle.left));
  idle.close();
  close();
  const fresh = await pair();
  equal(instances.length, 2, 'instances: a fresh one');
  await fresh.left.send('alive');
  equal(await take(fresh.right, 1), ['alive'], 'over the fresh one');
  await fresh.left.close();
  await fresh.right.closed;
  fresh.close();
  WebAssembly.Instance = original;
}

/**
 * The module's memory gets a maximum, which it has already: it can never grow. Channels are wrapped until one is refused; the
 * others go on, and closing them makes room for new ones.
 */
async function noRoom(): Promise<void> {
  const original = WebAssembly.Module;
  WebAssembly.Module = class extends original {
    constructor(bytes: BufferSource) {
      super(withFixedMemory(new Uint8Array(bytes as ArrayBuffer)));
    }
  };
  const { near, far, left, right, close } = await pair();
  far.ondatachannel = null;
  const wrapped: WasmDataChannel[] = [];
  const refused = near.createDataChannel('refused');
  await fails('out_of_memory', () => {
    for (let index = 0; index < 10_000; index += 1) wrapped.push(new WasmDataChannel(near.createDataChannel(`${index}`)));
  });
  check(wrapped.length > 3, `${wrapped.length} were wrapped`);
  await fails('out_of_memory', () => new WasmDataChannel(refused));
  for (let index = 0; index < 100; index += 1) {
    await left.send(`message ${index}`);
    equal(await take(right, 1), [`message ${index}`], 'over a channel that was there before');
  }
  equal(counts().channels, wrapped.length + 2, 'channels');
  const channels = incoming(far);
  const announced = near.createDataChannel('announced');
  const end = event(announced, 'close');
  await fails('out_of_memory', () => channels.next());
  await end;
  await Promise.all(wrapped.map((channel) => channel.close()));
  await until(() => counts().channels === 2);
  await new WasmDataChannel(near.createDataChannel('again')).close();
  refused.close();
  await left.close();
  await right.closed;
  close();
  WebAssembly.Module = original;
}

/** WebAssembly whose one memory has its initial size as its maximum. */
function withFixedMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = 8;
  const number = (): number => { // unsigned LEB128
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (bytes[at] !== 5) { // the memory section
    at += 1;
    const size = number();
    at += size;
  }
  const start = at;
  at += 1;
  number();
  equal([number(), number()], [1, 0], 'one memory, without a maximum');
  const pagesAt = at;
  number();
  const pages = bytes.subarray(pagesAt, at);
  const section = [1, 1, ...pages, ...pages];
  return bytesOf(...bytes.subarray(0, start), 5, section.length, ...section, ...bytes.subarray(at));
}

/** All room for memories in this page is taken: there is none for the module's. */
async function noModule(): Promise<void> {
  const taken: WebAssembly.Memory[] = []; // 125 in Chromium, 999 in Firefox
  try {
    for (let index = 0; index < 100_000; index += 1) taken.push(new WebAssembly.Memory({ initial: 1 }));
  } catch (error) {
    check(error instanceof RangeError || error === 'out of memory', String(error));
  }
  const connection = new RTCPeerConnection();
  const channel = connection.createDataChannel('x');
  await fails('out_of_memory', () => new WasmDataChannel(channel));
  equal(channel.readyState, 'connecting', 'a channel that was not touched');
  check(taken.length > 0, 'the memories are held until here');
  connection.close();
}

/** What `new WasmDataChannel` throws in this page. */
async function wrapError(): Promise<{ code: string; message: string }> {
  const connection = new RTCPeerConnection();
  try {
    const { code, message } = await fails('wasm_blocked', () => new WasmDataChannel(connection.createDataChannel('x')));
    return { code, message };
  } finally {
    connection.close();
  }
}

/** The counts of both entries together once they are all zero, or as they are after 5 s. */
async function settledCounts(): Promise<HostCounts> {
  const both = (): HostCounts => {
    const sum = counts();
    const others = framedCounts();
    for (const name of Object.keys(others) as (keyof HostCounts)[]) sum[name] += others[name];
    return sum;
  };
  for (let tries = 0; tries < 100 && Object.values(both()).some((count) => count !== 0); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return both();
}

const all = { ...tests, ...directTests, ...announcedTests, ...streamTests, ...workerTests, ...exampleTests, ...framedTests, ...lentTests, ...loneTests };

Object.assign(globalThis, {
  packageTests: {
    names: Object.keys(all),
    run: (name: string) => all[name]!(),
    noModule,
    noRoom,
    settledCounts,
    trap,
    wrapError,
  },
});
