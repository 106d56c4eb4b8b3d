// SPDX-License-Identifier: MIT
import { codeOf, WdcError } from './error.js';
import { errorCodes, type ErrorCode } from './error_codes.js';
import { createHost } from './host.js';
import type { Host } from './host/types.js';
import { notYet, type Feed } from './feeds.js';
import { flowArguments, framedArguments, type FlowArguments, type FlowOptions, type FramedArguments } from './options.js';
import type { Bytes } from './payload.js';

/**
 * The package's WebAssembly in hexadecimal; scripts/build.mjs puts it here. Compressed as files on the way to a page are, it is
 * smaller than base64, which hides the bytes that repeat. Undefined in the entry `external`, which compiles a file.
 */
declare const WDC_EMBEDDED_MODULE: string | undefined;

/** What js/module/exports.cc offers. A negative result is an error. */
interface ModuleExports {
  readonly memory: WebAssembly.Memory;
  wdc_js_set_framed(...framed: FramedArguments): void;
  wdc_js_set_flow(...flow: FlowArguments): number;
  wdc_js_adopt(hostChannel: number): number;
  readonly wdc_js_release: (channel: number) => void;
  wdc_js_set_send(priority: number, timeoutMs: number, key: number): void;
  wdc_js_send(channel: number, slot: number, size: number, isText: number): number;
  wdc_js_send_source(channel: number, size: number, isText: number, inMemory: number): number;
  wdc_js_source_ready(operation: number): void;
  readonly wdc_js_try_send: (channel: number, slot: number, size: number, isText: number) => number;
  wdc_js_outbox(): number;
  readonly wdc_js_try_send_outbox: (channel: number, size: number, kind: number) => number;
  readonly wdc_js_lend: (channel: number) => number;
  readonly wdc_js_lent: (channel: number, messages: number) => void;
  wdc_js_flush(channel: number, goal: number): number;
  wdc_js_cancel_send(operation: number): void;
  wdc_js_pull(channel: number, count: number): void;
  wdc_js_taken(channel: number, count: number): void;
  wdc_js_pull_incoming(channel: number, count: number): void;
  wdc_js_pull_part(message: number, whole: number): void;
  wdc_js_release_incoming(message: number): void;
  wdc_js_listen(channel: number): void;
  wdc_js_direct_limit(channel: number): number;
  readonly wdc_js_took: (channel: number, messages: number, bytes: number, cost: number) => void;
  readonly wdc_js_room: (channel: number) => number;
  readonly wdc_js_sent: (channel: number, messages: number, bytes: number) => void;
  readonly wdc_js_send_room: (channel: number) => number;
  readonly wdc_js_gave: (channel: number, messages: number, bytes: number, cost: number) => void;
  wdc_js_stop(channel: number): void;
  wdc_js_close(channel: number, timeoutMs: number): void;
  wdc_js_abort(channel: number): void;
  wdc_js_ready_state(channel: number): number;
  wdc_js_buffered_amount(channel: number): number;
  readonly wdc_js_max_message_size: (channel: number) => number;
  wdc_js_framed(channel: number): number;
  wdc_js_delivery(channel: number): number;
  wdc_js_stats(channel: number): number;
}

/** What a channel hears from the module. Called with C++ on the stack: only `notifyMessage` may run the user's code. */
export interface ChannelEvents {
  notifyOpened(error: WdcError | undefined): void;
  notifyMessage(value: ArrayBuffer | string): void;
  /** `count` pairs of a place in memory and a size, its highest bit set for text. Gives how many were taken. */
  notifyBatch(pointer: number, count: number, frame: ArrayBuffer | undefined, framePointer: number): number;
  notifyIncoming(message: number, isText: boolean, size: number | undefined): void;
  notifyEndOfMessages(error: WdcError | undefined): void;
  notifyCloseEnded(error: WdcError | undefined): void;
  notifyClosed(error: WdcError | undefined): void;
  /** The instance is dead, and everything of it. */
  notifyDeath(error: WdcError): void;
}

/** A send that waits. */
export interface SendEvents {
  sent(error: WdcError | undefined): void;
  /** Where the bytes come from, if the message goes in parts. */
  readonly feed?: Feed | undefined;
}

/** A message that is read in parts. */
export interface PartEvents {
  part(value: ArrayBuffer | string): void;
  partEnded(error: WdcError | undefined): void;
}

