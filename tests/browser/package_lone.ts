// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// Framed messages that are alone in their frame, which go past C++ while somebody listens; package_page.ts runs this with the others.
import { WasmDataChannel, type Disposer } from 'webrtc-data-channel/framed';
import { callsOf } from './export_calls.js';
import { closed, framedPair, pattern, protocol } from './package_framed.js';
import { bytesOf, check, checkMessages, connections, equal, fails, sizeOf, take, until } from './package_pair.js';

export const loneTests: Record<string, () => Promise<void>> = {
  async 'framed: questions and answers on an idle channel pass C++ by'() {
    const both = await framedPair();
    const { left, right } = both;
    const calls = (): number[] => [callsOf('wdc_js_try_send_outbox'), callsOf('wdc_channel_message') + callsOf('wdc_channel_small')];
    const rounds = 400;
    let before: number[] = [];
    right.startListening((message) => void right.send(message));
    await new Promise<void>((resolve) => {
      let got = 0;
      left.startListening((message) => {
        got += 1;
        if (got === 10) before = calls();
        if (got === rounds) resolve();
        else void left.send(message);
      });
      void left.send(bytesOf(1, 2, 3));
    });
    const [sends, receives] = calls().map((count, index) => count - before[index]!);
    check(sends! < 20 && receives! < 80, `${sends} sends and ${receives} receives of ${2 * rounds} messages went through C++`);
    await closed(both);
  },

  async 'framed: what comes alone in its frame keeps its place among the others, and is counted'() {
    const both = await framedPair();
    const { left, right } = both;
    const messageOf = (index: number): Uint8Array<ArrayBuffer> | string => {
      if (index % 5 === 3) return 'é'.repeat(index % 90);
      return pattern([4, 111, 112, 1024, 1025, 30_000, 0][index % 7]!, index);
    };
    const got: (Uint8Array | string)[] = [];
    let stop: Disposer | undefined;
    const listenOn = (): void => {
      stop = right.startListening((message) => {
        got.push(message);
        check(right.stats().messagesReceived >= got.length, 'a message is counted when it is given');
        if (got.length % 17 !== 0) return;
        stop?.();
        if (got.length % 2 === 0) listenOn();
        else {
          void take(right, 1).then((some) => {
            got.push(...some);
            listenOn();
          });
        }
      }, { text: true });
    };
    listenOn();
    const sent: (Uint8Array | string)[] = [];
    const send = async (message: Uint8Array<ArrayBuffer> | string): Promise<void> => {
      sent.push(message);
      await left.send(message);
    };
    for (let index = 0; index < 300; index += 1) {
      await send(messageOf(index));
      if (index % 50 === 49) await send(pattern(100_000, index)); // in parts
      // The next one finds the channel idle, and nothing else of its turn: it goes alone; others go together.
      if (index % 10 < 8) await until(() => got.length === sent.length);
    }
    await until(() => got.length >= sent.length);
    checkMessages(got, sent, 'what arrived');
    check(right.stats().framesReceived >= 250, `${right.stats().framesReceived} frames`);
    const bytes = sent.reduce((sum, message) => sum + sizeOf(message), 0);
    await left.flush({ to: 'peer' });
    equal(left.delivery(), { acknowledged: bytes, inDoubt: 0, unsent: 0 }, 'delivery');
    equal([right.stats().messagesReceived, right.stats().receiveQueueMessages], [sent.length, 0], 'counted');
    await closed(both);
    equal(right.stats().messagesReceived, sent.length, 'counted after the close');
  },

  async 'framed: credit for what comes alone in its frame is given back, in the smallest windows, too'() {
    for (const window of [146, 300, 1_000, 5_000]) {
      const both = await framedPair({}, { framed: { window } });
      const { left, right } = both;
      let got = 0;
      let wrong = 0;
      right.startListening((message) => {
        if (message[0] !== (got & 255)) wrong += 1;
        got += 1;
      });
      for (let index = 0; index < 200; index += 1) {
        await left.send(bytesOf(index));
        if (index % 20 !== 0) await until(() => got > index);
      }
      await left.flush({ to: 'peer' });
      equal([got, wrong, left.delivery().acknowledged], [200, 0, 200], `with ${window}`);
      await closed(both);
    }
  },

  async 'framed: answers go in order with whatever else is sent, and are counted and acknowledged'() {
    for (const window of [undefined, 1_000, 100_000]) {
      const both = await framedPair({ framed: { window } }, { framed: { window } });
      const { left, right } = both;
      const sizes = [0, 1, 64, 110, 111, 112, 300];
      const messageOf = (index: number): Uint8Array<ArrayBuffer> | string => (
        index % 4 === 1 ? 'é'.repeat((index * 3) % 70) : pattern(sizes[index % sizes.length]!, index));
      const rounds = 400;
      const echoed: (Uint8Array | string)[] = [];
      const expected: (Uint8Array | string)[] = [];
      // Some of them go into a lent frame.
      const more = ['more', pattern(150, 1), pattern(20, 2), pattern(150, 3), pattern(70_000, 7)];
      let replies = 0;
      let sentBack = 0;
      right.startListening((message) => {
        void right.send(message);
        sentBack += 1;
        replies += 1;
        if (replies % 10 === 3) { // more of the same turn
          for (const one of more) void right.send(one);
          sentBack += more.length;
        }
      }, { text: true });
      await new Promise<void>((resolve) => {
        let sent = 0;
        const sendNext = (): void => {
          const message = messageOf(sent);
          sent += 1;
          expected.push(message, ...(sent % 10 === 3 ? more : []));
          void left.send(message);
        };
        left.startListening((message) => {
          echoed.push(message);
          if (echoed.length < expected.length) return;
          if (sent === rounds) resolve();
          else sendNext();
        }, { text: true });
        sendNext();
      });
      checkMessages(echoed, expected, 'what came back');
      await Promise.all([left.flush({ to: 'peer' }), right.flush({ to: 'peer' })]);
      equal([left.stats().messagesSent, right.stats().messagesReceived], [rounds, rounds], 'messages there');
      equal([right.stats().messagesSent, left.stats().messagesReceived], [sentBack, sentBack], 'messages back');
      equal([left.stats().bytesSent, right.stats().bytesSent], [left.delivery().acknowledged, right.delivery().acknowledged], 'bytes');
      equal([left.delivery().inDoubt, left.delivery().unsent, right.delivery().inDoubt, right.delivery().unsent], [0, 0, 0, 0], 'the rest');
      await closed(both);
    }
  },

  async 'framed: an answer before a close arrives, and none goes after the other side has finished'() {
    for (const end of ['after the answer', 'at once'] as const) {
      const both = await framedPair();
      const { left, right } = both;
      const got: number[] = [];
      let closing: Promise<void> | undefined;
      right.startListening((message) => {
        if (message[0] === 20 && end === 'at once') closing = right.close();
        right.send(message).catch(() => undefined);
        if (message[0] === 20 && end === 'after the answer') closing = right.close();
      });
      left.startListening((message) => {
        got.push(message[0]!);
        left.send(bytesOf(message[0]! + 1)).catch(() => undefined);
      });
      await left.send(bytesOf(1));
      await until(() => closing !== undefined);
      await Promise.all([closing, left.closed, right.closed]);
      const last = end === 'at once' ? 19 : 20;
      equal(got, Array.from({ length: last }, (_, index) => index + 1), end);
      both.close();
    }
  },

  async 'framed: a callback may close or abort at a message that came alone in its frame'() {
    for (const what of ['close', 'abort'] as const) {
      const both = await framedPair();
      const { left, right } = both;
      let got = 0;
      let closing: Promise<void> | undefined;
      right.startListening(() => {
        got += 1;
        if (got !== 10) return;
        if (what === 'abort') right.abort();
        else closing = right.close();
      });
      for (let index = 1; index <= 10; index += 1) {
        await left.send(bytesOf(index));
        await until(() => got === index);
      }
      if (what === 'abort') await fails('aborted', () => left.closed);
      else await Promise.all([closing, left.closed]);
      equal(right.stats().messagesReceived, 10, 'counted');
      both.close();
    }
  },

  async 'framed: a frame that only begins like one with a message is a fault'() {
    for (const frame of [[2, 1, 4, 1, 2, 3], [2, 1, 1, 1, 2], [2, 3, 0xe0, 0, 9, 1], [2, 3, 0xe5, 0, 1, 1], [2, 0], [2, 1], [2]]) {
      const below = connections();
      const raw = below.near.createDataChannel('raw', { protocol });
      const wrapped = new Promise<WasmDataChannel>((resolve) => {
        below.far.ondatachannel = ({ channel }) => resolve(new WasmDataChannel(channel, { peerConnection: below.far }));
      });
      await below.negotiate();
      const right = await wrapped;
      const got: number[][] = [];
      right.startListening((message) => got.push([...message]));
      await right.opened;
      await until(() => raw.readyState === 'open');
      // HELLO of version 1, then what is well and alone in its frame, then this.
      raw.send(bytesOf(
        0x00, 0x77, 0x64, 0x63, 0x66, 0x01, 0x80, 0x40, 0x00, 0x00, 0x80, 0x01, 0x00, 0x00, 0x20, 0x90, 0x00, 0x00, 0x00, 0x80, 0x01, 0x00,
        0x20));
      for (const good of [[2, 1, 3, 1, 2, 3], [2, 1, 0], [2, 3, 0xe0, 0, 2, 8, 9]]) raw.send(bytesOf(...good));
      raw.send(bytesOf(...frame));
      await fails('protocol_error', () => right.closed);
      equal(got, [[1, 2, 3], [], [8, 9]], 'what came before');
      equal(right.stats().messagesReceived, 3, 'counted');
      below.close();
    }
  },
};
