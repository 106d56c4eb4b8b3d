// SPDX-License-Identifier: MIT
/// <reference lib="esnext.disposable" preserve="true" />
import type { WdcError } from './error.js';
import { IncomingMessage } from './incoming_message.js';
import type { ModuleChannel, Reader } from './module_channel.js';
import type { Bytes } from './payload.js';

const encoder = new TextEncoder();

/** Options of everything that reads. */
export interface ReadOptions {
  /**
   * True: text messages are given as strings. False (default): as their UTF-8 bytes, so that every message is a Uint8Array.
   */
  text?: boolean | undefined;
  /**
   * For startListening() on a framed channel. True: small messages, too, are views on a buffer that they share with the others of
   * their frame, and that lives as long as one of them (docs/buffers.md). False (default): up to 1 KB each has its own.
   */
  views?: boolean | undefined;
  /** Ends the reading; messages that were not read stay for the next reader. */
  signal?: AbortSignal | undefined;
}

/** What a reader with these options gets for a message. */
export type Message<Options extends ReadOptions> =
  Options extends { text: true } ? Bytes | string
    : ReadOptions extends Options ? Bytes | string // not known before it runs
      : Bytes;

/** A function that undoes something, for `using` too; calling it again does nothing. */
export interface Disposer {
  (): void;
  [Symbol.dispose](): void;
}

/** The disposer of `undo`. */
export function disposer(undo: () => void): Disposer {
  const dispose = (() => undo()) as Disposer;
  // The symbol is younger than some browsers.
  if (typeof Symbol.dispose === 'symbol') dispose[Symbol.dispose] = undo;
  return dispose;
}

/** The browser's own buffer as bytes, without a copy; a string as it is, or its UTF-8. */
function asMessage(value: ArrayBuffer | string, text: boolean): Bytes | string {
  if (typeof value !== 'string') return new Uint8Array(value);
  return text ? value : encoder.encode(value);
}

/** Reports what a callback threw as the page's own errors are reported; nothing here can be stopped by it. */
function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error);
  else {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Calls back for every message. Throws consumer_busy. */
export function listen(
  channel: ModuleChannel, callback: (message: Bytes | string) => unknown, options: ReadOptions,
): Disposer {
  const { signal, text = false, views = false } = options;
  if (signal?.aborted) return disposer(() => undefined);
  const stop = () => {
    signal?.removeEventListener('abort', stop);
    channel.detach(reader);
  };
  const message = (value: Bytes | string): void => {
    try {
      callback(value);
    } catch (error) {
      report(error);
    }
  };
  const reader: Reader = {
    message: (value) => message(asMessage(value, text)),
    batches: { text, views, message },
    end: () => signal?.removeEventListener('abort', stop),
  };
  channel.attach(reader);
  signal?.addEventListener('abort', stop);
  channel.listen();
  return disposer(stop);
}

interface Waiting<T> {
  resolve: (result: IteratorResult<T, undefined>) => void;
  reject: (error: unknown) => void;
}

/** What a channel gives, one at a time as it is asked for. The reading begins at the first next(). */
export abstract class ChannelIterator<T> implements AsyncIterator<T, undefined>, AsyncIterable<T> {
  readonly #channel: ModuleChannel;
  readonly #signal: AbortSignal | undefined;
  readonly #reader: Reader;
  readonly #pull: () => void;
  readonly #waiting: Waiting<T>[] = [];
  #state: 'new' | 'reading' | 'ended' = 'new';
  /** An abort or a trap that nobody waited for: the next next() tells it. */
  #failure: { error: unknown } | undefined;

  /** @internal `reader` hands over with `give`; `pull` asks for one more. */
  protected constructor(
    channel: ModuleChannel, signal: AbortSignal | undefined, reader: (give: (value: T) => void) => Omit<Reader, 'end'>,
    pull: () => void,
  ) {
    this.#channel = channel;
    this.#signal = signal;
    this.#pull = pull;
    this.#reader = {
      ...reader((value) => this.#waiting.shift()?.resolve({ value, done: false })),
      end: (error) => this.#end(error),
    };
  }

  /**
   * The next one; `done` after a clean close by either side, once everything was read. Rejects, once, with what broke
   * the channel, with `consumer_busy` if it has another reader, or with the signal's reason. May be called again before the
   * promise before has settled.
   */
  next(): Promise<IteratorResult<T, undefined>> {
    try {
      if (this.#state === 'new') this.#begin();
      if (this.#failure) {
        const { error } = this.#failure;
        this.#failure = undefined;
        throw error;
      }
      if (this.#state === 'ended') return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
        this.#pull();
      });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Ends the reading and lets the next reader in. What waits gets `done`; nothing that was not read is lost. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#stop();
    this.#failure = undefined;
    for (const { resolve } of this.#waiting.splice(0)) resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #begin(): void {
    if (this.#signal?.aborted) {
      this.#state = 'ended';
      throw this.#signal.reason as Error;
    }
    this.#channel.attach(this.#reader);
    this.#state = 'reading';
    this.#signal?.addEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#stop();
    const error: unknown = this.#signal?.reason;
    if (this.#waiting.length === 0) this.#failure = { error };
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  };

  #stop(): void {
    if (this.#state === 'reading') this.#channel.detach(this.#reader);
    this.#state = 'ended';
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  #end(error: WdcError | undefined): void {
    this.#state = 'ended';
    this.#signal?.removeEventListener('abort', this.#onAbort);
    const [first, ...others] = this.#waiting.splice(0);
    if (error && first) first.reject(error);
    else if (error) this.#failure = { error };
    else first?.resolve({ value: undefined, done: true });
    for (const { resolve } of others) resolve({ value: undefined, done: true });
  }
}

/** The messages of a channel, one at a time as they are asked for. The reading begins at the first next(). */
export class MessageIterator<T extends Bytes | string> extends ChannelIterator<T> {
  /** @internal */
  constructor(channel: ModuleChannel, { text = false, signal }: ReadOptions) {
    super(channel, signal, (give) => ({ message: (value) => give(asMessage(value, text) as T) }), () => channel.pull());
  }
}

/** The messages of a framed channel as they begin, one at a time as they are asked for. */
export class IncomingMessageIterator extends ChannelIterator<IncomingMessage> {
  /** @internal */
  constructor(channel: ModuleChannel, signal: AbortSignal | undefined) {
    super(channel, signal, (give) => ({
      message: (value) => give(IncomingMessage.ofWhole(value)),
      incoming: give,
    }), () => channel.pullIncoming());
  }
}
