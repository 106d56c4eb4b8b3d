// SPDX-License-Identifier: MIT
/// <reference lib="esnext.disposable" preserve="true" />
import { ConnectionMirror } from './connection_mirror.js';
import { WdcError } from './error.js';
import { feedOfBlob, feedOfStream } from './feeds.js';
import { done, ModuleChannel, type ChannelStats, type Delivery, type SendRequest } from './module_channel.js';
import { defaultSendQueueOperations, placeOf, whole, wholeMs, type ChannelOptions } from './options.js';
import { isBlob, isCommon, isStream, moveOut, snapshot, toPayload, type Bytes, type FramedSendData, type SendData } from './payload.js';
import {
  IncomingMessageIterator, listen, MessageIterator, type Disposer, type Message, type ReadOptions,
} from './readers.js';
import { SendQueue } from './send_queue.js';
import { readableOf, writableOf } from './streams.js';

/** Options of {@link WasmDataChannel.send}. */
export interface SendOptions {
  /**
   * True: the bytes are moved instead of copied should send() have to wait. The whole buffer below `data` is detached by the
   * call in any case. A shared buffer is copied; strings and Blobs need neither.
   */
  transfer?: boolean | undefined;
  /**
   * Takes the message back as long as it waits; the promise rejects with the signal's reason. Once the promise has resolved
   * the message is on its way and cannot be stopped. On a framed channel one that goes in parts is stopped in the middle.
   */
  signal?: AbortSignal | undefined;
  /**
   * On a framed channel: how it shares the channel with others that wait, in the ratio 1 : 2 : 4 : 8 of bytes; default `'low'`.
   * W3C webrtc-priority `RTCPriorityType`.
   */
  priority?: RTCPriorityType | undefined;
  /**
   * On a framed channel: milliseconds, 1 to 2^31 - 1. What was not handed to the transport by then is taken back, also in the
   * middle of a message, and the promise rejects with `timed_out`.
   */
  timeoutMs?: number | undefined;
  /**
   * On a framed channel, a whole number from 0: only the latest message of a key is of interest. One that still waits, and of
   * which nothing was sent, gives its place to a later one of its key and rejects with `superseded`.
   */
  key?: number | undefined;
  /** Of a message from a stream or a Blob on a framed channel; default `'binary'`. The bytes of a text have to be UTF-8. */
  type?: 'binary' | 'text' | undefined;
}

/** Options of {@link WasmDataChannel.flush}. */
export interface FlushOptions {
  /** `'transport'` (default): nothing waits in the channel any more; `'peer'`: the other side's user has taken everything. */
  to?: 'transport' | 'peer' | undefined;
  /** Ends the waiting; the promise rejects with its reason. */
  signal?: AbortSignal | undefined;
}

const priorities: readonly RTCPriorityType[] = ['very-low', 'low', 'medium', 'high'];

/** What a send asks for as the module takes it. Throws invalid_argument. */
export function requestOf(options: SendOptions): SendRequest {
  const { signal, priority, timeoutMs, key } = options;
  if (priority === undefined && timeoutMs === undefined && key === undefined) return options;
  const place = placeOf(priority ?? 'low', priorities, 'priority');
  return { signal, special: [place, wholeMs(options, 'timeoutMs'), whole(options, 'key', Number.MAX_SAFE_INTEGER)] };
}