/** As in js/module/exports.cc. */
export const kOutboxBytes = 65_536;
const decoder = new TextDecoder();
const cannotRead = -errorCodes.cancelled.number;
const wouldBlock = -errorCodes.would_block.number;

/** One instance of the package's WebAssembly, with its channels and the sends that wait. */
export class Module {
  readonly host: Host;
  readonly exports: ModuleExports;
  readonly channels = new Map<number, ChannelEvents>();
  readonly sends = new Map<number, SendEvents>();
  readonly incoming = new Map<number, PartEvents>();
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);
  #outbox = new Uint8Array(0);
  #failure = { detail: '', value: -1, limit: -1 };

  constructor() {
    this.host = createHost();
    const instance = instantiate({ ...this.host.imports, wdc_js: this.#imports() });
    this.exports = instance.exports as unknown as ModuleExports;
    this.host.bind(instance);
    this.host.onDead((reason) => this.#died(reason as WdcError));
  }

  /** All of the memory. Holds until C++ runs, as do `words`: kept, because a new view is 0.2 us in Firefox. */
  get bytes(): Bytes {
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.exports.memory.buffer);
    return this.#bytes;
  }

  get words(): Uint32Array {
    if (this.#words.length === 0) this.#words = new Uint32Array(this.exports.memory.buffer);
    return this.#words;
  }

  /** Where the bytes of trySendOutbox() go; holds until C++ runs. Throws out_of_memory. */
  get outbox(): Bytes {
    if (this.#outbox.length === 0) { // detached by growth, or new
      const pointer = this.host.call(() => this.exports.wdc_js_outbox());
      if (pointer === 0) throw new WdcError('out_of_memory');
      this.#outbox = new Uint8Array(this.exports.memory.buffer, pointer >>> 0, kOutboxBytes);
    }
    return this.#outbox;
  }

  /** Sends the first `size` bytes of the outbox; gives 0 or an error. `kind`: as wdc_js_try_send_outbox() has it. */
  trySendOutbox(channel: number, size: number, kind: number): number {
    return this.host.call(this.exports.wdc_js_try_send_outbox, channel, size, kind);
  }

  /** The options of the next channel. Gives the error of those that no channel can have; throws invalid_argument for no numbers. */
  setFlow(options: FlowOptions): WdcError | undefined {
    const [flow, framed] = [flowArguments(options), framedArguments(options)];
    return this.error(this.host.call(() => {
      if (framed) this.exports.wdc_js_set_framed(...framed);
      return this.exports.wdc_js_set_flow(...flow);
    }));
  }

  /** The error that a negative result stands for; undefined for 0. */
  error(code: number): WdcError | undefined {
    return code < 0 ? this.#error(codeOf(-code)) : undefined;
  }

  #error(code: ErrorCode): WdcError {
    const { detail, value, limit } = this.#failure;
    this.#failure = { detail: '', value: -1, limit: -1 };
    return new WdcError(code, detail, value < 0 ? {} : { value, limit });
  }

  #imports(): WebAssembly.ModuleImports {
    return {
      fail: (hasNumbers: number, value: number, limit: number, detail: number, size: number) => {
        const bytes = new Uint8Array(this.exports.memory.buffer, detail >>> 0, size >>> 0);
        this.#failure = {
          detail: size === 0 ? '' : decoder.decode(bytes),
          value: hasNumbers ? value : -1,
          limit: hasNumbers ? limit : -1,
        };
      },
      sent: (operation: number, code: number) => {
        const send = this.sends.get(operation);
        this.sends.delete(operation);
        send?.sent(this.error(code));
      },
      deliver: (channel: number, slot: number) => {
        const value = this.host.takeSlot(slot) as ArrayBuffer | string;
        this.channels.get(channel)?.notifyMessage(value);
      },
      deliver_batch: (channel: number, pointer: number, count: number, slot: number, framePointer: number) => {
        const frame = slot > 0 ? this.host.takeSlot(slot) as ArrayBuffer : undefined;
        return this.channels.get(channel)?.notifyBatch(pointer >>> 0, count, frame, framePointer >>> 0) ?? 0;
      },
      incoming: (channel: number, message: number, isText: number, size: number) =>
        this.channels.get(channel)?.notifyIncoming(message, isText !== 0, size < 0 ? undefined : size),
      part: (message: number, slot: number) => {
        const value = this.host.takeSlot(slot) as ArrayBuffer | string;
        this.incoming.get(message)?.part(value);
      },
      part_ended: (message: number, code: number) => this.incoming.get(message)?.partEnded(this.error(code)),
      source_read: (operation: number, room: number, size: number) => {
        try {
          const bytes = new Uint8Array(this.exports.memory.buffer, room >>> 0, size >>> 0);
          const read = this.sends.get(operation)?.feed?.read(bytes) ?? 0;
          return read === notYet ? wouldBlock : read;
        } catch {
          return cannotRead; // the feed knows why
        }
      },
      ended: (channel: number, code: number) => this.channels.get(channel)?.notifyEndOfMessages(this.error(code)),
      opened: (channel: number, code: number) => this.channels.get(channel)?.notifyOpened(this.error(code)),
      close_ended: (channel: number, code: number) => this.channels.get(channel)?.notifyCloseEnded(this.error(code)),
      closed: (channel: number, code: number) => this.channels.get(channel)?.notifyClosed(this.error(code)),
    };
  }

  #died(reason: WdcError): void {
    const channels = [...this.channels.values()];
    const sends = [...this.sends.values()];
    const incoming = [...this.incoming.values()];
    this.channels.clear();
    this.sends.clear();
    this.incoming.clear();
    for (const send of sends) send.sent(reason);
    for (const message of incoming) message.partEnded(reason);
    for (const channel of channels) channel.notifyDeath(reason);
  }
}

