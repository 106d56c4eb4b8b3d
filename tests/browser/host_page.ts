// SPDX-License-Identifier: MIT
//
// Runs in the page of host.test.mjs: one module instance per subject, and what it needs to be looked at from outside.
import { createHost, type AdoptOptions, type Host, type HostCounts } from '../../js/src/host.js';
import { sizeOf } from '../../js/src/host/memory.js';

interface Exports {
  run_scenario: (scenario: number) => void;
  run_meeting: (scenario: number, url: number, urlSize: number, room: number, roomSize: number, closes: number) => void;
  adopt_echo: (scenario: number, channel: number) => number;
  adopt_sender: (channel: number) => number;
  send_slot: (slot: number, size: number, isText: number) => number;
  drop_sender: () => void;
  trap: () => void;
  overflow_stack: () => number;
  suspend_stack: (value: number) => number;
}

const code = await WebAssembly.compileStreaming(fetch('/host_test.wasm'));

/** A module instance with its host; scenarios are numbered by their order here. */
export class Subject {
  readonly host: Host = createHost();
  readonly exports: Exports;
  readonly #ends = new Map<number, (text: string) => void>();
  #next = 100;
  /** What suspend_stack waits for, where the browser can suspend a stack. */
  resume: (value: number) => void = () => undefined;

  constructor() {
    const decoder = new TextDecoder();
    const suspend = (value: number) => new Promise<number>((resolve) => {
      this.resume = () => resolve(value);
    });
    const { Suspending } = WebAssembly as unknown as { Suspending?: new (fn: unknown) => WebAssembly.ImportValue };
    const instance = new WebAssembly.Instance(code, {
      ...this.host.imports,
      test: {
        finished: (scenario: number, pointer: number, size: number) => {
          const text = decoder.decode(new Uint8Array(memory.buffer, pointer, size));
          queueMicrotask(() => this.#ends.get(scenario)?.(text));
        },
        suspend: Suspending ? new Suspending(suspend) : (value: number) => value,
      },
    });
    const memory = instance.exports['memory'] as WebAssembly.Memory;
    this.exports = instance.exports as unknown as Exports;
    this.host.bind(instance);
  }

  /** Resolves with the scenario's error; empty if all was well. */
  scenario(number: number): Promise<string> {
    return this.#run(number, () => this.exports.run_scenario(number));
  }

  meet(url: string, room: string, closes: boolean): Promise<string> {
    const number = this.#next++;
    return this.#run(number, () =>
      this.exports.run_meeting(
        number, this.host.putSlot(url), url.length, this.host.putSlot(room), room.length, Number(closes),
      ));
  }

  /** Echoes on the channel until it ends; resolves with the reason. */
  echo(channel: RTCDataChannel, options?: AdoptOptions): Promise<string> {
    return this.echoAdopted(this.host.adoptChannel(channel, options));
  }

  echoAdopted(adopted: number): Promise<string> {
    const number = this.#next++;
    return this.#run(number, () => {
      const result = this.exports.adopt_echo(number, adopted);
      if (result < 0) throw new Error(`adopt_echo: ${result}`);
    });
  }

  sender(channel: RTCDataChannel): void {
    const adopted = this.host.adoptChannel(channel);
    this.host.call(() => this.exports.adopt_sender(adopted));
  }

  send(value: ArrayBuffer | ArrayBufferView | string): number {
    return this.host.call(() =>
      this.exports.send_slot(this.host.putSlot(value), sizeOf(value), Number(typeof value === 'string')));
  }

  /** The counts once they are all zero, or after two seconds. */
  async settledCounts(): Promise<HostCounts> {
    const end = performance.now() + 2_000;
    while (Object.values(this.host.counts()).some((count) => count !== 0) && performance.now() < end) await nextTurn();
    return this.host.counts();
  }

  #run(number: number, begin: () => void): Promise<string> {
    return new Promise((resolve) => {
      this.#ends.set(number, resolve);
      this.host.onDead((reason) => resolve(`dead: ${reason.message}`));
      this.host.call(begin);
    });
  }
}

export const nextTurn = (): Promise<void> => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(undefined);
});

export const once = <E extends Event>(target: EventTarget, type: string): Promise<E> =>
  new Promise((resolve) => target.addEventListener(type, (event) => resolve(event as E), { once: true }));

/** Two connections of the page's own that find each other. */
export function connectedPair(): { a: RTCPeerConnection; b: RTCPeerConnection } {
  const a = new RTCPeerConnection();
  const b = new RTCPeerConnection();
  for (const [from, to] of [[a, b], [b, a]] as const) {
    from.addEventListener('icecandidate', ({ candidate }) => {
      if (to.signalingState !== 'closed') to.addIceCandidate(candidate ?? undefined).catch(() => undefined);
    });
  }
  return { a, b };
}

export async function negotiate(a: RTCPeerConnection, b: RTCPeerConnection): Promise<void> {
  await a.setLocalDescription();
  if (a.localDescription) await b.setRemoteDescription(a.localDescription);
  await b.setLocalDescription();
  if (b.localDescription) await a.setRemoteDescription(b.localDescription);
}

/** A channel of the page's and, at the other end, what `atIncoming` makes of the one that comes in. */
export async function pairWith<T>(atIncoming: (channel: RTCDataChannel, connection: RTCPeerConnection) => T): Promise<{
  a: RTCPeerConnection; b: RTCPeerConnection; channel: RTCDataChannel; incoming: T;
}> {
  const { a, b } = connectedPair();
  const channel = a.createDataChannel('from the page');
  channel.binaryType = 'arraybuffer';
  const incoming = new Promise<T>((resolve) => {
    b.addEventListener('datachannel', (event) => resolve(atIncoming(event.channel, b)), { once: true });
  });
  const open = once(channel, 'open');
  await negotiate(a, b);
  await open;
  return { a, b, channel, incoming: await incoming };
}

Object.assign(globalThis, { Subject, nextTurn, once, connectedPair, negotiate, pairWith });
document.documentElement.dataset['state'] = 'ready';
