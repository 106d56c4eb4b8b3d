// SPDX-License-Identifier: MIT
import { WdcError } from './error.js';
import { Channels } from './host/channels.js';
import { reasonOf } from './host/errors.js';
import { Instance } from './host/instance.js';
import type { ModuleExports } from './host/module_exports.js';
import { Peers } from './host/peers.js';
import { Pipes } from './host/pipes.js';
import type { AdoptOptions, DirectReader, DirectSender, Host, HostCounts, Suspension } from './host/types.js';
import { wasiImports } from './host/wasi.js';

export type { AdoptOptions, Host, HostCounts, Suspension } from './host/types.js';

/** A host for one instance of a module. `suspension`: where the stack is suspended otherwise than by call(). */
export function createHost(suspension?: Suspension): Host {
  return new InstanceHost(suspension);
}

class InstanceHost implements Host {
  readonly imports: Host['imports'];
  readonly #instance: Instance;
  readonly #channels: Channels;
  readonly #peers: Peers;
  readonly #pipes: Pipes;
  #bound = false;

  constructor(suspension?: Suspension) {
    this.#instance = new Instance(suspension);
    this.#channels = new Channels(this.#instance);
    this.#peers = new Peers(this.#instance, this.#channels);
    this.#pipes = new Pipes(this.#instance);
    this.imports = {
      wdc: {
        ...this.#basics(),
        ...this.#channels.imports(),
        ...this.#peers.imports(),
        ...this.#pipes.imports(),
      },
      wasi_snapshot_preview1: wasiImports(this.#instance.memory),
    };
  }

  bind(instance: WebAssembly.Instance): void {
    if (this.#bound) throw new WdcError('invalid_state', 'this host has its instance already');
    const exports = instance.exports as unknown as ModuleExports;
    this.#bound = true;
    this.#instance.exports = exports;
    this.#instance.memory.attach(exports.memory);
    this.call(() => exports._initialize?.());
    this.call(() => exports.__main_void?.());
  }

  adoptChannel(channel: RTCDataChannel, options?: AdoptOptions): number {
    return this.#channels.adopt(channel, options);
  }

  readDirectly(number: number, channel: RTCDataChannel, reader: DirectReader | undefined): void {
    const entry = this.#channels.find(number);
    if (entry?.channel === channel) entry.readDirectly(reader);
  }

  sendDirectly(number: number, channel: RTCDataChannel, sender: DirectSender): void {
    const entry = this.#channels.find(number);
    if (entry?.channel === channel) entry.sendDirectly(sender);
  }

  putSlot(value: ArrayBufferLike | ArrayBufferView | string): number {
    return this.#instance.slots.put(value);
  }

  takeSlot(slot: number): unknown {
    return this.#instance.slots.take(slot);
  }

  call<T, A, B, C, D>(fn: (a: A, b: B, c: C, d: D) => T, a?: A, b?: B, c?: C, d?: D): T {
    return this.#instance.call(fn, a as A, b as B, c as C, d as D);
  }

  beforeEntry(tell: () => void): boolean {
    return this.#instance.beforeEntry(tell);
  }

  get dead(): Error | undefined {
    return this.#instance.dead;
  }

  onDead(listener: (reason: Error) => void): void {
    this.#instance.onDead(listener);
  }

  counts(): HostCounts {
    const { slots, ledger } = this.#instance;
    return {
      channels: this.#channels.count,
      peers: this.#peers.count,
      pipes: this.#pipes.count,
      slots: slots.size,
      handlers: ledger.handlers,
      timers: ledger.timers,
    };
  }

  #basics(): WebAssembly.ModuleImports {
    const instance = this.#instance;
    const { memory, slots, lastError } = instance;
    return {
      error_value: () => lastError.value,
      error_limit: () => lastError.limit,
      error_detail: () => (lastError.detail === '' ? 0 : slots.put(lastError.detail)),
      now: () => performance.now(),
      request_pump: () => instance.requestPump(),
      request_turn_end: () => instance.requestTurnEnd(),
      set_deadline: (milliseconds: number) => instance.setDeadline(milliseconds),
      report: (pointer: number, length: number) => console.error(memory.text(pointer, length)),
      slot_size: (slot: number) => instance.slotSize(slot),
      slot_read: (slot: number, pointer: number, length: number) => memory.write(slots.take(slot), pointer, length),
      slot_copy: (slot: number, pointer: number, length: number) => memory.write(slots.get(slot), pointer, length),
      slot_write: (slot: number, pointer: number, length: number) => {
        new Uint8Array(slots.get(slot) as ArrayBuffer).set(memory.view(pointer, length));
      },
      slot_free: (slot: number) => {
        slots.take(slot);
      },
      slot_from_bytes: (pointer: number, length: number) => {
        try {
          return slots.put(memory.copy(pointer, length));
        } catch (error) {
          return lastError.fail('out_of_memory', reasonOf(error));
        }
      },
      slot_from_text: (pointer: number, length: number) => {
        const text = memory.text(pointer, length);
        return text === undefined ? lastError.fail('invalid_argument', 'the text is not UTF-8') : slots.put(text);
      },
    };
  }
}
