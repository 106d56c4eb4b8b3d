// SPDX-License-Identifier: MIT
import { WdcError } from './error.js';
import { feedOfStream } from './feeds.js';
import { ModuleChannel, type Delivery } from './module_channel.js';
import { placeOf, wholeMs, type ChannelOptions } from './options.js';
import { isBlob, toPayload, type Bytes } from './payload.js';
import { IncomingMessageIterator, MessageIterator } from './readers.js';
import { requestOf, type SendOptions } from './wasm_data_channel.js';

/** Options of what waits. */
interface Waiting {
  signal?: AbortSignal | undefined;
}

/** Options of sends: those of {@link WasmDataChannel.send} that concern bytes in memory. */
type Sending = Omit<SendOptions, 'transfer' | 'type'>;

/**
 * The channel of the WebAssembly module as it is, with the names of its C++ class: no Blobs, no events. Most people want
 * WasmDataChannel.
 */
export class WebRtcDataChannel {
  readonly #channel: ModuleChannel;
  #closing: Promise<void> | undefined;

  /** Takes a channel over; see the constructor of WasmDataChannel. */
  constructor(channel: RTCDataChannel, options: ChannelOptions = {}) {
    this.#channel = new ModuleChannel(channel, options);
  }

  /**
   * Sends one binary message; resolves when the transport has accepted it. `bytes` may be changed as soon as the call has
   * returned; `signal` takes back a send that waits. Errors: those of WasmDataChannel.send().
   */
  send_bytes(bytes: ArrayBuffer | SharedArrayBuffer | ArrayBufferView, options: Sending = {}): Promise<void> {
    try {
      options.signal?.throwIfAborted();
      if (typeof bytes === 'string' || isBlob(bytes)) {
        throw new WdcError('invalid_argument', 'send_bytes() takes an ArrayBuffer or a view of one');
      }
      return this.#channel.send(toPayload(bytes), false, requestOf(options));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Sends one text message, as UTF-8; a lone surrogate becomes U+FFFD. */
  send_text(text: string, options: Sending = {}): Promise<void> {
    try {
      options.signal?.throwIfAborted();
      if (typeof text !== 'string') {
        throw new WdcError('invalid_argument', `send_text() takes a string, not ${typeof text}`);
      }
      return this.#channel.send(text, true, requestOf(options));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Sends one message of any size whose bytes come from a stream; framed channels only, `unsupported` on others. Errors: those of
   * WasmDataChannel.send().
   */
  send_from(source: ReadableStream<ArrayBuffer | ArrayBufferView>, options: Omit<SendOptions, 'transfer'> = {}): Promise<void> {
    try {
      options.signal?.throwIfAborted();
      if (!this.framed) throw new WdcError('unsupported');
      const isText = placeOf(options.type ?? 'binary', ['binary', 'text'], 'type');
      return this.#channel.sendFrom(feedOfStream(source), -1, isText, requestOf(options));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** WasmDataChannel.framed. */
  get framed(): boolean {
    return this.#channel.framed;
  }

  /** WasmDataChannel.delivery(). */
  delivery(): Delivery {
    return this.#channel.delivery();
  }

  /** WasmDataChannel.flush(). */
  flush(to: 'transport' | 'peer' = 'transport'): Promise<void> {
    return this.#channel.flush(to, undefined);
  }

  /** WasmDataChannel.incomingMessages(). */
  incoming_messages({ signal }: Waiting = {}): IncomingMessageIterator {
    return new IncomingMessageIterator(this.#channel, signal);
  }

  /**
   * All messages from here on, binary ones as Uint8Array, text as strings. `next()` gives `{value, done}`. One stream at a
   * time: the next() of another rejects with `consumer_busy`. `signal` ends it.
   */
  message_stream({ signal }: Waiting = {}): MessageIterator<Bytes | string> {
    return new MessageIterator(this.#channel, { text: true, signal });
  }

  /**
   * Sends what waits, closes, and resolves when both sides have closed. Rejects with `timed_out` after `timeoutMs`
   * milliseconds (1 to 2^31 - 1, default 30,000; the channel is aborted then) or with what broke the channel;
   * `invalid_argument` for another timeout, and nothing has happened then.
   */
  close(timeoutMs?: number): Promise<void> {
    try {
      return (this.#closing ??= this.#channel.close(wholeMs({ timeoutMs }, 'timeoutMs')));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }
}
