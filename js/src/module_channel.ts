// SPDX-License-Identifier: MIT
import { describe, WdcError } from './error.js';
import { errorCodes } from './error_codes.js';
import { sizeOf } from './host/memory.js';
import { currentModule, type ChannelEvents, type Module } from './module.js';
import { flowArguments, wholeMs, type ChannelOptions } from './options.js';
import { snapshot, type Payload } from './payload.js';

/** Whoever takes a channel's messages. */
export interface Reader {
  /** Must not throw. */
  message(value: ArrayBuffer | string): void;
  /** Nothing follows. Must not throw. */
  end(error: WdcError | undefined): void;
}

/** What a channel has counted since it was wrapped. Bytes are payload. */
export interface ChannelStats {
  messagesSent: number;
  bytesSent: number;
  messagesReceived: number;
  bytesReceived: number;
  /** By the policy for a full receive queue, or by discardReceived. */
  messagesDropped: number;
  bytesDropped: number;
  /** Unread messages right now. */
  receiveQueueMessages: number;
  receiveQueueBytes: number;
  /** Sends that wait right now. */
  sendQueueOperations: number;
  /** Sends that had to wait. */
  sendWaits: number;
  /** Messages sent past the high mark because the browser's buffer did not move. */
  stalls: number;
}

const statNames = [
  'messagesSent', 'bytesSent', 'messagesReceived', 'bytesReceived', 'messagesDropped', 'bytesDropped',
  'receiveQueueMessages', 'receiveQueueBytes', 'sendQueueOperations', 'sendWaits', 'stalls',
] as const;
const readyStates = ['connecting', 'open', 'closing', 'closed'] as const;
const everyMessage = 0xffffffff;
const wouldBlock = -errorCodes.would_block.number;
const notOpen = -errorCodes.not_open.number;
const done = Promise.resolve();

/** A promise with its ends, which nobody has to look at. */
class Deferred {
  readonly promise: Promise<void>;
  resolve!: () => void;
  reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => undefined); // not an unhandled rejection if nobody asks
  }

  settle(error: WdcError | undefined): void {
    if (error) this.reject(error);
    else this.resolve();
  }
}

/**
 * Throws invalid_argument for options that no channel can have. The ranges are the module's to check: where there is none
 * (yet), they are checked when a channel is wrapped.
 */
export function checkOptions(options: ChannelOptions): void {
  const flow = flowArguments(options);
  wholeMs(options, 'disconnectedTimeoutMs');
  let module: Module;
  try {
    module = currentModule();
  } catch {
    return;
  }
  const error = module.error(module.host.call(() => module.exports.wdc_js_set_flow(...flow)));
  if (error?.code === 'invalid_argument') throw error; // not out_of_memory, which may have passed by then
}

/** A channel of the module as the two public classes share it. */
export class ModuleChannel implements ChannelEvents {
  readonly rtc: RTCDataChannel;
  readonly #module: Module;
  /** In the module; 0 once it was released there. */
  #number: number;
  readonly #opened = new Deferred();
  readonly #closed = new Deferred();
  /** While a close() is in progress. */
  #closing: Deferred | undefined;
  /** Undefined until the channel has closed. */
  #end: { error: WdcError | undefined } | undefined;
  #reader: Reader | undefined;
  /** Messages the reader has asked for and not got yet. */
  #wanted = 0;
  #waitingSends = 0;
  /** True once readers are served from #unread, no more from the module. */
  #served = false;
  #unread: (ArrayBuffer | string)[] = [];
  #unreadEnd: { error: WdcError | undefined } | undefined;
  #lastStats: ChannelStats | undefined;