/** Options of {@link WasmDataChannel.close}. */
export interface CloseOptions {
  /** Milliseconds to wait for delivery and for the other side, 1 to 2^31 - 1; default {@link ChannelOptions.closeTimeoutMs}. */
  timeoutMs?: number | undefined;
  /** Gives up: the channel is aborted, and the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * A WebRTC data channel whose `send` waits when the buffer is full, whose `close` delivers what was sent, and whose readers
 * miss nothing. The bounded queues, the order and the close are C++ in WebAssembly; the bytes never pass through it.
 *
 * One reader at a time: {@link startListening}, {@link messages}, `for await` or {@link readable}. A second one gets
 * `consumer_busy`.
 * Every error is a {@link WdcError}; an AbortSignal's reason is passed on as it is.
 */
export class WasmDataChannel implements AsyncIterable<Bytes> {
  readonly #channel: ModuleChannel;
  readonly #queue: SendQueue;
  readonly #peerConnection: RTCPeerConnection | undefined;
  readonly #closeTimeoutMs: number;
  #closing: Promise<void> | undefined;
  #readable: ReadableStream<Bytes> | undefined;
  #writable: WritableStream<SendData> | undefined;

  /**
   * Takes a channel over, at once: nothing that arrives from now on is lost, however late somebody reads. The RTCDataChannel
   * must not be used directly any more. On a `datachannel` event wrap the channel inside the handler (or use `incoming`):
   * what arrives before is lost.
   *
   * @throws WdcError `invalid_argument` (not an RTCDataChannel, an option out of its range), `already_wrapped`, `closed`,
   * `wasm_blocked` (the page's Content-Security-Policy lacks `'wasm-unsafe-eval'`).
   */
  constructor(channel: RTCDataChannel, options: ChannelOptions = {}) {
    this.#channel = new ModuleChannel(channel, options);
    const operations = whole(options, 'sendQueueOperations');
    this.#queue = new SendQueue(this.#channel, operations < 0 ? defaultSendQueueOperations : operations);
    // A worker's channel has none, only a mirror of the page's.
    this.#peerConnection = options.peerConnection instanceof ConnectionMirror ? undefined : options.peerConnection;
    const timeout = wholeMs(options, 'closeTimeoutMs');
    this.#closeTimeoutMs = timeout < 0 ? 30_000 : timeout;
  }

  /** The connection given in the options, or made by `connect`. */
  get peerConnection(): RTCPeerConnection | undefined {
    return this.#peerConnection;
  }

  /** W3C webrtc-pc 6.2 `label`. */
  get label(): string {
    return this.#channel.rtc.label;
  }

  /** W3C webrtc-pc 6.2 `protocol`. */
  get protocol(): string {
    return this.#channel.rtc.protocol;
  }

  /** W3C webrtc-pc 6.2 `id`: 0 to 65,534; null until the connection's DTLS roles are known. */
  get id(): number | null {
    return this.#channel.rtc.id;
  }

  /** W3C webrtc-pc 6.2 `ordered`. */
  get ordered(): boolean {
    return this.#channel.rtc.ordered;
  }

  /** W3C webrtc-pc 6.2 `maxRetransmits`: 0 to 65,535, or null. */
  get maxRetransmits(): number | null {
    return this.#channel.rtc.maxRetransmits;
  }

  /** W3C webrtc-pc 6.2 `maxPacketLifeTime`: milliseconds, 0 to 65,535, or null. */
  get maxPacketLifeTime(): number | null {
    return this.#channel.rtc.maxPacketLifeTime;
  }

  /** W3C webrtc-pc 6.2 `negotiated`. */
  get negotiated(): boolean {
    return this.#channel.rtc.negotiated;
  }

  /** W3C webrtc-pc 6.2 `readyState`; `closing` from the call of {@link close} on. */
  get readyState(): RTCDataChannelState {
    const state = this.#channel.readyState;
    return this.#closing && state !== 'closed' ? 'closing' : state;
  }

  /** Bytes accepted and not yet handed to the network: W3C webrtc-pc 6.2 `bufferedAmount`. */
  get bufferedAmount(): number {
    return this.#channel.bufferedAmount;
  }

  /**
   * Bytes the other side takes in one message, RFC 8841; 0 while unknown: before the connection is up, after the close, and
   * without the option `peerConnection`.
   */
  get maxMessageSize(): number {
    return this.#channel.maxMessageSize;
  }

