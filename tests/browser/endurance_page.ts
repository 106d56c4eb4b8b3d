// SPDX-License-Identifier: MIT
//
// Runs in the page of endurance.test.mjs: one channel between two connections, of the protocol that the page's address says, C++
// at both ends of it.
import { createHost, type HostCounts } from 'webrtc-data-channel/host';
import { connections, event } from './package_pair.js';

interface Exports {
  readonly memory: WebAssembly.Memory;
  endurance_open(near: number, far: number): number;
  endurance_send(count: number): void;
  endurance_flood(messageSize: number, messages: number, stallMs: number, bytesPerSecond: number): void;
  endurance_sent(): number;
  endurance_received(): number;
  endurance_live_bytes(): number;
  endurance_close(): void;
}

/** What must not grow. */
export interface Measures {
  sent: number;
  received: number;
  memoryBytes: number;
  liveBytes: number;
  slots: number;
}

const host = createHost();
let finished: (error: number) => void = () => undefined;
const { instance } = await WebAssembly.instantiateStreaming(fetch('/endurance.wasm'), {
  ...host.imports, test: { finished: (error: number) => finished(error) },
});
const exports = instance.exports as unknown as Exports;
host.bind(instance);

const { near, far, negotiate, close } = connections();
const rtcChannel = near.createDataChannel('endurance', {
  protocol: new URLSearchParams(location.search).get('protocol') ?? '',
});
const adopted = [host.adoptChannel(rtcChannel, { peerConnection: near })];
const arrived = new Promise<void>((resolve) => {
  far.ondatachannel = ({ channel }) => {
    adopted.push(host.adoptChannel(channel, { peerConnection: far }));
    resolve();
  };
});
const opened = event(rtcChannel, 'open');
await negotiate();
await Promise.all([arrived, opened]);
const [sender = 0, receiver = 0] = adopted;
const failure = host.call(() => exports.endurance_open(sender, receiver));
if (failure !== 0) throw new Error(`endurance_open: error ${failure}`);

let outcome: number | undefined;

Object.assign(globalThis, {
  endurance: {
    /** `count` more messages; done() tells when they have arrived. */
    send(count: number): void {
      outcome = undefined;
      finished = (error) => {
        outcome = error;
      };
      host.call(() => exports.endurance_send(count));
    },
    /** Undefined, then 0 or the number of an error. */
    done: () => outcome,
    /** Messages to a reader that stalls, and is slow then; done() as of send(). */
    flood(messageSize: number, messages: number, stallMs: number, bytesPerSecond: number): void {
      outcome = undefined;
      finished = (error) => {
        outcome = error;
      };
      host.call(() => exports.endurance_flood(messageSize, messages, stallMs, bytesPerSecond));
    },
    measure: (): Measures => ({
      sent: exports.endurance_sent(),
      received: exports.endurance_received(),
      memoryBytes: exports.memory.buffer.byteLength,
      liveBytes: exports.endurance_live_bytes(),
      slots: host.counts().slots,
    }),
    async close(): Promise<HostCounts> {
      host.call(() => exports.endurance_close());
      close();
      for (let tries = 0; tries < 100 && Object.values(host.counts()).some((count) => count !== 0); tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return host.counts();
    },
  },
});
document.documentElement.dataset['state'] = 'ready';