  /** Throws WdcError: invalid_argument, already_wrapped, closed, wasm_blocked. */
  constructor(rtc: RTCDataChannel, options: ChannelOptions) {
    if (Object.prototype.toString.call(rtc) !== '[object RTCDataChannel]') {
      throw new WdcError('invalid_argument', `an RTCDataChannel is needed, not ${describe(rtc)}`);
    }
    const flow = flowArguments(options);
    const disconnectedTimeout = wholeMs(options, 'disconnectedTimeoutMs');
    const { peerConnection } = options;
    this.rtc = rtc;
    this.#module = currentModule();
    const { host, exports } = this.#module;
    // Before the channel is touched: a wrong option leaves it as it is.
    this.#throwIfError(host.call(() => exports.wdc_js_set_flow(...flow)));
    const handle = host.adoptChannel(rtc, {
      ...(peerConnection && { peerConnection }),
      ...(disconnectedTimeout >= 0 && { disconnectedTimeout }),
    });
    this.#number = host.call(() => {
      const number = exports.wdc_js_adopt(handle);
      if (number > 0) this.#module.channels.set(number, this); // before the pump that may follow
      return number;
    });
    this.#throwIfError(this.#number);
  }

  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get readyState(): RTCDataChannelState {
    if (this.#number === 0 || this.#end) return 'closed';
    const state = readyStates[this.#call((exports, number) => exports.wdc_js_ready_state(number))] ?? 'closed';
    return state === 'connecting' && this.#opensNow ? 'open' : state;
  }

  /** The browser has opened it, and the module will hear of it in this turn: a listener that was attached before runs. */
  get #opensNow(): boolean {
    return this.rtc.readyState === 'open';
  }

  get bufferedAmount(): number {
    return this.#number === 0 ? 0 : this.#call((exports, number) => exports.wdc_js_buffered_amount(number));
  }

  get maxMessageSize(): number {
    return this.#number === 0 ? 0 : this.#call((exports, number) => exports.wdc_js_max_message_size(number));
  }

  get waitingSends(): number {
    return this.#waitingSends;
  }

  get hasReader(): boolean {
    return this.#reader !== undefined;
  }

  stats(): ChannelStats {
    if (this.#number === 0) return this.#statsOfClosed();
    const pointer = this.#call((exports, number) => exports.wdc_js_stats(number));
    const numbers = new Float64Array(this.#module.exports.memory.buffer, pointer >>> 0, statNames.length);
    return Object.fromEntries(statNames.map((name, index) => [name, numbers[index]])) as unknown as ChannelStats;
  }

  /**
   * Sends in order; resolves when the transport has accepted it. `own`: nobody else can change the payload. An abort takes
   * back a send that waits.
   */
  send(payload: Payload, own: boolean, signal?: AbortSignal): Promise<void> {
    if (this.#number === 0) return Promise.reject(this.#gone());
    const size = sizeOf(payload);
    try {
      // Behind others that wait this one would wait, too.
      if (this.#waitingSends === 0) {
        const result = this.#trySend(payload, size);
        if (result === 0) return done;
        if (result === notOpen && this.#opensNow) {
          const copy = own ? payload : snapshot(payload);
          return this.opened.then(() => this.send(copy, true, signal));
        }
        if (result !== wouldBlock) return this.#refuse(result);
      }
      return this.#sendInTurn(own ? payload : snapshot(payload), size, signal);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #refuse(code: number): Promise<never> {
    return Promise.reject(this.#module.error(code) ?? new WdcError('transport_error'));
  }

  #trySend(payload: Payload, size: number): number {
    const { host, exports } = this.#module;
    const isText = typeof payload === 'string' ? 1 : 0;
    return host.call(() => exports.wdc_js_try_send(this.#number, host.putSlot(payload), size, isText));
  }

  #sendInTurn(payload: Payload, size: number, signal: AbortSignal | undefined): Promise<void> {
    const { host, exports } = this.#module;
    const isText = typeof payload === 'string' ? 1 : 0;
    let waiting = done;
    const result = host.call(() => {
      const operation = exports.wdc_js_send(this.#number, host.putSlot(payload), size, isText);
      if (operation > 0) waiting = this.#wait(operation, signal); // before the pump that may end it
      return operation;
    });
    return result < 0 ? this.#refuse(result) : waiting;
  }

  #wait(operation: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = () => {
        signal?.removeEventListener('abort', onAbort);
        this.#waitingSends -= 1;
        if (this.#end) this.#finishLater();
      };
      const onAbort = () => {
        this.#module.sends.delete(operation);
        this.#call((exports) => {
          exports.wdc_js_cancel_send(operation);
          return 0;
        });
        finish();
        reject(signal?.reason as Error);
      };
      this.#waitingSends += 1;
      this.#module.sends.set(operation, {
        sent: (error) => {
          finish();
          if (error) reject(error);
          else resolve();
        },
      });
      signal?.addEventListener('abort', onAbort);
    });
  }

  /** False: it would have to wait. Throws what send() would reject with. */
  trySend(payload: Payload): boolean {
    if (this.#number === 0) throw this.#gone();
    const result = this.#trySend(payload, sizeOf(payload));
    if (result === wouldBlock || (result === notOpen && this.#opensNow)) return false;
    this.#throwIfError(result);
    return true;
  }

  /** Throws consumer_busy. */
  attach(reader: Reader): void {
    if (this.#reader) throw new WdcError('consumer_busy');
    this.#reader = reader;
  }

  /** Asks for one more message for the attached reader, now if it is here. */
  pull(): void {
    this.#wanted += 1;
    if (this.#served) this.#serveUnread();
    else this.#call((exports, number) => exports.wdc_js_pull(number, 1));
  }

  /** Asks for all messages for the attached reader, from the next turn on. */
  listen(): void {
    this.#wanted = Infinity;
    if (this.#served) queueMicrotask(() => this.#serveUnread());
    else this.#call((exports, number) => exports.wdc_js_listen(number));
  }

  /** Lets the next reader in; what was not delivered stays for it. */
  detach(reader: Reader): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    this.#wanted = 0;
    if (this.#served) return;
    this.#call((exports, number) => exports.wdc_js_stop(number));
    this.#finishLater();
  }

  /** Once. Below zero: the channel's own timeout. */
  close(timeoutMs: number): Promise<void> {
    if (this.#number === 0) return this.#closed.promise;
    const closing = new Deferred(); // it may be over before the call is
    this.#closing = closing;
    this.#call((exports, number) => exports.wdc_js_close(number, timeoutMs));
    return closing.promise;
  }

  abort(): void {
    if (this.#number !== 0) this.#call((exports, number) => exports.wdc_js_abort(number));
  }

  // What the module tells.

  notifyOpened(error: WdcError | undefined): void {
    this.#opened.settle(error);
  }

  notifyMessage(value: ArrayBuffer | string): void {
    if (this.#served || this.#reader === undefined) {
      this.#unread.push(value);
      return;
    }
    this.#wanted -= 1;
    this.#reader.message(value);
  }

  notifyEndOfMessages(error: WdcError | undefined): void {
    if (this.#served) {
      this.#unreadEnd = { error };
      return;
    }
    const reader = this.#reader;
    this.#reader = undefined;
    this.#wanted = 0;
    this.#call((exports, number) => exports.wdc_js_stop(number));
    reader?.end(error);
    this.#finishLater();
  }

  notifyCloseEnded(error: WdcError | undefined): void {
    this.#closing?.settle(error);
    this.#closing = undefined;
    this.#finishLater();
  }

  notifyClosed(error: WdcError | undefined): void {
    this.#end = { error };
    this.#closed.settle(error);
    this.#finishLater();
  }

  notifyDeath(error: WdcError): void {
    this.#number = 0;
    this.#served = true;
    this.#end = { error };
    this.#unreadEnd = { error };
    this.#opened.settle(error);
    this.#closed.settle(error);
    this.#closing?.settle(error);
    this.#serveUnread(true);
  }

  // The end: what the module still holds moves over here, so that nothing of a closed channel stays in it however its
  // readers behave.

  // Not from inside of a call: the module must be idle when a channel is released.
  #finishLater(): void {
    if (this.#end) queueMicrotask(() => this.#finish());
  }

  #finish(): void {
    if (this.#number === 0 || this.#waitingSends > 0 || this.#closing || !this.#end) return;
    if (this.#wanted === Infinity) return; // a listener is about to get everything
    if (!this.#served) {
      this.#served = true;
      this.#call((exports, number) => {
        exports.wdc_js_stop(number);
        exports.wdc_js_pull(number, everyMessage);
        return 0;
      });
    }
    this.#unreadEnd ??= this.#end;
    this.#lastStats = this.stats();
    const number = this.#number;
    this.#module.channels.delete(number);
    this.#call((exports) => {
      exports.wdc_js_release(number);
      return 0;
    });
    this.#number = 0;
    this.#serveUnread();
  }

  #serveUnread(now = false): void {
    while (this.#reader && this.#wanted > 0) {
      const value = this.#unread.shift();
      if (value === undefined) {
        if (!this.#unreadEnd) return;
        const reader = this.#reader;
        this.#reader = undefined;
        this.#wanted = 0;
        reader.end(this.#unreadEnd.error);
        return;
      }
      this.#wanted -= 1;
      this.#reader.message(value);
    }
    if (now) {
      const reader = this.#reader;
      this.#reader = undefined;
      if (this.#unreadEnd) reader?.end(this.#unreadEnd.error);
    }
  }

  #statsOfClosed(): ChannelStats {
    const zeros = Object.fromEntries(statNames.map((name) => [name, 0])) as unknown as ChannelStats;
    return {
      ...(this.#lastStats ?? zeros),
      receiveQueueMessages: this.#unread.length,
      receiveQueueBytes: this.#unread.reduce((sum, value) => sum + sizeOf(value), 0),
      sendQueueOperations: 0,
    };
  }

  #throwIfError(code: number): void {
    const error = this.#module.error(code);
    if (error) throw error;
  }

  #gone(): WdcError {
    return this.#end?.error ?? new WdcError('closed');
  }

  #call<T>(fn: (exports: Module['exports'], number: number) => T): T {
    const { host, exports } = this.#module;
    return host.call(() => fn(exports, this.#number));
  }
}
