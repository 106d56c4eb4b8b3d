// SPDX-License-Identifier: MIT
//
// One member of a room, as package.test.mjs drives it from outside.
import { connect, counts, type ConnectOptions, type HostCounts, type WasmDataChannel, type WdcError } from 'webrtc-data-channel';

let channel: WasmDataChannel | undefined;
let cancel: AbortController | undefined;
let received: (string | number)[] = [];
let ended: Promise<string> = Promise.resolve('never open');

const codeOf = (error: unknown): string => (error as Partial<WdcError>).code ?? String(error);

function open(): WasmDataChannel {
  if (channel === undefined) throw new Error('not connected');
  return channel;
}

Object.assign(globalThis, {
  member: {
    /** Gives 'open', or the code of the error. */
    async join(url: string, room: string, options: ConnectOptions = {}): Promise<string> {
      cancel = new AbortController();
      received = [];
      try {
        channel = await connect(url, room, { signal: cancel.signal, ...options });
      } catch (error) {
        return codeOf(error);
      }
      channel.startListening((message) => received.push(typeof message === 'string' ? message : message.length), { text: true });
      ended = channel.closed.then(() => 'closed', codeOf);
      return channel.readyState;
    },
    cancel: (reason: string) => cancel?.abort(reason),
    send: (text: string) => open().send(text),
    /** Many messages, each `size` bytes. */
    async sendMany(count: number, size: number): Promise<void> {
      for (let index = 0; index < count; index += 1) await open().send(new Uint8Array(size));
    },
    async about() {
      const { id, label, negotiated, ordered, protocol, peerConnection } = open();
      // Chromium may tell of the channel before it tells of the connection.
      while (peerConnection && ['new', 'connecting'].includes(peerConnection.connectionState)) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return { id, label, negotiated, ordered, protocol, connection: peerConnection?.connectionState };
    },
    /** Resolves once `count` messages have arrived. */
    async received(count: number): Promise<(string | number)[]> {
      for (;;) {
        if (received.length >= count) return received;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    /** The paths are looked for anew; resolves when the description that came of it is settled. */
    async restart(): Promise<void> {
      const { peerConnection } = open();
      if (peerConnection === undefined) throw new Error('no connection');
      const before = peerConnection.localDescription?.sdp;
      peerConnection.restartIce();
      while (peerConnection.localDescription?.sdp === before || peerConnection.signalingState !== 'stable') {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    close: () => open().close().then(() => 'closed', codeOf),
    ended: () => ended,
    async settledCounts(): Promise<HostCounts> {
      for (let tries = 0; tries < 100 && Object.values(counts()).some((count) => count !== 0); tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return counts();
    },
  },
});
