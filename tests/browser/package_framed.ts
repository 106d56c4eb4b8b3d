// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// Framed mode in the page: messages of any size, in parts, with what becomes of them.
import {
  WasmDataChannel, WebRtcDataChannel, type ChannelOptions, type IncomingMessage, type SendData, type WdcError,
} from 'webrtc-data-channel/framed';
import {
  bytesOf, check, collect, equal, fails, pair, plain, rejectsWith, take, until, type Pair,
} from './package_pair.js';

export const protocol = 'wdc.framed.v1';

export const framedPair = (near: ChannelOptions = {}, far: ChannelOptions = {}, init: RTCDataChannelInit = {}): Promise<Pair> =>
  pair({ init: { protocol, ...init }, near, far });

/** Bytes that are those of their place in message `seed`. */
export function pattern(size: number, seed: number, offset = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) bytes[index] = (Math.imul(offset + index, 2654435761) >>> 24) ^ seed;
  return bytes;
}

function isPattern(bytes: Uint8Array, seed: number, offset = 0): boolean {
  return bytes.every((byte, index) => byte === (((Math.imul(offset + index, 2654435761) >>> 24) ^ seed) & 255));
}

/** A stream of `size` bytes of a pattern; counts what was asked for. */
function patternStream(size: number, seed: number, chunk = 10_000): { stream: ReadableStream<Uint8Array<ArrayBuffer>>; asked: () => number } {
  let offset = 0;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const next = Math.min(chunk, size - offset);
      if (next > 0) controller.enqueue(pattern(next, seed, offset));
      else controller.close();
      offset += next;
    },
  }, { highWaterMark: 0 });
  return { stream, asked: () => offset };
}

/** The next message that begins. */
async function next(messages: AsyncIterator<IncomingMessage, undefined>): Promise<IncomingMessage> {
  const { value } = await messages.next();
  check(value, 'a message began');
  return value;
}

export async function closed({ left, right, close }: Pair): Promise<void> {
  await Promise.all([left.close(), right.close()]);
  close();
}

