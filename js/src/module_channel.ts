// SPDX-License-Identifier: MIT
import { DirectSends } from './direct_sends.js';
import { describe, WdcError } from './error.js';
import { errorCodes } from './error_codes.js';
import { feedOfBytes, type Feed } from './feeds.js';
import { bytesOf, sizeOf } from './host/memory.js';
import type { DirectReader } from './host/types.js';
import { IncomingMessage } from './incoming_message.js';
import { LentFrame } from './lent_frame.js';
import { kCopiedBytes, LoneMessages } from './lone_messages.js';
import { currentModule, kOutboxBytes, type ChannelEvents, type Module, type SendEvents } from './module.js';
import { flowArguments, framedArguments, wholeMs, type ChannelOptions } from './options.js';
import { copyOf, snapshot, type Bytes, type Payload } from './payload.js';

/** Whether the entry's WebAssembly has framed mode; scripts/build.mjs says so. */
declare const WDC_FRAMED_MODE: boolean;

/** Whoever takes a channel's messages. */
export interface Reader {
  /** Must not throw. */
  message(value: ArrayBuffer | string): void;
  /** For readers that listen to a framed channel: how they want what comes many at a time. */
  readonly batches?: BatchReader | undefined;
  /** One that is read in parts, for readers of those. Must not throw. */
  incoming?(message: IncomingMessage): void;
  /** Nothing follows. Must not throw. */
  end(error: WdcError | undefined): void;
}

/** What takes the messages of one frame after the other. */
export interface BatchReader {
  /** Text as strings. */
  readonly text: boolean;
  /** Views on one buffer for all messages of a frame, also where they are small. */
  readonly views: boolean;
  /** Must not throw. */
  message(value: Bytes | string): void;
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
  /** Of framed mode, control frames among them. */
  framesSent: number;
  framesReceived: number;
}

/** Where the bytes are that a framed channel was given to send: the three add up to all of them. Payload. */
export interface Delivery {
  /** The other side's user has taken them. */
  acknowledged: number;
  /** Sent, and nothing was heard of them yet. */
  inDoubt: number;
  /** Not sent yet, or taken back, or known to have been thrown away unread. */
  unsent: number;
}

/** What one send asks for beside its data. */
export interface SendRequest {
  readonly signal?: AbortSignal | undefined;
  /** As wdc_js_set_send takes it; undefined: nothing special. */
  readonly special?: readonly [priority: number, timeoutMs: number, key: number] | undefined;
}

const statNames = [
  'messagesSent', 'bytesSent', 'messagesReceived', 'bytesReceived', 'messagesDropped', 'bytesDropped',
  'receiveQueueMessages', 'receiveQueueBytes', 'sendQueueOperations', 'sendWaits', 'stalls', 'framesSent', 'framesReceived',
] as const;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Of an entry of a batch; the bit above says text. */
const kSizeBits = 0x7fffffff;
/** For wdc_js_try_send_outbox(). */
const kText = 1;
const kNewTurn = 2;

const readyStates = ['connecting', 'open', 'closing', 'closed'] as const;
const everyMessage = 0xffffffff;
const wouldBlock = -errorCodes.would_block.number;
const notOpen = -errorCodes.not_open.number;
/** What has nothing to wait for. */
export const done = Promise.resolve();

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
  flowArguments(options);
  framedArguments(options);
  wholeMs(options, 'disconnectedTimeoutMs');
  let module: Module;
  try {
    module = currentModule();
  } catch {
    return;
  }
  const error = module.setFlow(options);
  if (error?.code === 'invalid_argument') throw error; // not out_of_memory, which may have passed by then
}

