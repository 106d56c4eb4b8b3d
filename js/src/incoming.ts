// SPDX-License-Identifier: MIT
import { WdcError } from './error.js';
import { checkOptions } from './module_channel.js';
import { whole, type ChannelOptions } from './options.js';
import { WasmDataChannel } from './wasm_data_channel.js';

/** Options of {@link incoming}; the others are those of every channel. */
export interface IncomingOptions extends Omit<ChannelOptions, 'peerConnection'> {
  /** Channels that may wait to be taken, 1 to 65,535; default 1,024. One more is closed. */
  maxWaiting?: number | undefined;
  /** Ends the iteration; next() rejects with its reason. */
  signal?: AbortSignal | undefined;
}

const watched = new WeakSet<RTCPeerConnection>();

/**
 * The channels that the other side creates, each wrapped the moment it is announced, so that none of its messages is lost.
 * Listening begins with the call, not with the first next(); it ends with return() (a `break`), the signal, or the close of
 * the connection as soon as that shows in its state. Channels not taken by then are closed. One at a time for a connection.
 *
 * A channel that cannot be wrapped (`out_of_memory`, `wasm_blocked`, `already_wrapped` by another handler, ...) ends it, too:
 * next() gives the channels before it and then rejects with that, once. The channel is closed, unless it is somebody else's.
 *
 * @throws WdcError `consumer_busy`, `invalid_argument`.
 */
export function incoming(peerConnection: RTCPeerConnection, options: IncomingOptions = {}): IncomingChannels {
  return new IncomingChannels(peerConnection, options);
}

interface Waiting {
  resolve: (result: IteratorResult<WasmDataChannel, undefined>) => void;
  reject: (error: unknown) => void;
}

/** What {@link incoming} gives. */
export class IncomingChannels implements AsyncIterator<WasmDataChannel, undefined>, AsyncIterable<WasmDataChannel> {
  readonly #peerConnection: RTCPeerConnection;
  readonly #options: IncomingOptions;
  readonly #maxWaiting: number;
  readonly #channels: WasmDataChannel[] = [];
  readonly #waiting: Waiting[] = [];
  #failure: { error: unknown } | undefined;
  #ended = false;

  /** @internal */
  constructor(peerConnection: RTCPeerConnection, options: IncomingOptions) {
    const maxWaiting = whole(options, 'maxWaiting');
    if (maxWaiting === 0 || maxWaiting > 65_535) {
      throw new WdcError('invalid_argument', 'maxWaiting is not from 1 to 65,535', { value: maxWaiting, limit: 65_535 });
    }
    checkOptions(options);
    if (watched.has(peerConnection)) throw new WdcError('consumer_busy', 'incoming() has this connection already');
    this.#peerConnection = peerConnection;
    this.#options = options;
    this.#maxWaiting = maxWaiting < 0 ? 1024 : maxWaiting;
    if (options.signal?.aborted) {
      this.#ended = true;
      this.#failure = { error: options.signal.reason };
      return;
    }
    watched.add(peerConnection);
    peerConnection.addEventListener('datachannel', this.#onDataChannel);
    peerConnection.addEventListener('connectionstatechange', this.#onState);
    options.signal?.addEventListener('abort', this.#onAbort);
  }

  /** The next channel, in the order of announcement; `done` at the end. */
  next(): Promise<IteratorResult<WasmDataChannel, undefined>> {
    this.#onState();
    const channel = this.#channels.shift();
    if (channel) return Promise.resolve({ value: channel, done: false });
    if (this.#failure) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error as Error);
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Ends the listening and closes what was not taken. */
  return(): Promise<IteratorResult<WasmDataChannel, undefined>> {
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #onDataChannel = ({ channel }: RTCDataChannelEvent): void => {
    if (this.#channels.length >= this.#maxWaiting) {
      channel.close();
      return;
    }
    let wrapped: WasmDataChannel;
    try {
      wrapped = new WasmDataChannel(channel, { ...this.#options, peerConnection: this.#peerConnection });
    } catch (error) {
      if ((error as Partial<WdcError>).code !== 'already_wrapped') channel.close();
      this.#failure = { error };
      this.#stop();
      return;
    }
    // close() of the connection fires no event of its own.
    const look = () => this.#onState();
    wrapped.closed.then(look, look);
    const first = this.#waiting.shift();
    if (first) first.resolve({ value: wrapped, done: false });
    else this.#channels.push(wrapped);
  };

  readonly #onState = (): void => {
    if (this.#peerConnection.connectionState === 'closed') this.#stop();
  };

  readonly #onAbort = (): void => {
    this.#failure = { error: this.#options.signal?.reason };
    this.#end();
  };

  #end(): void {
    this.#stop();
    for (const channel of this.#channels.splice(0)) void channel.close().catch(() => undefined);
  }

  #stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    watched.delete(this.#peerConnection);
    this.#peerConnection.removeEventListener('datachannel', this.#onDataChannel);
    this.#peerConnection.removeEventListener('connectionstatechange', this.#onState);
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    const failure = this.#failure;
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (failure) reject(failure.error); // told, and once is enough for next()
      else resolve({ value: undefined, done: true });
      this.#failure = undefined;
    }
  }
}
