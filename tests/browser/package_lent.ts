// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// Small framed messages that JavaScript puts into the frame which C++ is making; package_page.ts runs this with the others.
import { callsOf } from './export_calls.js';
import { closed, framedPair, pattern } from './package_framed.js';
import { bytesOf, check, checkMessages, equal, fails, sizeOf, until, type Pair } from './package_pair.js';

/** A pair on which the left side may send at once: it knows what the right one takes. */
async function readyPair(...options: Parameters<typeof framedPair>): Promise<Pair> {
  const both = await framedPair(...options);
  await until(() => both.left.trySend('begin'));
  await both.left.flush();
  return both;
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** What arrives after "begin". */
function received(both: Pair): (Uint8Array | string)[] {
  const got: (Uint8Array | string)[] = [];
  both.right.startListening((message) => {
    if (message !== 'begin') got.push(message);
  }, { text: true });
  return got;
}

export const lentTests: Record<string, () => Promise<void>> = {
  async 'framed: small messages of a turn reach C++ a frame at a time'() {
    const both = await readyPair();
    const got = received(both);
    const before = ['wdc_js_try_send_outbox', 'wdc_js_lent'].map(callsOf);
    const sent: Uint8Array[] = [];
    for (let index = 0; index < 5_000; index += 1) {
      const message = pattern(64, index);
      sent.push(message);
      if (index % 2 === 0) check(both.left.trySend(message), `message ${index} goes`);
      else void both.left.send(message);
    }
    const calls = ['wdc_js_try_send_outbox', 'wdc_js_lent'].map((name, index) => callsOf(name) - before[index]!);
    check(calls[0]! < 50 && calls[1]! >= 4 && calls[1]! < 50, `${calls.join(' and ')} calls for 5,000 messages`);
    await both.left.flush({ to: 'peer' });
    checkMessages(got, sent, 'what arrived');
    equal([both.left.stats().messagesSent, both.left.stats().bytesSent], [5_001, 5_000 * 64 + 5], 'counted');
    await closed(both);
  },

  async 'framed: messages in lent frames keep their order among all others, and are counted at once'() {
    const both = await readyPair({}, { framed: { messageWindow: 200_000 } });
    const other = await readyPair();
    const got = received(both);
    const gotByOther = received(other);
    const sent: (Uint8Array | string)[] = [];
    const sentByOther: (Uint8Array | string)[] = [];
    const sends: Promise<void>[] = [];
    let bytes = 5;
    const send = (message: Uint8Array<ArrayBuffer> | string): void => {
      sent.push(message);
      bytes += sizeOf(message);
      sends.push(both.left.send(message));
    };
    const shared = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer, 0, 9).fill(3);
    for (let index = 0; index < 6_000; index += 1) {
      switch (index % 251) {
        case 40: send('é'.repeat(index % 90)); break;
        case 60: send(pattern(30_000, index)); break; // half a frame
        case 80: send(pattern(70_000, index)); break; // in parts, and waits
        case 100: {
          const message = pattern(5, index);
          sentByOther.push(message, message);
          for (const again of [message, message]) check(other.left.trySend(again), 'the other channel sends');
          break;
        }
        case 120: equal(both.left.delivery().unsent + both.left.delivery().inDoubt + both.left.delivery().acknowledged <= bytes, true, 'sum');
          break;
        case 140: sends.push(both.left.flush()); break;
        case 160: await turn(); break;
        case 180: await Promise.all(sends.splice(0)); break;
        case 200: sent.push(new Uint8Array(shared)); bytes += 9; sends.push(both.left.send(shared)); break;
        default: send(pattern([0, 1, 64, 111, 112, 300, 1_500][index % 7]!, index));
      }
      if (index % 97 === 0) {
        const { messagesSent, sendQueueOperations, bytesSent } = both.left.stats();
        equal(messagesSent + sendQueueOperations, sent.length + 1, 'messages counted or waiting');
        if (sendQueueOperations === 0) equal(bytesSent, bytes, 'bytes counted');
      }
    }
    await Promise.all(sends);
    await Promise.all([both.left.flush({ to: 'peer' }), other.left.flush({ to: 'peer' })]);
    checkMessages(got, sent, 'what arrived');
    checkMessages(gotByOther, sentByOther, 'on the other channel');
    equal(both.left.delivery(), { acknowledged: bytes, inDoubt: 0, unsent: 0 }, 'delivery');
    await closed(both);
    await closed(other);
  },

  async 'framed: of a flow of 200,000 small messages each arrives once, in order and undamaged'() {
    const both = await readyPair();
    const count = 200_000;
    // Runs of one size, and sizes that change with every message.
    const sizeOf = (index: number): number => 4 + ((index >>> 12) % 2 === 0 ? (index >>> 12) % 200 : Math.imul(index, 2654435761) >>> 23);
    const message = new Uint8Array(600);
    const view = new DataView(message.buffer);
    let next = 0;
    let wrong = 0;
    let bytes = 0;
    both.right.startListening((got) => {
      if (next === 0 && got.length === 5) return; // "begin"
      bytes += got.length;
      const number = new DataView(got.buffer, got.byteOffset).getUint32(0);
      if (number !== next || got.length !== sizeOf(next) || (got.length > 4 && got[got.length - 1] !== (next & 255))) wrong += 1;
      next += 1;
    });
    let sent = 0;
    for (let index = 0; index < count; index += 1) {
      const size = sizeOf(index);
      message[size - 1] = index & 255;
      view.setUint32(0, index);
      const part = message.subarray(0, size);
      if (!both.left.trySend(part)) await both.left.send(part);
      sent += size;
    }
    await both.left.flush({ to: 'peer' });
    equal([next, wrong, bytes], [count, 0, sent], 'messages, wrong ones, bytes');
    equal(both.left.delivery(), { acknowledged: sent + 5, inDoubt: 0, unsent: 0 }, 'delivery');
    await closed(both);
  },

  async 'framed: what a lent frame got before a close arrives, and is accounted for after an abort'() {
    for (const end of ['close', 'abort', 'connection'] as const) {
      const both = await readyPair();
      const got = received(both);
      for (let index = 0; index < 500; index += 1) check(both.left.trySend(bytesOf(index & 255, 1, 2)), 'it goes');
      const before = both.left.delivery();
      equal(before.acknowledged + before.inDoubt + before.unsent, 1_505, `given before the ${end}`);
      for (let index = 0; index < 500; index += 1) check(both.left.trySend(bytesOf(index & 255, 1, 2)), 'it goes');
      if (end === 'close') {
        const closing = both.left.close();
        await fails('closed', () => both.left.trySend(bytesOf(1)));
        await closing;
        equal(got.length, 1_000, 'messages');
      } else {
        if (end === 'abort') both.left.abort();
        else both.close();
        await both.left.closed.catch(() => undefined);
        await fails(end === 'abort' ? 'aborted' : 'connection_closed', () => both.left.trySend(bytesOf(1)));
      }
      const { acknowledged, inDoubt, unsent } = both.left.delivery();
      equal(acknowledged + inDoubt + unsent, 3_005, `accounted for after the ${end}`);
      check(acknowledged <= got.length * 3 + 5, 'nothing more than what was read is acknowledged');
      equal(both.left.stats().messagesSent, 1_001, 'counted');
      both.close();
    }
  },

  async 'framed: a lent frame never has more than the credit, the largest message and the marks allow'() {
    for (const window of [146, 300, 2_000, 20_000, 100_000, 140_000]) {
      const both = await readyPair({}, { framed: { window, maxMessageSize: 2_000 } });
      const got = received(both);
      const sent: Uint8Array[] = [];
      for (let index = 0; index < 3_000; index += 1) {
        const message = pattern(index % 100, index);
        sent.push(message);
        if (!both.left.trySend(message)) await both.left.send(message);
        if (index % 700 === 300) await fails('message_too_large', () => both.left.send(new Uint8Array(2_001)));
      }
      await both.left.flush({ to: 'peer' });
      checkMessages(got, sent, 'what arrived');
      await closed(both);
    }
  },

  async 'framed: bytes of which there are more than their length says go nowhere else'() {
    class Liar extends Uint8Array {
      override get length(): number {
        return 4;
      }
    }
    const both = await readyPair();
    const got = received(both);
    for (const message of [bytesOf(1), bytesOf(2), bytesOf(3)]) check(both.left.trySend(message), 'it goes');
    let refused = 0;
    for (const size of [100_000, 4, 1_000]) {
      try {
        check(both.left.trySend(new Liar(size) as Uint8Array<ArrayBuffer>), `${size} bytes go`);
      } catch (error) {
        check(error instanceof RangeError, String(error));
        refused += 1;
      }
    }
    check(both.left.trySend(bytesOf(4)), 'the next one goes');
    await both.left.flush({ to: 'peer' });
    equal(refused, 1, 'refused');
    checkMessages(got, [bytesOf(1), bytesOf(2), bytesOf(3), new Uint8Array(4), new Uint8Array(4), bytesOf(4)], 'what arrived');
    await closed(both);
  },

  async 'framed: while a message of the same priority waits, none goes before it into a lent frame'() {
    const both = await readyPair({ sendHighWaterMark: 1, sendLowWaterMark: 0 });
    const got = received(both);
    check(both.left.trySend(bytesOf(1)) && both.left.trySend(bytesOf(2)) && both.left.trySend(bytesOf(3)), 'three go');
    const large = both.left.send(pattern(200_000, 1));
    let index = 4;
    for (; both.left.trySend(bytesOf(index)); index += 1) check(index < 10, 'it waits');
    await large;
    await both.left.send(bytesOf(99));
    await both.left.flush({ to: 'peer' });
    equal(got.map((message) => message.length), [1, 1, 1, 200_000, 1], 'sizes in order');
    await closed(both);
  },
};