/** A channel of the module as the two public classes share it. */
export class ModuleChannel implements ChannelEvents {
  readonly rtc: RTCDataChannel;
  /** The protocol names framed mode. */
  readonly framed: boolean;
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
  #unread: (ArrayBuffer | string | IncomingMessage)[] = [];
  #unreadEnd: { error: WdcError | undefined } | undefined;
  #lastStats: ChannelStats | undefined;
  #lastDelivery: Delivery = { acknowledged: 0, inDoubt: 0, unsent: 0 };
  /** The host's number of the channel. */
  readonly #handle: number;
  /** Received past C++, for a listener: to be added to what it has counted. */
  #directMessages = 0;
  #directBytes = 0;
  readonly #directReader: DirectReader = {
    limit: () => this.#module.exports.wdc_js_direct_limit(this.#number),
    message: (data, size) => {
      const reader = this.#reader;
      if (reader === undefined) return false;
      this.#directMessages += 1;
      this.#directBytes += size;
      reader.message(data);
      return true;
    },
    settle: () => undefined,
  };
  /** Only if it is framed, or is not, and until it is released. */
  #lone: LoneMessages | undefined;
  #lent: LentFrame | undefined;
  #direct: DirectSends | undefined;
  /** The frame whose messages the reader is being given. */
  #batch: { taken: number } | undefined;

  /** Throws WdcError: invalid_argument, already_wrapped, closed, wasm_blocked. */
  constructor(rtc: RTCDataChannel, options: ChannelOptions) {
    if (Object.prototype.toString.call(rtc) !== '[object RTCDataChannel]') {
      throw new WdcError('invalid_argument', `an RTCDataChannel is needed, not ${describe(rtc)}`);
    }
    const disconnectedTimeout = wholeMs(options, 'disconnectedTimeoutMs');
    const { peerConnection } = options;
    this.rtc = rtc;
    this.#module = currentModule();
    const { host, exports } = this.#module;
    // Before the channel is touched: a wrong option leaves it as it is.
    const wrong = this.#module.setFlow(options);
    if (wrong) throw wrong;
    this.#handle = host.adoptChannel(rtc, {
      ...(peerConnection && { peerConnection }),
      ...(disconnectedTimeout >= 0 && { disconnectedTimeout }),
    });
    this.#number = host.call(() => {
      const number = exports.wdc_js_adopt(this.#handle);
      if (number > 0) this.#module.channels.set(number, this); // before the pump that may follow
      return number;
    });
    this.#throwIfError(this.#number);
    this.framed = host.call(() => exports.wdc_js_framed(this.#number)) !== 0;
    if (WDC_FRAMED_MODE && this.framed) {
      this.#lone = new LoneMessages(this.#module, this.#number, rtc, () => this.#reader?.batches);
      this.#lent = new LentFrame(this.#module, this.#number);
    } else this.#direct = new DirectSends(this.#module, this.#number, rtc);
    const sender = this.#lone ?? this.#direct;
    if (sender) host.sendDirectly(this.#handle, rtc, sender);
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

  /** What sends past C++; undefined: framed, or released. */
  get direct(): DirectSends | undefined {
    return this.#direct;
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
    const stats = Object.fromEntries(statNames.map((name, index) => [name, numbers[index]])) as unknown as ChannelStats;
    stats.messagesReceived += this.#directMessages;
    stats.bytesReceived += this.#directBytes;
    return stats;
  }

  /** All zero unless framed. */
  delivery(): Delivery {
    if (this.#number === 0) return this.#lastDelivery;
    const pointer = this.#call((exports, number) => exports.wdc_js_delivery(number));
    const [acknowledged = 0, inDoubt = 0, unsent = 0] = new Float64Array(this.#module.exports.memory.buffer, pointer >>> 0, 3);
    return { acknowledged, inDoubt, unsent };
  }

  /**
   * Sends in order; resolves when the transport has accepted it. `own`: nobody else can change the payload. An abort takes
   * back a send that waits.
   */
  send(payload: Payload, own: boolean, request?: SendRequest): Promise<void> {
    if (this.#number === 0) return Promise.reject(this.#gone());
    try {
      // Behind others that wait this one would wait, too.
      if (this.#waitingSends === 0 && request?.special === undefined) {
        const result = WDC_FRAMED_MODE && this.framed ? this.#trySendFramed(payload) : this.#trySend(payload, sizeOf(payload));
        if (result === 0) return done;
        if (result === notOpen && this.#opensNow) {
          const copy = own ? payload : snapshot(payload);
          return this.opened.then(() => this.send(copy, true, request));
        }
        if (result !== wouldBlock) return this.#refuse(result);
      }
      return this.#sendInTurn(payload, own, request ?? {});
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #refuse(code: number): Promise<never> {
    return Promise.reject(this.#module.error(code) ?? new WdcError('transport_error'));
  }

  #trySend(payload: Payload, size: number): number {
    if (this.#direct?.send(payload, size)) return 0;
    this.#direct?.settle();
    const { host, exports } = this.#module;
    const isText = typeof payload === 'string' ? 1 : 0;
    const result = host.call(exports.wdc_js_try_send, this.#number, host.putSlot(payload), size, isText);
    if (result === 0) this.#direct?.begin();
    return result;
  }

  // What is small goes straight to where C++ collects it.
  #trySendFramed(payload: Payload): number {
    if (this.#lone?.send(payload)) return 0;
    const module = this.#module;
    if (typeof payload === 'string') {
      if (payload.length > kOutboxBytes) return wouldBlock;
      const turn = this.#takeTurn();
      const { read, written } = encoder.encodeInto(payload, module.outbox);
      return read === payload.length ? module.trySendOutbox(this.#number, written, kText | turn) : wouldBlock;
    }
    const bytes = bytesOf(payload);
    if (this.#lent?.append(bytes)) return 0;
    if (bytes.length > kOutboxBytes) return wouldBlock;
    const turn = this.#takeTurn();
    module.outbox.set(bytes);
    const result = module.trySendOutbox(this.#number, bytes.length, turn);
    if (result === 0) this.#lent?.begin();
    return result;
  }

  // Before the outbox is filled: it may call C++, which may call whoever sends.
  #takeTurn(): number {
    return this.#lone?.takeTurn() ? kNewTurn : 0;
  }

  #sendInTurn(payload: Payload, own: boolean, request: SendRequest): Promise<void> {
    const size = sizeOf(payload);
    const isText = typeof payload === 'string' ? 1 : 0;
    if (WDC_FRAMED_MODE && this.framed && size > kOutboxBytes) {
      const limit = this.maxMessageSize;
      if (limit > 0 && size > limit) return Promise.reject(new WdcError('message_too_large', '', { value: size, limit }));
      const feed = feedOfBytes(typeof payload === 'string' ? encoder.encode(payload) : bytesOf(payload));
      const sent = this.sendFrom(feed, size, isText, request);
      if (!own) feed.keep();
      return sent;
    }
    const { host } = this.#module;
    const kept = own ? payload : snapshot(payload);
    return this.#start(request, (exports, number) => exports.wdc_js_send(number, host.putSlot(kept), size, isText));
  }

  /** The same for bytes that come as there is room for them; `size` below zero: not known. Framed channels only. */
  sendFrom(feed: Feed, size: number, isText: number, request: SendRequest): Promise<void> {
    const sent = this.#number === 0
      ? Promise.reject(this.#gone())
      : this.#start(request, (exports, number) => exports.wdc_js_send_source(number, size, isText, feed.inMemory ? 1 : 0), feed);
    sent.then(() => feed.end(undefined), (error: unknown) => feed.end(error));
    return sent;
  }

  /** Resolves when everything that was accepted before is there. */
  flush(goal: 'transport' | 'peer', signal: AbortSignal | undefined): Promise<void> {
    if (this.#number === 0) return Promise.reject(this.#gone());
    return this.#start({ signal }, (exports, number) => exports.wdc_js_flush(number, goal === 'peer' ? 1 : 0));
  }

  // Nothing is sent past the module before it is asked again.
  #settleSends(): void {
    this.#lone?.settle();
    this.#direct?.settle();
  }

  /** Starts what may wait: `start` gives 0, the number of an operation, or an error. */
  #start(
    { signal, special }: SendRequest, start: (exports: Module['exports'], number: number) => number, feed?: Feed,
  ): Promise<void> {
    this.#settleSends();
    const { host, exports } = this.#module;
    let waiting = done;
    const result = host.call(() => {
      if (special) exports.wdc_js_set_send(...special);
      const operation = start(exports, this.#number);
      if (operation > 0) waiting = this.#wait(operation, signal, feed); // before the pump that may end it
      return operation;
    });
    return result < 0 ? this.#refuse(result) : waiting;
  }

  #wait(operation: number, signal: AbortSignal | undefined, feed: Feed | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = () => {
        signal?.removeEventListener('abort', onAbort);
        this.#waitingSends -= 1;
        if (feed) feed.onReady = () => undefined;
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
      const events: SendEvents = {
        sent: (error) => {
          finish();
          const failure = feed?.failure ?? (error && { error });
          if (failure) reject(failure.error as Error);
          else resolve();
        },
        feed,
      };
      if (feed) {
        feed.onReady = () => this.#call((exports) => {
          exports.wdc_js_source_ready(operation);
          return 0;
        });
      }
      this.#waitingSends += 1;
      this.#module.sends.set(operation, events);
      signal?.addEventListener('abort', onAbort);
    });
  }

  /** False: it would have to wait. Throws what send() would reject with. */
  trySend(payload: Payload): boolean {
    if (this.#number === 0) throw this.#gone();
    const result = WDC_FRAMED_MODE && this.framed ? this.#trySendFramed(payload) : this.#trySend(payload, sizeOf(payload));
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

  /** The same for a message that is read in parts. */
  pullIncoming(): void {
    this.#wanted += 1;
    if (this.#served) this.#serveUnread();
    else this.#call((exports, number) => exports.wdc_js_pull_incoming(number, 1));
  }

  /** Asks for all messages for the attached reader; the first comes in a microtask. */
  listen(): void {
    const reader = this.#reader;
    this.#wanted = Infinity;
    queueMicrotask(() => {
      if (this.#reader !== reader) return;
      if (this.#served) this.#serveUnread();
      else this.#listenNow();
    });
  }

  #listenNow(): void {
    this.#call((exports, number) => exports.wdc_js_listen(number));
    if (this.#wanted === Infinity) this.#readDirectly(this.#lone ?? this.#directReader);
  }

  /** Lets the next reader in; what was not delivered stays for it. */
  detach(reader: Reader): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    this.#wanted = 0;
    this.#settleBatch();
    if (this.#served) return;
    this.#stopReading();
    this.#finishLater();
  }

  #stopReading(): void {
    this.#readDirectly(undefined);
    this.#lone?.stop();
    this.#call((exports, number) => exports.wdc_js_stop(number));
  }

  #readDirectly(reader: DirectReader | undefined): void {
    this.#module.host.readDirectly(this.#handle, this.rtc, reader);
  }

  /** Once. Below zero: the channel's own timeout. */
  close(timeoutMs: number): Promise<void> {
    if (this.#number === 0) return this.#closed.promise;
    this.#settleSends();
    const closing = new Deferred(); // it may be over before the call is
    this.#closing = closing;
    this.#call((exports, number) => exports.wdc_js_close(number, timeoutMs));
    return closing.promise;
  }

  abort(): void {
    this.#settleBatch();
    this.#settleSends();
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

  notifyBatch(pointer: number, count: number, frame: ArrayBuffer | undefined, framePointer: number): number {
    const reader = this.#reader?.batches;
    if (!WDC_FRAMED_MODE || !reader) return 0;
    const module = this.#module;
    const first = pointer >>> 2;
    const last = first + 2 * (count - 1);
    const start = module.words[first] ?? 0;
    let views: Bytes | undefined;
    const batch = { taken: 0 };
    this.#batch = batch;
    for (let index = first; index <= last && this.#batch === batch; index += 2) {
      const { bytes, words } = module; // the user's code may have made the memory grow, which detaches them
      const place = words[index] ?? 0;
      const size = words[index + 1] ?? 0;
      const end = place + (size & kSizeBits);
      batch.taken += 1;
      if (size > kSizeBits && reader.text) {
        reader.message(decoder.decode(bytes.subarray(place, end)));
      } else if (size <= kCopiedBytes && !reader.views) {
        reader.message(copyOf(bytes, place, end));
      } else {
        // Most often the browser's own buffer is still there, and nothing is copied out.
        views ??= frame ? new Uint8Array(frame, start - framePointer)
          : bytes.slice(start, (words[last] ?? 0) + ((words[last + 1] ?? 0) & kSizeBits));
        reader.message(views.subarray(place - start, end - start));
      }
    }
    if (this.#batch !== batch) return 0; // told already
    this.#batch = undefined;
    return batch.taken;
  }

  // Before the module hears anything else: what the reader of a batch has had so far is not the next one's.
  #settleBatch(): void {
    const batch = this.#batch;
    if (!batch) return;
    this.#batch = undefined;
    this.#call((exports, number) => exports.wdc_js_taken(number, batch.taken));
  }

  notifyIncoming(number: number, isText: boolean, size: number | undefined): void {
    const message = IncomingMessage.of(this.#module, number, isText, size);
    if (this.#served || this.#reader?.incoming === undefined) {
      this.#unread.push(message);
      return;
    }
    this.#wanted -= 1;
    this.#reader.incoming(message);
  }

  notifyEndOfMessages(error: WdcError | undefined): void {
    if (this.#served) {
      this.#unreadEnd = { error };
      return;
    }
    const reader = this.#reader;
    this.#reader = undefined;
    this.#wanted = 0;
    this.#stopReading();
    reader?.end(error);
    this.#finishLater();
  }

  notifyCloseEnded(error: WdcError | undefined): void {
    this.#closing?.settle(error);
    this.#closing = undefined;
    this.#finishLater();
  }

  notifyClosed(error: WdcError | undefined): void {
    this.#settleSends();
    this.#end = { error };
    this.#closed.settle(error);
    this.#finishLater();
  }

  notifyDeath(error: WdcError): void {
    this.#batch = undefined;
    this.#lone = this.#lent = this.#direct = undefined;
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
        if (this.#reader?.incoming) {
          exports.wdc_js_pull_incoming(number, everyMessage);
          return 0;
        }
        exports.wdc_js_stop(number);
        exports.wdc_js_pull(number, everyMessage);
        return 0;
      });
    }
    this.#unreadEnd ??= this.#end;
    this.#lastStats = this.stats();
    this.#lastDelivery = this.delivery();
    const number = this.#number;
    const { channels, host, exports } = this.#module;
    channels.delete(number);
    this.#number = 0; // before whoever is called meanwhile sends on it
    this.#lone = this.#lent = this.#direct = undefined;
    host.call(exports.wdc_js_release, number);
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
      this.#give(this.#reader, value);
    }
    if (now) {
      const reader = this.#reader;
      this.#reader = undefined;
      if (this.#unreadEnd) reader?.end(this.#unreadEnd.error);
    }
  }

  #give(reader: Reader, value: ArrayBuffer | string | IncomingMessage): void {
    if (reader.incoming) {
      reader.incoming(value instanceof IncomingMessage ? value : IncomingMessage.ofWhole(value));
    } else if (value instanceof IncomingMessage) {
      value.stop(); // whoever reads whole messages comes too late for it
    } else reader.message(value);
  }

  #statsOfClosed(): ChannelStats {
    const zeros = Object.fromEntries(statNames.map((name) => [name, 0])) as unknown as ChannelStats;
    return {
      ...(this.#lastStats ?? zeros),
      receiveQueueMessages: this.#unread.length,
      receiveQueueBytes: this.#unread.reduce(
        (sum, value) => sum + (value instanceof IncomingMessage ? 0 : sizeOf(value)), 0),
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
    this.#lone?.tell();
    this.#direct?.tell();
    const { host, exports } = this.#module;
    return host.call(() => fn(exports, this.#number));
  }
}
