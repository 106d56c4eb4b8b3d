// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// Readers: one at a time, what they are given, and what becomes of messages without one; package_page.ts runs this with the
// others.
import { bytesOf, check, collect, equal, fails, pair, plain, rejectsWith, take, until } from './package_pair.js';

export const readingTests: Record<string, () => Promise<void>> = {
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
};