export const framedTests: Record<string, () => Promise<void>> = {
  async 'framed: the protocol says so, with the user\'s own behind a plus'() {
    for (const [name, expected] of [
      [protocol, true], [`${protocol}+mine`, true], ['', false], ['wdc.framed.v10', false], ['wdc.framed', false],
    ] as const) {
      const both = await pair({ init: { protocol: name } });
      equal([both.left.framed, both.right.framed, both.left.protocol], [expected, expected, name], name);
      await closed(both);
    }
  },

  async 'framed: every kind of data arrives as its bytes, text as text'() {
    const both = await framedPair();
    const { left, right } = both;
    const buffer = bytesOf(1, 2, 3, 4, 5, 6, 7, 8).buffer;
    const sent: [SendData, number[] | string][] = [
      [buffer, [1, 2, 3, 4, 5, 6, 7, 8]],
      [new Uint8Array(buffer, 2, 3), [3, 4, 5]],
      [new DataView(buffer, 6), [7, 8]],
      [[0, 128, 255], [0, 128, 255]],
      [new Blob([bytesOf(4, 2)]), [4, 2]],
      [new ArrayBuffer(0), []],
      [new Blob([]), []],
      ['', ''],
      ['a\0b', 'a\0b'],
      ['grüße €😀', 'grüße €😀'],
      ['lone \ud83d', 'lone \ufffd'],
    ];
    const received = take(right, sent.length);
    for (const [data] of sent) await left.send(data);
    equal(plain(await received), sent.map(([, expected]) => expected), 'what arrived');
    await closed(both);
  },

  async 'framed: messages of many sizes arrive whole and in order, read by a listener, an iteration and a stream'() {
    const sizes = [0, 1, 63, 64, 65, 111, 112, 1000, 1024, 1025, 16_384, 65_536, 65_537, 200_000, 262_144, 1_000_000, 3, 70_000, 5];
    const both = await framedPair();
    const { left, right } = both;
    const sendAll = async (): Promise<void> => {
      for (const [index, size] of sizes.entries()) {
        if (index % 3 === 2) await left.send('x'.repeat(size));
        else await left.send(pattern(size, index));
      }
    };
    const checkAll = (messages: (Uint8Array | string)[]): void => {
      equal(messages.map(({ length }) => length), sizes, 'the sizes');
      for (const [index, message] of messages.entries()) {
        equal(typeof message === 'string', index % 3 === 2, `the type of ${index}`);
        check(typeof message === 'string' ? /^x*$/.test(message) : isPattern(message, index), `message ${index} as it was`);
      }
    };
    const listened: (Uint8Array | string)[] = [];
    const stop = right.startListening((message) => listened.push(message), { text: true });
    await sendAll();
    await until(() => listened.length === sizes.length);
    stop();
    checkAll(listened);

    const taken = take(right, sizes.length);
    await sendAll();
    checkAll(await taken);

    const reader = right.readableStream({ text: true }).getReader();
    const sending = sendAll();
    const read: (Uint8Array | string)[] = [];
    while (read.length < sizes.length) read.push((await reader.read()).value!);
    await sending;
    await reader.cancel();
    checkAll(read);
    await closed(both);
  },

  async 'framed: many small messages share frames and stay in order'() {
    const both = await framedPair();
    const { left, right } = both;
    const count = 20_000;
    let arrived = 0;
    let wrong = 0;
    right.startListening((message) => {
      if (new DataView(message.buffer, message.byteOffset).getUint32(0) !== arrived) wrong += 1;
      arrived += 1;
    });
    const message = new DataView(new ArrayBuffer(64));
    for (let index = 0; index < count; index += 1) {
      message.setUint32(0, index);
      await left.send(message);
    }
    await left.flush({ to: 'peer' });
    equal([arrived, wrong], [count, 0], 'what arrived');
    const { framesSent, messagesSent } = left.stats();
    check(framesSent < count / 100, `${framesSent} frames for ${messagesSent} messages`);
    equal(left.delivery(), { acknowledged: 64 * count, inDoubt: 0, unsent: 0 }, 'delivery');
    await closed(both);
  },

  async 'framed: a large message is what it was when send() returned, gone in part or not at all'() {
    const both = await framedPair({ sendHighWaterMark: 200_000 });
    const { left, right } = both;
    const size = 1_000_000;
    const sends: Promise<void>[] = [];
    const received = take(right, 3);
    for (const seed of [1, 2, 3]) {
      const bytes = pattern(size, seed);
      sends.push(left.send(bytes));
      bytes.fill(0);
    }
    await Promise.all(sends);
    check((await received).every((message, index) => {
      const bytes = message as Uint8Array;
      return bytes.length === size && isPattern(bytes, index + 1);
    }), 'what was sent');
    await closed(both);
  },

  async 'framed: small messages have buffers of their own, views share one'() {
    const both = await framedPair();
    const { left, right } = both;
    const sendSome = async (): Promise<void> => {
      for (const size of [1, 64, 1024, 1025, 2000]) await left.send(pattern(size, 9));
    };
    for (const views of [false, true]) {
      const messages: Uint8Array[] = [];
      const stop = right.startListening((message) => messages.push(message), { views });
      await left.send('first alone'); // the first on an idle channel goes at once
      await sendSome();
      await until(() => messages.length === 6);
      stop();
      const some = messages.slice(1);
      check(some.every((message) => isPattern(message, 9)), 'what arrived');
      const owned = some.map(({ buffer, byteLength }) => buffer.byteLength === byteLength);
      equal(owned, views ? [false, false, false, false, false] : [true, true, true, false, false], 'own buffers');
      check(some[3]!.buffer === some[4]!.buffer, 'large ones share a buffer');
    }
    await closed(both);
  },

  async 'framed: a view on what has just come is on the browser\'s own buffer, on what waited on a copy'() {
    const both = await framedPair();
    const { left, right } = both;
    const size = 3000;
    for (const seed of [1, 2]) {
      await left.send(pattern(size, seed));
      await until(() => right.stats().messagesReceived === seed); // a frame each
    }
    const messages: Uint8Array[] = [];
    const stop = right.startListening((message) => messages.push(message));
    await until(() => messages.length === 2);
    await left.send(pattern(size, 3));
    await until(() => messages.length === 3);
    stop();
    check(messages.every((message, index) => message.length === size && isPattern(message, index + 1)), 'what arrived');
    equal(messages.map(({ buffer }) => buffer.byteLength > size), [false, true, true], 'with the head of its frame before it');
    await closed(both);
  },

  async 'framed: a message of up to 256 KiB comes in one piece, in a buffer of its own'() {
    const both = await framedPair();
    const { left, right } = both;
    const sizes = [65_536, 65_537, 100_000, 262_144, 262_145];
    const sendAll = async (): Promise<void> => {
      for (const [index, size] of sizes.entries()) await left.send(pattern(size, index));
    };
    const whole = (message: unknown, index: number): boolean => {
      const bytes = message as Uint8Array;
      const own = bytes.length === 65_536 || bytes.buffer.byteLength === bytes.length; // that one fits a batch
      return bytes.length === sizes[index] && isPattern(bytes, index) && own;
    };
    for (const listens of [true, false]) {
      const reading = listens
        ? new Promise<Uint8Array[]>((resolve) => {
          const messages: Uint8Array[] = [];
          const stop = right.startListening((message) => {
            messages.push(message);
            if (messages.length < sizes.length) return;
            stop();
            resolve(messages);
          });
        })
        : take(right, sizes.length);
      await sendAll();
      check((await reading).every(whole), 'what was sent');
    }
    // What waited for its reader, too.
    await sendAll();
    await until(() => right.stats().messagesReceived === 3 * sizes.length);
    check((await take(right, sizes.length)).every(whole), 'what waited');
    await closed(both);
  },

  async 'framed: a listener that stops in the middle of a frame leaves the rest to the next reader, unacknowledged'() {
    const both = await framedPair();
    const { left, right } = both;
    const got: number[] = [];
    const stop = right.startListening((message) => {
      got.push(message[0]!);
      if (got.length === 40) stop();
    });
    for (let index = 0; index < 100; index += 1) await left.send(bytesOf(index));
    await until(() => got.length === 40);
    await left.flush();
    await new Promise((resolve) => setTimeout(resolve, 50)); // whatever it would say wrongly, it says by now
    check(left.delivery().acknowledged <= 40, `${left.delivery().acknowledged} acknowledged of 40 that were read`);
    const rest = await take(right, 60);
    equal([...got, ...rest.map((message) => (message as Uint8Array)[0])], Array.from({ length: 100 }, (_, index) => index), 'all of them');
    await left.flush({ to: 'peer' });
    equal(left.delivery(), { acknowledged: 100, inDoubt: 0, unsent: 0 }, 'delivery');
    await closed(both);
  },

  async 'framed: a callback may close, abort, or read on otherwise in the middle of a frame'() {
    for (const what of ['close', 'abort', 'read on'] as const) {
      const both = await framedPair();
      const { left, right } = both;
      const got: number[] = [];
      let rest: Promise<unknown[]> = Promise.resolve([]);
      const stop = right.startListening((message) => {
        got.push(message[0]!);
        if (got.length !== 10) return;
        if (what === 'close') void right.close().catch(() => undefined);
        if (what === 'abort') right.abort();
        if (what === 'read on') {
          stop();
          rest = take(right, 90);
        }
      });
      const sends = [];
      for (let index = 0; index < 100; index += 1) sends.push(left.send(bytesOf(index)).catch(() => undefined));
      await Promise.all(sends);
      await until(() => got.length >= 10);
      if (what === 'read on') equal((await rest).length, 90, 'the rest');
      if (what === 'abort') equal(got.length, 10, 'nothing after the abort');
      if (what === 'close') await until(() => right.readyState === 'closed');
      left.abort();
      right.abort();
      both.close();
    }
  },

  async 'framed: a stream goes as one message, read in parts in little memory'() {
    const size = 20_000_000;
    const both = await framedPair();
    const { left, right } = both;
    const { stream, asked } = patternStream(size, 3, 50_000);
    const sending = left.send(stream);
    const messages = right.incomingMessages();
    const message = await next(messages);
    equal([message.type, message.size], ['binary', undefined], 'what is known');
    let received = 0;
    let furthest = 0;
    for await (const part of message) {
      check(isPattern(part, 3, received), `the bytes from ${received}`);
      received += part.length;
      furthest = Math.max(furthest, asked() - received);
    }
    equal(received, size, 'bytes');
    check(furthest < 8_000_000, `at most ${furthest} bytes under way`);
    await sending;
    await messages.return();
    await left.flush({ to: 'peer' });
    equal(left.delivery().acknowledged, size, 'acknowledged');
    await closed(both);
  },

  async 'framed: a Blob says its size, a reader of whole messages gets it whole, text is text'() {
    const both = await framedPair();
    const { left, right } = both;
    const blob = new Blob([pattern(3_000_000, 1)]);
    const received = take(right, 3);
    await Promise.all([left.send(blob), left.send(patternStream(500_000, 2).stream), left.send(new Blob(['grüße']), { type: 'text' })]);
    // A message has its place from its first byte on, and those of a Blob or a stream have to be fetched.
    const [third, second, first] = (await received).sort((one, other) => one.length - other.length) as [string, Uint8Array, Uint8Array];
    check(first.length === 3_000_000 && isPattern(first, 1), 'the Blob');
    check(second.length === 500_000 && isPattern(second, 2), 'the stream');
    equal(third, 'grüße', 'the text');

    const messages = right.incomingMessages();
    void left.send(blob);
    const message = await next(messages);
    equal([message.type, message.size], ['binary', 3_000_000], 'what is known at its start');
    const whole = await message.whole();
    check(isPattern(whole, 1) && whole.length === 3_000_000, 'the whole');
    void left.send('short');
    const short = await next(messages);
    equal([short.type, short.size, await short.text()], ['text', 5, 'short'], 'a short one');
    const reading = next(messages);
    void left.send(patternStream(300_000, 4).stream);
    let bytes = 0;
    const reader = (await reading).readable.getReader();
    for (let result = await reader.read(); !result.done; result = await reader.read()) {
      check(isPattern(result.value, 4, bytes), 'a part');
      bytes += result.value.length;
    }
    equal(bytes, 300_000, 'the readable');
    await messages.return();
    await closed(both);
  },

  async 'framed: one large message that is not read holds no other up'() {
    const both = await framedPair();
    const { left, right } = both;
    const messages = right.incomingMessages();
    const large = left.send(new Blob([pattern(5_000_000, 1)]));
    const unread = await next(messages);
    for (let index = 0; index < 2000; index += 1) {
      await left.send(pattern(1000, index));
      if (index % 2 === 0) continue;
      const [one, two] = [await next(messages), await next(messages)];
      check(isPattern(await one.whole(), index - 1) && isPattern(await two.whole(), index), 'the small ones');
    }
    const other = left.send(new Blob([pattern(2_000_000, 2)]));
    check(isPattern(await (await next(messages)).whole(), 2), 'another large one');
    await other;
    check(isPattern(await unread.whole(), 1), 'the first');
    await large;
    await closed(both);
  },

  async 'framed: a send is stopped in the middle by its signal, its receiver is told, and the channel goes on'() {
    const both = await framedPair();
    const { left, right } = both;
    const messages = right.incomingMessages();
    const abort = new AbortController();
    const reason = new Error('enough');
    let cancelled: unknown;
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => controller.enqueue(new Uint8Array(50_000)),
      cancel: (why) => {
        cancelled = why;
      },
    });
    const sending = left.send(stream, { signal: abort.signal });
    const rejected = rejectsWith(reason, sending);
    const message = await next(messages);
    const parts = message.parts();
    for (let index = 0; index < 10; index += 1) await parts.next();
    abort.abort(reason);
    await rejected;
    await fails('cancelled', async () => {
      for (;;) if ((await parts.next()).done) break;
    });
    await until(() => cancelled === reason);
    await left.send('next');
    equal(await (await next(messages)).text(), 'next', 'the next one');
    await closed(both);
  },

  async 'framed: a receiver stops a message in the middle, its sender is told, and the channel goes on'() {
    const both = await framedPair();
    const { left, right } = both;
    const messages = right.incomingMessages();
    const { stream } = patternStream(1e9, 1, 50_000);
    const stopped = fails('stopped', () => left.send(stream));
    for await (const part of await next(messages)) {
      check(part.length > 0, 'a part');
      break; // as stop()
    }
    await stopped;
    const another = fails('stopped', () => left.send(patternStream(1e9, 1, 50_000).stream));
    const message = await next(messages);
    message.stop();
    await fails('stopped', () => message.whole());
    await another;
    await left.send(bytesOf(1));
    equal([...await (await next(messages)).whole()], [1], 'the next one');
    await closed(both);
  },

  async 'framed: a stream that fails gives its own error, and cancels the message'() {
    const both = await framedPair();
    const { left, right } = both;
    const messages = right.incomingMessages();
    const trouble = new Error('the disk is gone');
    let pulls = 0;
    const sending = rejectsWith(trouble, left.send(new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        pulls += 1;
        if (pulls > 5) controller.error(trouble);
        else controller.enqueue(new Uint8Array(1000));
      },
    })));
    await fails('cancelled', async () => (await next(messages)).whole());
    await sending;
    await fails('invalid_argument', () => left.send(new ReadableStream({
      pull: (controller) => controller.enqueue(7),
    }) as unknown as ReadableStream<ArrayBuffer>));
    const locked = new ReadableStream<ArrayBuffer>();
    locked.getReader();
    await fails('invalid_argument', () => left.send(locked));
    await closed(both);
  },

  async 'framed: what is too large to be given whole is refused with both numbers'() {
    const both = await framedPair({}, { framed: { maxMessageSize: 100_000 } });
    const { left, right } = both;
    const received = take(right, 1);
    await left.send(new Uint8Array(10));
    await received;
    const { value, limit } = await fails('message_too_large', () => left.send(new Uint8Array(100_001)));
    equal([value, limit], [100_001, 100_000], 'the numbers');
    const largest = take(right, 1);
    await left.send(new Uint8Array(100_000));
    equal((await largest)[0]!.length, 100_000, 'the largest');
    // From a source it may be larger, for who reads it in parts.
    const messages = right.incomingMessages();
    const sending = left.send(new Blob([new Uint8Array(300_000)]));
    let bytes = 0;
    for await (const part of await next(messages)) bytes += part.length;
    equal(bytes, 300_000, 'in parts');
    await sending;
    const refused = fails('message_too_large', () => left.send(new Blob([new Uint8Array(300_000)])));
    await fails('message_too_large', async () => (await next(messages)).whole());
    await refused;
    await closed(both);
  },

  async 'framed: close resolves once the other side\'s user has read everything'() {
    const both = await framedPair();
    const { left, right, close } = both;
    for (let index = 0; index < 500; index += 1) await left.send(pattern(1000, index));
    let isClosed = false;
    const closing = left.close().then(() => {
      isClosed = true;
    });
    const messages = right.messages();
    for (let index = 0; index < 499; index += 1) check(isPattern((await messages.next()).value!, index), `message ${index}`);
    await new Promise((resolve) => setTimeout(resolve, 100)); // whatever would close too early has by now
    equal(isClosed, false, 'closed before the last was read');
    await messages.next();
    await closing;
    equal((await messages.next()).done, true, 'the end');
    equal(left.delivery(), { acknowledged: 500_000, inDoubt: 0, unsent: 0 }, 'delivery');
    await right.closed;
    close();
  },

  async 'framed: a reader that does not read on makes close say unread, and the numbers add up'() {
    const both = await framedPair();
    const { left, right, close } = both;
    for (let index = 0; index < 100; index += 1) await left.send(pattern(1000, index));
    await take(right, 10);
    const closing = left.close({ timeoutMs: 5000 });
    await Promise.all([fails('unread', () => closing), right.close({ timeoutMs: 5000 }).catch(() => undefined)]);
    const { acknowledged, inDoubt, unsent } = left.delivery();
    equal(acknowledged + inDoubt + unsent, 100_000, 'the sum');
    check(acknowledged <= 10_000, `${acknowledged} acknowledged`);
    close();
  },

  async 'framed: a broken channel says which bytes were acknowledged, in doubt, unsent'() {
    const both = await framedPair();
    const { left, right, far, close } = both;
    const received = take(right, 5);
    for (let index = 0; index < 5; index += 1) await left.send(pattern(1000, index));
    await received;
    await left.flush({ to: 'peer' });
    const sends: Promise<void>[] = [];
    for (let index = 0; index < 100; index += 1) sends.push(left.send(pattern(100_000, index)));
    const results = Promise.allSettled(sends);
    far.close();
    const accepted = (await results).filter(({ status }) => status === 'fulfilled').length;
    await left.closed.catch(() => undefined);
    const { acknowledged, inDoubt, unsent } = left.delivery();
    equal(acknowledged, 5000, 'acknowledged');
    const started = inDoubt + unsent;
    check(started >= accepted * 100_000 && started <= 10_000_000, `${started} bytes with ${accepted} of 100 messages accepted`);
    close();
  },

  async 'framed: deadlines, keys and priorities'() {
    const both = await framedPair({ sendHighWaterMark: 1 }, { framed: { window: 4096 } });
    const { left, right } = both;
    // Nobody reads: after the window is full everything waits.
    const first: Promise<unknown>[] = [];
    for (let index = 0; index < 10; index += 1) first.push(left.send(new Uint8Array(1000)));
    const late = fails('timed_out', () => left.send('late', { timeoutMs: 50 }));
    const old = fails('superseded', () => left.send('old', { key: 7 }));
    const other = left.send('other key', { key: 8 });
    const fresh = left.send('fresh', { key: 7 });
    const urgent = left.send('urgent', { priority: 'high' });
    await Promise.all([late, old]);
    const received = take(right, 13);
    await Promise.all([...first, other, fresh, urgent]);
    const texts = (await received).filter((message) => typeof message === 'string');
    equal([...texts].sort(), ['fresh', 'other key', 'urgent'], 'the texts');
    check(texts[0] === 'urgent', `${String(texts)} in this order`);
    await fails('invalid_argument', () => left.send('x', { priority: 'urgent' as RTCPriorityType }));
    await fails('invalid_argument', () => left.send('x', { timeoutMs: 0 }));
    await fails('invalid_argument', () => left.send('x', { key: -1 }));
    await closed(both);
  },

  async 'framed: what other channels cannot do is unsupported there'() {
    const both = await pair();
    const { left, right } = both;
    await fails('unsupported', () => left.send(new ReadableStream<ArrayBuffer>()));
    await fails('unsupported', () => left.send('x', { priority: 'high' }));
    await fails('unsupported', () => left.send('x', { timeoutMs: 100 }));
    await fails('unsupported', () => left.flush());
    await fails('unsupported', () => right.incomingMessages().next());
    equal(left.delivery(), { acknowledged: 0, inDoubt: 0, unsent: 0 }, 'delivery');
    const received = take(right, 1);
    await left.send('still here');
    equal(await received, ['still here'], 'what arrived');
    await closed(both);
  },

  async 'framed: an unordered channel wants batchesOnly, and carries small messages only'() {
    const init = { ordered: false };
    const refused = await framedPair({}, {}, init).then(() => 'nothing', (error: unknown) => (error as WdcError).code);
    equal(refused, 'unsupported', 'without');
    const options = { framed: { batchesOnly: true } };
    const both = await framedPair(options, options, init);
    const { left, right } = both;
    const received = take(right, 100);
    for (let index = 0; index < 100; index += 1) await left.send(bytesOf(index));
    const numbers = (await received).map((message) => (message as Uint8Array)[0]!);
    equal(numbers.sort((a, b) => a - b), Array.from({ length: 100 }, (_, index) => index), 'what arrived');
    await fails('unsupported', () => left.send(new ReadableStream<ArrayBuffer>()));
    await fails('unsupported', () => left.flush({ to: 'peer' }));
    await left.flush();
    await closed(both);
  },

  async 'framed: options out of their ranges are refused'() {
    const { near, close } = await pair();
    for (const framed of [
      { window: 145 }, { window: 1.5 }, { messageWindow: 1 }, { readWindow: 0 }, { messagesInProgress: 0 }, { messagesInProgress: 257 },
      { maxMessageSize: 2 ** 40 + 1 }, { frameSize: 255 }, { order: 'ends' }, { sendOverflow: 'grow' },
    ]) {
      const channel = near.createDataChannel('refused', { protocol });
      await fails('invalid_argument', () => new WasmDataChannel(channel, { framed } as unknown as ChannelOptions));
      channel.close();
    }
    close();
  },

  async 'framed: the window bounds what a reader that stalls keeps, and the sender waits'() {
    const both = await framedPair({}, { framed: { window: 65_536 } });
    const { left, right } = both;
    let accepted = 0;
    const sending = (async () => {
      for (let index = 0; index < 1000; index += 1) {
        await left.send(pattern(1000, index));
        accepted += 1;
      }
    })();
    await until(() => left.stats().sendQueueOperations > 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    check(accepted < 200, `${accepted} accepted with a window of 64 KiB`);
    const messages = await take(right, 1000) as Uint8Array[];
    check(messages.every((message, index) => isPattern(message, index)), 'all of them');
    await sending;
    await closed(both);
  },

  async 'framed: small messages pass large ones if completions are the order, and wait otherwise'() {
    for (const order of ['starts', 'completions'] as const) {
      const both = await framedPair({}, { framed: { order } });
      const { left, right } = both;
      const received = take(right, 2);
      const large = left.send(pattern(4_000_000, 1));
      await left.send('small');
      const [first] = await received;
      equal(first === 'small', order === 'completions', order);
      await large;
      await closed(both);
    }
  },

  async 'framed: the thin class sends and reads as the other does'() {
    const below = await pair();
    const { near, far } = below;
    const init = { protocol, negotiated: true, id: 7 };
    const [one, two] = [
      new WebRtcDataChannel(near.createDataChannel('', init)), new WebRtcDataChannel(far.createDataChannel('', init)),
    ];
    check(one.framed, 'framed');
    const messages = two.incoming_messages();
    await until(async () => one.send_text('first').then(() => true, () => false));
    equal(await (await next(messages)).text(), 'first', 'the first');
    void one.send_from(patternStream(200_000, 5).stream, { priority: 'medium' });
    check(isPattern(await (await next(messages)).whole(), 5), 'the stream');
    await messages.return();
    await one.flush('peer');
    equal(one.delivery().acknowledged, 200_005, 'acknowledged');
    await Promise.all([one.close(), two.close()]);
    await closed(below);
  },

  async 'framed: everything that was sent before a close arrives, from either side, also from streams'() {
    const both = await framedPair();
    const { left, right, close } = both;
    const received = collect(right);
    const sends = [];
    for (let index = 0; index < 200; index += 1) {
      sends.push(left.send(index % 50 === 7 ? patternStream(150_000, index).stream : pattern(3000, index)));
    }
    await Promise.all([left.close(), ...sends]);
    const messages = await received as Uint8Array[];
    equal(messages.length, 200, 'messages');
    const seeds = messages.map((message) => message[0]!).sort((a, b) => a - b);
    equal(seeds, Array.from({ length: 200 }, (_, index) => index), 'each once');
    check(messages.every((message) => isPattern(message, message[0]!)), 'each as it was');
    check(messages.every(({ length }, index) => length === (messages[index]![0]! % 50 === 7 ? 150_000 : 3000)), 'the sizes');
    close();
  },
};