/** The magic number and version 1: the smallest module there is. Where it does not compile, none may. */
const kEmptyModule = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

let code: WebAssembly.Module | undefined;
let current: Module | undefined;

/**
 * Compiles once, which every browser does at once on its main thread, too. Throws wasm_blocked, unsupported, out_of_memory, and
 * invalid_state in the entry `external` before its load().
 */
export function compiled(): WebAssembly.Module {
  if (code !== undefined) return code;
  if (WDC_EMBEDDED_MODULE === undefined) {
    throw new WdcError('invalid_state', "'webrtc-data-channel/external' has no WebAssembly yet: await load() first");
  }
  requireWebAssembly();
  try {
    code = new WebAssembly.Module(fromHexadecimal(WDC_EMBEDDED_MODULE));
  } catch (cause) {
    throw compileError(cause);
  }
  return code;
}

/** The error that it stands for; undefined if it is something else. Firefox throws a mere string. */
function outOfMemory(cause: unknown): WdcError | undefined {
  if (cause instanceof RangeError) return new WdcError('out_of_memory', cause.message, { cause });
  return cause === 'out of memory' ? new WdcError('out_of_memory') : undefined;
}

/** Throws as compiled(), or out_of_memory. */
function instantiate(imports: WebAssembly.Imports): WebAssembly.Instance {
  const module = compiled();
  try {
    return new WebAssembly.Instance(module, imports);
  } catch (cause) {
    throw outOfMemory(cause) ?? cause;
  }
}

/** Throws unsupported. */
export function requireWebAssembly(): void {
  if (typeof WebAssembly !== 'object') throw new WdcError('unsupported', 'there is no WebAssembly here');
}

/** What it means that a module did not compile. */
export function compileError(cause: unknown): WdcError {
  const exhausted = outOfMemory(cause);
  if (exhausted) return exhausted;
  try {
    new WebAssembly.Module(kEmptyModule);
  } catch {
    return new WdcError('wasm_blocked', "its script-src lacks 'wasm-unsafe-eval'", { cause });
  }
  return new WdcError('unsupported', `the WebAssembly, which needs SIMD, does not compile: ${String(cause)}`, { cause });
}

/** The code that channels run from now on, unless there is some. */
export function provideCode(module: WebAssembly.Module): void {
  code ??= module;
}

function fromHexadecimal(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = parseInt(text.slice(2 * index, 2 * index + 2), 16);
  }
  return bytes;
}

/** The living instance that all channels share; a fresh one after a trap. Throws wasm_blocked. */
export function currentModule(): Module {
  if (current === undefined || current.host.dead !== undefined) current = new Module();
  return current;
}

/** The instance there is, if any: for looking at it without making one. */
export function existingModule(): Module | undefined {
  return current;
}
