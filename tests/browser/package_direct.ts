// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// What a listener gets past C++, and what has to take the way through it meanwhile; package_page.ts runs this with the others.
import { WasmDataChannel, type Disposer } from 'webrtc-data-channel';
import { callsOf } from './export_calls.js';
import { bytesOf, check, equal, fails, pair, plain, sizeOf, take, until } from './package_pair.js';

/** Message `index` of a row in which text, empty and larger messages are mixed. */
function messageOf(index: number): Uint8Array<ArrayBuffer> | string {
  if (index % 7 === 3) return `é ${index}`;
  if (index % 11 === 5) return index % 2 === 0 ? '' : bytesOf();
  const bytes = new Uint8Array(index % 13 === 0 ? 3_000 : 4);
  new DataView(bytes.buffer).setUint32(0, index);
  return bytes;
}

async function sendAll(channel: WasmDataChannel, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 1) await channel.send(messageOf(index));
}

const rowOf = (from: number, to: number): (Uint8Array | string)[] =>
  Array.from({ length: to - from }, (_, index) => messageOf(from + index));

export const directTests: Record<string, () => Promise<void>> = {
  async 'small messages pass C++ by on their way out and in, while there is room and somebody listens'() {
    const { left, right, close } = await pair();
    let got = 0;
    right.startListening(() => {
      got += 1;
    });
    await left.send(bytesOf(0));
    await until(() => got === 1);
    const calls = (): number[] => [callsOf('wdc_js_try_send'), callsOf('wdc_channel_message') + callsOf('wdc_channel_small')];
    const before = calls();
    for (let index = 1; index < 2_000; index += 1) await left.send(bytesOf(index, 1, 2, 3));
    await until(() => got === 2_000);
    const [sends, receives] = calls().map((count, index) => count - before[index]!);
    check(sends! < 20 && receives! < 100, `${sends} sends and ${receives} receives of 2,000 messages went through C++`);
    await left.close();
    await right.closed;
    close();
  },

  async 'listeners that come and go in their callbacks get every message once, in order, and it is counted'() {
    const { left, right, close } = await pair();
    const got: (Uint8Array | string)[] = [];
    let disposer: Disposer | undefined;
    const listenOn = (): void => {
      disposer = right.startListening((message) => {
        got.push(message);
        equal(right.stats().messagesReceived >= got.length, true, 'a message is counted when it is given');
        if (got.length % 17 !== 0) return;
        disposer?.();
        // At once, in a later turn, or after somebody else has read some.
        if (got.length % 3 === 0) listenOn();
        else if (got.length % 3 === 1) setTimeout(listenOn);
        else {
          void take(right, 5).then((some) => {
            got.push(...some);
            listenOn();
          });
        }
      }, { text: true });
    };
    listenOn();
    await sendAll(left, 0, 3_000);
    await until(() => got.length >= 3_000);
    equal(plain(got), plain(rowOf(0, 3_000)), 'what arrived');
    const { messagesReceived, bytesReceived, receiveQueueMessages } = right.stats();
    const bytes = rowOf(0, 3_000).reduce((sum, message) => sum + sizeOf(message), 0);
    equal([messagesReceived, bytesReceived, receiveQueueMessages], [3_000, bytes, 0], 'counted');
    await left.close();
    await right.closed;
    equal([right.stats().messagesReceived, right.stats().bytesReceived], [3_000, bytes], 'counted after the close');
    close();
  },

  async 'sends past C++ keep their order with those through it, stay below the high mark, and are counted'() {
    const high = 60_000;
    const { left, right, close } = await pair({ near: { sendHighWaterMark: high, sendLowWaterMark: 10_000 } });
    const shared = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer, 0, 3).fill(7);
    const kinds = (index: number): Uint8Array | ArrayBuffer | string => {
      if (index % 97 === 50) return new Uint8Array(20_000).fill(index); // larger than what goes past
      if (index % 31 === 7) return shared;
      if (index % 29 === 3) return bytesOf(index, index).buffer;
      return messageOf(index);
    };
    const count = 4_000;
    const expected: (number[] | string)[] = [];
    const got: (Uint8Array | string)[] = [];
    right.startListening((message) => got.push(message), { text: true });
    let bytes = 0;
    let most = 0;
    for (let index = 0; index < count; index += 1) {
      const message = kinds(index);
      expected.push(typeof message === 'string' ? message : [...new Uint8Array(message as ArrayBuffer)]);
      bytes += typeof message === 'string' ? sizeOf(message) : message.byteLength;
      const sent = left.send(message as Uint8Array);
      most = Math.max(most, left.bufferedAmount);
      if (index % 5 !== 0) await sent; // others wait behind one another
      if (index % 500 === 0) equal(left.stats().messagesSent + left.stats().sendQueueOperations, index + 1, 'messages sent so far');
    }
    await until(() => got.length === count);
    equal(plain(got), expected, 'what arrived');
    equal([left.stats().messagesSent, left.stats().bytesSent, left.bufferedAmount], [count, bytes, 0], 'counted');
    check(most <= high + 20_000, `${most} bytes waited in the browser`);
    check(left.stats().sendWaits > 10, `${left.stats().sendWaits} sends had to wait`);
    await left.close();
    await right.closed;
    equal([left.stats().messagesSent, left.stats().bytesSent], [count, bytes], 'counted after the close');
    close();
  },

  async 'a send past C++ is refused like any other once a side closes'() {
    for (const side of ['this', 'other'] as const) {
      const { left, right, close } = await pair();
      right.startListening(() => undefined);
      for (let index = 0; index < 20; index += 1) await left.send(bytesOf(index));
      const closing = (side === 'this' ? left : right).close();
      let sent = 20;
      for (;;) {
        try {
          await left.send(bytesOf(sent));
          sent += 1;
        } catch (error) {
          equal((error as { code: string }).code, 'closed', 'the error');
          break;
        }
        check(side === 'other', 'nothing goes after the own close()');
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      check(left.readyState !== 'open', 'only once it closes');
      await Promise.all([closing, left.closed, right.closed]);
      equal(left.stats().messagesSent, sent, 'counted');
      close();
    }
  },

  async 'no message is given from inside of startListening, also where some wait'() {
    const { left, right, close } = await pair();
    for (let index = 0; index < 3; index += 1) await left.send(bytesOf(index));
    await until(() => right.stats().receiveQueueMessages === 3);
    await new Promise((resolve) => setTimeout(resolve)); // nothing of the package is on the stack
    let returned = false;
    const got: number[] = [];
    right.startListening((message) => {
      equal(returned, true, 'startListening has returned');
      got.push(...message);
    });
    returned = true;
    await until(() => got.length === 3);
    equal(got, [0, 1, 2], 'what waited');
    await left.close();
    await right.closed;
    close();
  },

  async 'a listener keeps the order while events of other channels wait for C++'() {
    const { left, right, near, close } = await pair();
    const got: (Uint8Array | string)[] = [];
    const others: WasmDataChannel[] = [];
    right.startListening((message) => {
      got.push(message);
      if (got.length % 50 !== 0) return;
      const other = new WasmDataChannel(near.createDataChannel('other'));
      others.push(other);
      other.abort(); // its end is told in the next turn
    }, { text: true });
    await sendAll(left, 0, 2_000);
    await until(() => got.length >= 2_000);
    equal(plain(got), plain(rowOf(0, 2_000)), 'what arrived');
    equal(others.length, 40, 'other channels');
    for (const other of others) await fails('aborted', () => other.closed);
    await left.close();
    await right.closed;
    close();
  },

  async 'a message beyond receiveQueueBytes breaks a channel whose messages went to a listener directly'() {
    const { left, right, close } = await pair({ far: { receiveQueueBytes: 100 } });
    const sizes: number[] = [];
    right.startListening((message) => sizes.push(message.length));
    for (const size of [100, 1, 100, 101]) await left.send(new Uint8Array(size));
    const { value, limit } = await fails('receive_overflow', () => right.closed);
    equal([value, limit], [101, 100], 'the numbers');
    equal(sizes, [100, 1, 100], 'what arrived before');
    equal([right.stats().messagesReceived, right.stats().messagesDropped], [4, 1], 'counted');
    close();
  },

  async 'with discardReceived a listener gets nothing'() {
    const { left, right, close } = await pair({ far: { discardReceived: true } });
    let given = 0;
    right.startListening(() => {
      given += 1;
    });
    for (let index = 0; index < 20; index += 1) await left.send(bytesOf(1, 2));
    await until(() => right.stats().messagesDropped === 20);
    equal([given, right.stats().messagesReceived, right.stats().bytesDropped], [0, 20, 40], 'given, received, bytes dropped');
    await left.close();
    await right.closed;
    close();
  },

  async 'a listener that aborts or closes its channel gets no message more than before'() {
    for (const end of ['abort', 'close'] as const) {
      const { left, right, close } = await pair();
      let given = 0;
      let closing: Promise<void> | undefined;
      right.startListening(() => {
        given += 1;
        if (given !== 10) return;
        if (end === 'abort') right.abort();
        else closing = right.close();
      });
      for (let index = 0; index < 50 && left.readyState === 'open'; index += 1) await left.send(bytesOf(index)).catch(() => undefined);
      if (end === 'abort') {
        await fails('aborted', () => right.closed);
        equal(given, 10, 'messages after the abort');
      } else {
        await until(() => closing !== undefined);
        await closing;
        await right.closed;
        equal(given, right.stats().messagesReceived - right.stats().messagesDropped, 'messages given');
      }
      close();
    }
  },
};
