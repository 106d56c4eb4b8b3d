// SPDX-License-Identifier: MIT
//
// Channels of the other side, wrapped in the turn of `datachannel`; package_page.ts runs this with the others.
import { WasmDataChannel } from 'webrtc-data-channel';
import { bytesOf, connections, equal, plain, take } from './package_pair.js';

const isChromium = /Chrom(e|ium)\//.test(navigator.userAgent);

export const announcedTests: Record<string, () => Promise<void>> = {
  async 'what is sent in the turn of the announcement waits until the browser can, and arrives'() {
    const { near, far, negotiate, close } = connections();
    const ours = new WasmDataChannel(near.createDataChannel('early'), { peerConnection: near });
    const announced = new Promise<{ tried: boolean; sends: Promise<void>[] }>((resolve) => {
      far.ondatachannel = ({ channel }) => {
        const theirs = new WasmDataChannel(channel, { peerConnection: far });
        const tried = theirs.trySend('tried');
        resolve({ tried, sends: [theirs.send('one'), theirs.send(bytesOf(2))] });
      };
    });
    await negotiate();
    const { tried, sends } = await announced;
    equal(tried, !isChromium, 'trySend');
    await Promise.all(sends);
    equal(plain(await take(ours, tried ? 3 : 2)), [...(tried ? ['tried'] : []), 'one', [2]], 'what arrived');
    await ours.close();
    close();
  },

  async 'a close in the turn of the announcement delivers what was sent there'() {
    const { near, far, negotiate, close } = connections();
    const ours = new WasmDataChannel(near.createDataChannel('brief'), { peerConnection: near });
    const closing = new Promise<{ done: Promise<unknown> }>((resolve) => {
      far.ondatachannel = ({ channel }) => {
        const theirs = new WasmDataChannel(channel, { peerConnection: far });
        resolve({ done: Promise.all([theirs.send('one'), theirs.send('two'), theirs.close()]) });
      };
    });
    await negotiate();
    const { done } = await closing;
    equal(plain(await take(ours, 2)), ['one', 'two'], 'what arrived');
    await done;
    await ours.closed;
    close();
  },

  async 'many channels that send as they are announced lose nothing'() {
    const { near, far, negotiate, close } = connections();
    const theirs: WasmDataChannel[] = [];
    const sends: Promise<void>[] = [];
    far.ondatachannel = ({ channel }) => {
      const one = new WasmDataChannel(channel, { peerConnection: far });
      theirs.push(one);
      sends.push(one.send(channel.label), one.send('last'));
    };
    const ours = Array.from({ length: 200 }, (_, index) => (
      new WasmDataChannel(near.createDataChannel(String(index)), { peerConnection: near })));
    await negotiate();
    for (const [index, channel] of ours.entries()) {
      equal(plain(await take(channel, 2)), [String(index), 'last'], `what arrived on channel ${index}`);
    }
    await Promise.all(sends);
    await Promise.all(ours.map((channel) => channel.close()));
    await Promise.all(theirs.map(({ closed }) => closed));
    close();
  },
};
