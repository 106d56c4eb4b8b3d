// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// Channels in dedicated workers, and several instances in one page; package_page.ts runs them with the others.
import { receiveChannel, transferTo, WasmDataChannel, type TransferTarget } from 'webrtc-data-channel';
import { WasmDataChannel as FramedDataChannel } from 'webrtc-data-channel/framed';
import { moveToWorker } from '../../examples/docs/page_with_worker.js';
import {
  bytesOf, check, collect, connections, equal, event, fails, pair, plain, take,
} from './package_pair.js';

const zero = { channels: 0, peers: 0, pipes: 0, slots: 0, handlers: 0, timers: 0 };

/** The worker of package_worker.ts, and what it tells. */
class Helper {
  readonly worker = new Worker('/package_worker.js', { type: 'module' });
  readonly #told: { about: string; what: unknown }[] = [];
  readonly #waiting: { about: string; resolve: (what: unknown) => void }[] = [];

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<{ about: string; what: unknown }>) => {
      const index = this.#waiting.findIndex(({ about }) => about === data.about);
      if (index < 0) this.#told.push(data);
      else this.#waiting.splice(index, 1)[0]!.resolve(data.what);
    };
  }

  ask(what: string): void {
    this.worker.postMessage({ ask: what });
  }

  tells(about: string): Promise<unknown> {
    const index = this.#told.findIndex((told) => told.about === about);
    if (index >= 0) return Promise.resolve(this.#told.splice(index, 1)[0]!.what);
    return new Promise((resolve) => this.#waiting.push({ about, resolve }));
  }

  /** Nothing may be left in it. */
  async end(): Promise<void> {
    this.ask('counts');
    equal(await this.tells('counts'), zero, 'what is left in the worker');
    this.worker.terminate();
  }
}

const numbered = (number: number): Uint8Array => {
  const message = new DataView(new ArrayBuffer(100));
  message.setUint32(0, number);
  return new Uint8Array(message.buffer);
};

export const workerTests: Record<string, () => Promise<void>> = {
  async 'workers.md: channels of both sides live in the worker'() {
    const worker = new Worker('/echo_worker.js', { type: 'module' });
    const { near, far, negotiate, close } = connections();
    const theirs = far.createDataChannel('theirs');
    const announced = new Promise<WasmDataChannel>((resolve) => {
      far.ondatachannel = ({ channel }) => resolve(new WasmDataChannel(channel));
    });
    moveToWorker(near, worker);
    await negotiate();
    for (const channel of [await announced, new WasmDataChannel(theirs)]) {
      await channel.opened;
      await channel.send('there and back');
      await channel.send(bytesOf(1, 2));
      equal(plain(await take(channel, 2)), ['there and back', [1, 2]], `through ${channel.label}`);
      await channel.close();
    }
    close();
    worker.terminate();
  },

  async 'workers.md: a framed channel lives in a worker, with messages of any size'() {
    const worker = new Worker('/framed_worker.js', { type: 'module' });
    const { near, far, negotiate, close } = connections();
    const announced = new Promise<WasmDataChannel>((resolve) => {
      far.ondatachannel = ({ channel }) => resolve(new FramedDataChannel(channel));
    });
    transferTo(worker, near.createDataChannel('echo', { protocol: 'wdc.framed.v1' }), { peerConnection: near });
    await negotiate();
    const channel = await announced;
    const large = Uint8Array.from({ length: 1_000_000 }, (_, index) => index >> 8);
    const sending = channel.send(large);
    const [back] = await take(channel, 1) as Uint8Array[];
    await sending;
    check(back?.length === large.length && back.every((byte, index) => byte === large[index]), 'it came back');
    await channel.send(bytesOf(1, 2));
    equal(plain(await take(channel, 1)), [[1, 2]], 'a small one');
    await channel.close();
    close();
    worker.terminate();
  },

  async 'a channel that is announced reaches a busy worker with all that was sent before'() {
    const helper = new Helper();
    const { near, far, left, right, close } = await pair();
    far.ondatachannel = ({ channel }) => {
      helper.ask('be busy');
      transferTo(helper.worker, channel, { peerConnection: far });
    };
    const sender = new WasmDataChannel(near.createDataChannel('collect'), { peerConnection: near });
    await sender.opened;
    const count = 500;
    for (let number = 0; number < count; number += 1) await sender.send(numbered(number));
    await helper.tells('taken'); // what is closed before that, Chromium loses
    await sender.close();
    equal(await helper.tells('collected'), { numbers: Array.from({ length: count }, (_, index) => index), end: 'closed' },
      'in the worker');
    await left.close();
    await right.closed;
    await helper.end();
    close();
  },

  async 'sending from a worker waits, and its close delivers 2,000 of 2,000'() {
    const helper = new Helper();
    const { near, far, left, right, close } = await pair();
    const arrived = new Promise<WasmDataChannel>((resolve) => {
      far.ondatachannel = ({ channel }) => resolve(new WasmDataChannel(channel, { peerConnection: far }));
    });
    transferTo(helper.worker, near.createDataChannel('blast'), { peerConnection: near });
    const messages = await collect(await arrived) as Uint8Array[];
    equal(messages.map(({ buffer }) => new DataView(buffer).getUint32(0)), Array.from({ length: 2000 }, (_, index) => index),
      'what arrived');
    const { sendWaits, state } = await helper.tells('blasted') as { sendWaits: number; state: string };
    check(sendWaits > 0, 'some had to wait');
    equal(state, 'closed', 'the state');
    await left.close();
    await right.closed;
    await helper.end();
    close();
  },

  async 'streams work in a worker'() {
    const helper = new Helper();
    const { near, far, left, right, close } = await pair();
    far.ondatachannel = ({ channel }) => transferTo(helper.worker, channel);
    const channel = new WasmDataChannel(near.createDataChannel('pipe'), { peerConnection: near });
    await channel.opened;
    for (const value of [1, 2, 3]) await channel.send([value]);
    equal(plain(await take(channel, 3)), [[1], [2], [3]], 'through the worker');
    await channel.close();
    equal(await helper.tells('piped'), 'closed', 'the pipe ended with the channel');
    await left.close();
    await right.closed;
    await helper.end();
    close();
  },

  async 'the worker knows what the page knows of the connection'() {
    const helper = new Helper();
    const { near, far, negotiate, close } = connections(65_536);
    const init = { protocol: 'p', ordered: false, maxRetransmits: 3 };
    const arrived = new Promise<WasmDataChannel>((resolve) => {
      far.ondatachannel = ({ channel }) => resolve(new WasmDataChannel(channel));
    });
    transferTo(helper.worker, near.createDataChannel('describe', init), { peerConnection: near });
    await negotiate();
    equal(await helper.tells('described'), {
      label: 'describe', ...init, readyState: 'open', maxMessageSize: 65_536, hasConnection: false,
      tooLarge: { code: 'message_too_large', value: 65_537, limit: 65_536 },
    }, 'in the worker');
    const other = await arrived;
    await other.close();
    equal(await helper.tells('ended'), 'closed', 'a clean close');
    await helper.end();
    close();
  },

  async 'the worker is told when the connection is closed, from either side'() {
    for (const side of ['near', 'far'] as const) {
      const helper = new Helper();
      const { near, far, negotiate, close } = connections();
      const arrived = new Promise<WasmDataChannel>((resolve) => {
        far.ondatachannel = ({ channel }) => resolve(new WasmDataChannel(channel, { peerConnection: far }));
      });
      transferTo(helper.worker, near.createDataChannel('describe'), { peerConnection: near });
      await negotiate();
      await helper.tells('described');
      const other = await arrived;
      (side === 'near' ? near : far).close();
      const end = await helper.tells('ended');
      check(end === 'connection_closed' || end === 'closed', `closed by ${side}: ${String(end)} in the worker`);
      await other.closed.catch(() => undefined);
      await helper.end();
      close();
    }
  },

  async 'too late is invalid_state, says when it is not, and leaves the channel as it was'() {
    const helper = new Helper();
    const { near, far, left, right, close } = await pair();
    const late = near.createDataChannel('late');
    const arrived = new Promise<WasmDataChannel>((resolve) => {
      far.ondatachannel = ({ channel }) => resolve(new WasmDataChannel(channel));
    });
    await event(late, 'open');
    const { message, cause } = await fails('invalid_state', () => transferTo(helper.worker, late, { peerConnection: near }));
    check(message.includes('createDataChannel()') && message.includes('send()'), message);
    check(cause instanceof DOMException, 'a cause');
    const wrapped = new WasmDataChannel(late, { peerConnection: near });
    await fails('already_wrapped', () => transferTo(helper.worker, late));
    await wrapped.send('still here');
    equal(await take(await arrived, 1), ['still here'], 'what arrived');

    const gone = near.createDataChannel('echo');
    transferTo(helper.worker, gone);
    await fails('invalid_state', () => transferTo(helper.worker, gone));
    await fails('closed', () => new WasmDataChannel(gone));

    const other = near.createDataChannel('x');
    await fails('invalid_argument', () => transferTo(helper.worker, {} as RTCDataChannel));
    await fails('invalid_argument', () => transferTo({} as TransferTarget, other));
    await fails('invalid_argument', () => transferTo(null as unknown as TransferTarget, other));
    check(receiveChannel(new MessageEvent('message', { data: 'something else' })) === undefined, 'another message');
    await wrapped.close();
    await left.close();
    await right.closed;
    close();
    helper.worker.terminate();
  },

  async 'connect() in a worker is unsupported'() {
    const helper = new Helper();
    helper.ask('connect');
    equal(await helper.tells('connect'), 'unsupported', 'the error');
    await helper.end();
  },

  async 'two copies of the package in one page work side by side, and see what the other has wrapped'() {
    type Package = typeof import('webrtc-data-channel');
    const [one, two] = await Promise.all(['one', 'two'].map(
      (copy) => import(`/dist/index.js?${copy}`) as Promise<Package>)) as [Package, Package];
    check(one.WasmDataChannel !== two.WasmDataChannel, 'two copies');
    const { near, far, negotiate, close } = connections();
    const rtcChannel = near.createDataChannel('both');
    let echoing: Promise<void> | undefined;
    const arrived = new Promise<RTCDataChannel>((resolve) => {
      far.ondatachannel = ({ channel }) => {
        const right = new two.WasmDataChannel(channel);
        echoing = right.readable.pipeTo(right.writable);
        resolve(channel);
      };
    });
    const left = new one.WasmDataChannel(rtcChannel);
    await fails('already_wrapped', () => new two.WasmDataChannel(rtcChannel));
    await negotiate();
    await fails('already_wrapped', async () => new one.WasmDataChannel(await arrived));
    await left.opened;
    await left.send('there and back');
    const reader = left.readable.getReader();
    equal(new TextDecoder().decode((await reader.read()).value), 'there and back', 'what came back');
    equal([one.counts().channels, two.counts().channels], [1, 1], 'channels');
    reader.releaseLock();
    await left.close();
    await echoing;
    close();
  },
};