  /**
   * True for a channel whose protocol names framed mode, `wdc.framed.v1` or what begins with `wdc.framed.v1+`: messages of any
   * size, small ones many to a frame, flow control by the receiver, and a close that waits until the other side has read.
   * docs/framed.md.
   */
  get framed(): boolean {
    return this.#channel.framed;
  }

  /** Resolves when the channel is open; rejects if it closes before. Never an unhandled rejection. */
  get opened(): Promise<void> {
    return this.#channel.opened;
  }

  /**
   * Resolves when the channel has closed cleanly, by either side; rejects with what broke it: `aborted`, `peer_lost`,
   * `connection_closed`, `receive_overflow`, `transport_error`, `wasm_trapped`. Never an unhandled rejection.
   */
  get closed(): Promise<void> {
    return this.#channel.closed;
  }

  /** What was counted since the channel was wrapped. */
  stats(): ChannelStats {
    return this.#channel.stats();
  }

  /**
   * What became of the bytes that were sent on a framed channel, also after its end. All zero on others; with
   * `framed.batchesOnly` nothing is ever acknowledged.
   */
  delivery(): Delivery {
    return this.#channel.delivery();
  }

  /**
   * Sends what is collected for the end of this turn now, and resolves when everything sent before is where `to` says. Rejects with
   * `unsupported` (the channel is not framed, or to the peer with `framed.batchesOnly`), `closed`, what broke the channel, or the
   * signal's reason.
   */
  flush({ to = 'transport', signal }: FlushOptions = {}): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return this.#channel.flush(to, signal);
  }

