// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// How channels are wrapped, and what they tell of themselves; package_page.ts runs this with the others.
import { incoming, WasmDataChannel, WebRtcDataChannel } from 'webrtc-data-channel';
import { bytesOf, check, equal, event, fails, pair, rejectsWith, take, until } from './package_pair.js';

export const wrappingTests: Record<string, () => Promise<void>> = {
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