  /**
   * Sends one message, in the order of the calls: binary for bytes, text for a string (a lone surrogate becomes U+FFFD).
   * Resolves when the transport has accepted it, at once while no more than sendHighWaterMark bytes are buffered; waits
   * otherwise. `await` it: that is what keeps a fast sender's memory bounded.
   *
   * The data may be changed as soon as send() has returned: where it has to wait, the bytes were copied (or moved, see
   * {@link SendOptions.transfer}). Views are sent from their offset; buffers may be shared or resizable; numbers are bytes
   * from 0 to 255; a Blob is read when its turn comes, and what is sent after it stays behind it.
   *
   * On a framed channel ({@link framed}) a message may have any size, and be a stream of bytes; it is accepted when its last byte
   * is in a frame. A Blob is read, and a stream, as the other side takes it.
   *
   * Rejects with `invalid_argument` (another type; names it), `not_open`, `closed`, `message_too_large` (with `value` and
   * `limit`; the channel stays usable), `send_queue_full`, or what broke the channel while it waited. On a framed channel also
   * with `timed_out` and `superseded` (see {@link SendOptions}), `stopped` (by its receiver), `protocol_error`, or with what the
   * stream failed with; on others with `unsupported` for what they cannot do. W3C webrtc-pc 6.2 `send()`.
   */
  send(data: FramedSendData, options?: SendOptions): Promise<void> {
    try {
      if (options === undefined && this.#sendsAtOnce(data)) return done;
      // Most other sends: in Firefox what they pass by here took 0.4 us of the 1.4 that one of 64 bytes took.
      if (options === undefined && isCommon(data) && !this.#closing && this.#queue.empty) {
        return this.#channel.send(toPayload(data), false);
      }
      return this.#sendWith(data, options ?? {});
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  // What most programs send most, found by one question: of a trySend() to a channel that takes everything at once, all the others are
  // 23 ns of 49 in Firefox and 3 of 13 in Chromium. Empty ones may be detached.
  #sendsAtOnce(data: unknown): boolean {
    return data instanceof Uint8Array && data.length > 0 && this.#queue.empty
      && this.#channel.direct?.send(data, data.length) === true;
  }

  #sendWith(data: FramedSendData, options: SendOptions): Promise<void> {
    const { signal, transfer = false } = options;
    signal?.throwIfAborted();
    if (this.#closing) throw new WdcError('closed');
    const request = requestOf(options);
    if (isStream(data) || (this.framed && isBlob(data))) return this.#sendFrom(data, options.type, request);
    if (isBlob(data)) return this.#sendBlob(data, signal);
    let payload = toPayload(data);
    const moved = transfer && typeof payload !== 'string' && this.readyState === 'open';
    if (moved) payload = moveOut(payload);
    const own = moved || Array.isArray(data);
    if (!this.#queue.empty) return this.#queue.add(own ? payload : snapshot(payload), signal);
    return this.#channel.send(payload, own, request);
  }

  #sendFrom(data: Blob | ReadableStream<unknown>, type: SendOptions['type'], request: SendRequest): Promise<void> {
    if (!this.framed) {
      throw new WdcError('unsupported', 'a stream as one message takes a framed channel; writable sends a message for each chunk');
    }
    if (this.readyState === 'connecting') throw new WdcError('not_open');
    const isText = placeOf(type ?? 'binary', ['binary', 'text'], 'type');
    return isBlob(data)
      ? this.#channel.sendFrom(feedOfBlob(data), data.size, isText, request)
      : this.#channel.sendFrom(feedOfStream(data), -1, isText, request);
  }

  #sendBlob(blob: Blob, signal: AbortSignal | undefined): Promise<void> {
    const state = this.readyState;
    if (state === 'open') return this.#queue.add(blob, signal);
    return Promise.reject(new WdcError(state === 'connecting' ? 'not_open' : 'closed'));
  }

  /**
   * Sends one message if that needs no waiting; false if the buffer is full or other sends wait. Takes what {@link send}
   * takes but Blobs.
   *
   * @throws WdcError what {@link send} rejects with.
   */
  trySend(data: Exclude<SendData, Blob>): boolean {
    if (this.#sendsAtOnce(data)) return true;
    if (this.#closing) throw new WdcError('closed');
    if (isBlob(data)) throw new WdcError('invalid_argument', 'a Blob is not readable at once: use send()');
    const payload = toPayload(data);
    return this.#queue.empty && this.#channel.trySend(payload);
  }

  /**
   * Calls back for every message from here on, the ones that wait included, never from inside this call. The Uint8Array
   * stands over the browser's own buffer and is the callback's to keep. Text messages are given as their UTF-8 bytes, or
   * with `{text: true}` as strings. What the callback throws is reported as an uncaught error, and the listening goes on.
   *
   * Ends when the channel has closed and everything was delivered, when the disposer is called, or by the signal; messages
   * not delivered until then stay for the next reader.
   *
   * @throws WdcError `consumer_busy`.
   */
  startListening<const Options extends ReadOptions = { text: false }>(
    callback: (message: Message<Options>) => unknown, options?: Options,
  ): Disposer {
    if (typeof callback !== 'function') {
      throw new WdcError('invalid_argument', `startListening() takes a function, not ${typeof callback}`);
    }
    return listen(this.#channel, callback as (message: Bytes | string) => unknown, options ?? {});
  }

  /**
   * All messages from here on, one at a time as they are asked for. Ends after a clean close by either side once everything
   * was read, and throws what broke the channel. Breaking out of a loop over it loses nothing: the next reader goes on.
   */
  messages<const Options extends ReadOptions = { text: false }>(options?: Options): MessageIterator<Message<Options>> {
    return new MessageIterator<Message<Options>>(this.#channel, options ?? {});
  }

  /**
   * The messages of a framed channel as they begin, to be read in parts while they come: a reader like {@link messages}. It does
   * not wait for a message to be read before it gives the next. `unsupported` on other channels.
   */
  incomingMessages({ signal }: Pick<ReadOptions, 'signal'> = {}): IncomingMessageIterator {
    return new IncomingMessageIterator(this.#channel, signal);
  }

  /** {@link messages} without options: `for await (const bytes of channel)`. */
  [Symbol.asyncIterator](): MessageIterator<Bytes> {
    return this.messages();
  }

  /**
   * {@link messages} without options as a WHATWG stream. It buffers nothing: a message is taken when somebody reads, and from
   * the first read on the stream is the channel's reader, until it ends or is cancelled. Cancelling leaves the channel open and
   * the unread messages to the next reader, which may be this property again: it is the same stream as long as that is in use.
   * docs/streams.md.
   */
  get readable(): ReadableStream<Bytes> {
    return (this.#readable ??= readableOf<Bytes>(this.#channel, {}, () => {
      this.#readable = undefined;
    }));
  }

  /** {@link readable} with options, a stream of its own; with `{text: true}` its chunks keep their type. */
  readableStream<const Options extends ReadOptions = { text: false }>(options?: Options): ReadableStream<Message<Options>> {
    return readableOf<Message<Options>>(this.#channel, options ?? {});
  }

  /**
   * {@link send} as a WHATWG stream, one chunk at a time: it is ready again when the channel has accepted the last one. Writes
   * before the channel is open wait for it. close() is {@link close}, abort() is {@link abort}; it errors when the channel ends
   * otherwise.
   */
  get writable(): WritableStream<SendData> {
    return (this.#writable ??= writableOf(this));
  }

  /**
   * Sends everything that waits, closes, and resolves when both sides have closed: what was sent has arrived. From the call
   * on send() is refused; readers still get what has arrived, then end. Later calls give the first one's promise. On a framed
   * channel the other side's user has taken everything then; `unread` if it closed without.
   *
   * Rejects with `timed_out` after the timeout (the channel is aborted then), or with what broke the channel before
   * everything was handed over; `invalid_argument` for a timeout out of its range. Never an unhandled rejection.
   * RFC 8831 section 6.7.
   */
  close(options: CloseOptions = {}): Promise<void> {
    if (this.#closing) return this.#closing;
    let timeoutMs: number;
    try {
      timeoutMs = wholeMs(options, 'timeoutMs');
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const closing = this.#queue.empty
      ? this.#channel.close(timeoutMs)
      : this.#closeBehindBlobs(timeoutMs < 0 ? this.#closeTimeoutMs : timeoutMs);
    this.#closing = options.signal ? this.#unlessAborted(closing, options.signal) : closing;
    this.#closing.catch(() => undefined);
    return this.#closing;
  }

  #unlessAborted(closing: Promise<void>, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(signal.reason as Error);
        this.abort();
      };
      const unlisten = (): void => signal.removeEventListener('abort', onAbort);
      signal.addEventListener('abort', onAbort);
      closing.then(resolve, reject).then(unlisten, unlisten);
      if (signal.aborted) onAbort();
    });
  }

  // What stands behind a Blob has to reach the module first.
  async #closeBehindBlobs(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), timeoutMs);
    });
    const outcome = await Promise.race([this.#queue.drained(), late]);
    clearTimeout(timer);
    if (outcome === 'late') {
      this.abort();
      throw new WdcError('timed_out', `after ${timeoutMs} ms`);
    }
    return this.#channel.close(Math.max(1, Math.round(deadline - performance.now())));
  }

  /**
   * Closes now. Sends that wait fail with `aborted`, messages not read are dropped, readers end with `aborted`. What the
   * browser has accepted it may still deliver.
   */
  abort(): void {
    this.#queue.fail(new WdcError('aborted'));
    this.#channel.abort();
  }

  /** {@link close}, for `await using`. Present where the browser has the symbol. */
  declare [Symbol.asyncDispose]: () => Promise<void>;

  static {
    if (typeof Symbol.asyncDispose === 'symbol') {
      Object.defineProperty(this.prototype, Symbol.asyncDispose, {
        configurable: true, writable: true, value(this: WasmDataChannel) {
          return this.close();
        },
      });
    }
  }
}
