// SPDX-License-Identifier: MIT
import { WdcError } from './error.js';
import type { Module, PartEvents } from './module.js';
import type { Bytes } from './payload.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

interface Waiting {
  resolve: (bytes: Bytes | undefined) => void;
  reject: (error: unknown) => void;
}

/** A message whose object nobody has any more will not be read. */
const forgotten = new FinalizationRegistry<State>((state) => state.stop());

/** What is behind an {@link IncomingMessage}, which it must not keep alive. */
class State implements PartEvents {
  readonly #module: Module | undefined;
  /** In the module; 0 once nothing more can come of it. */
  #number: number;
  #waiting: Waiting | undefined;
  /** What came in one piece, if it did. */
  #value: Bytes | undefined;
  #end: { error: WdcError | undefined } | undefined;

  constructor(module: Module | undefined, number: number, value?: Bytes) {
    this.#module = module;
    this.#number = number;
    this.#value = value;
    if (number !== 0) module?.incoming.set(number, this);
  }

  /** The next part, or the rest; undefined at the end. */
  pull(whole: boolean): Promise<Bytes | undefined> {
    if (this.#waiting) {
      return Promise.reject(new WdcError('consumer_busy', 'the message is being read already'));
    }
    const value = this.#value;
    if (value) {
      this.#value = undefined;
      this.#end = { error: undefined };
      return Promise.resolve(value);
    }
    if (this.#end) {
      const { error } = this.#end;
      return error ? Promise.reject(error) : Promise.resolve(undefined);
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const module = this.#module;
      module?.host.call(() => module.exports.wdc_js_pull_part(this.#number, whole ? 1 : 0));
    });
  }

  stop(): void {
    this.#value = undefined;
    this.#end ??= { error: new WdcError('stopped', 'by this side') };
    this.#waiting?.reject(this.#end.error);
    this.#waiting = undefined;
    this.#release();
  }

  /** All of it was given at once: nothing follows. */
  finish(): void {
    this.#end ??= { error: undefined };
    this.#release();
  }

  part(value: ArrayBuffer | string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(typeof value === 'string' ? encoder.encode(value) : new Uint8Array(value));
  }

  partEnded(error: WdcError | undefined): void {
    this.#end = { error };
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (error) waiting?.reject(error);
    else waiting?.resolve(undefined);
    queueMicrotask(() => this.#release()); // not from inside of the call
  }

  #release(): void {
    const number = this.#number;
    const module = this.#module;
    this.#number = 0;
    if (number === 0 || module === undefined) return;
    module.incoming.delete(number);
    if (module.host.dead === undefined) module.host.call(() => module.exports.wdc_js_release_incoming(number));
  }
}

/**
 * A message of a framed channel that may still be on its way: read it in parts while they come, in little memory whatever its
 * size, or whole; once, and in one way. Any number may be read side by side; one that is not read holds no other up. One that
 * is dropped unread is stopped when it is garbage-collected: call {@link stop}.
 */
export class IncomingMessage implements AsyncIterable<Bytes> {
  readonly type: 'binary' | 'text';
  /** In bytes, if its sender knew it at the start; a claim of the sender's until the end has come. */
  readonly size: number | undefined;
  readonly #state: State;

  private constructor(state: State, type: 'binary' | 'text', size: number | undefined) {
    this.#state = state;
    this.type = type;
    this.size = size;
  }

  /** @internal One of the module's. */
  static of(module: Module, number: number, isText: boolean, size: number | undefined): IncomingMessage {
    const state = new State(module, number);
    const message = new IncomingMessage(state, isText ? 'text' : 'binary', size);
    forgotten.register(message, state, state);
    return message;
  }

  /** @internal One that is here. */
  static ofWhole(value: ArrayBuffer | string): IncomingMessage {
    const isText = typeof value === 'string';
    const bytes = isText ? encoder.encode(value) : new Uint8Array(value);
    return new IncomingMessage(new State(undefined, 0, bytes), isText ? 'text' : 'binary', bytes.length);
  }

  /**
   * The bytes as they come, as many at a time as one frame brought; a part of a text may end inside a character. Throws
   * `cancelled` (its sender gave it up), `stopped` (by this side), or what broke the channel. Leaving the loop early stops the
   * message.
   */
  async *parts(): AsyncGenerator<Bytes, void, undefined> {
    let ended = false;
    try {
      for (;;) {
        const part = await this.#state.pull(false);
        if (part === undefined) break;
        yield part;
      }
      ended = true;
    } finally {
      if (!ended) this.stop();
    }
  }

  /** {@link parts}: `for await (const part of message)`. */
  [Symbol.asyncIterator](): AsyncGenerator<Bytes, void, undefined> {
    return this.parts();
  }

  /** {@link parts} as a WHATWG stream that buffers nothing; cancelling it stops the message. */
  get readable(): ReadableStream<Bytes> {
    return new ReadableStream<Bytes>({
      pull: async (controller) => {
        const part = await this.#state.pull(false);
        if (part === undefined) controller.close();
        else controller.enqueue(part);
      },
      cancel: () => this.stop(),
    }, { highWaterMark: 0 });
  }

  /**
   * Everything that was not read yet, in one piece. Rejects as {@link parts}, and with `message_too_large` above the option
   * `framed.maxMessageSize`, of which its sender is told.
   */
  async whole(): Promise<Bytes> {
    const bytes = await this.#state.pull(true);
    this.#state.finish();
    return bytes ?? new Uint8Array(0);
  }

  /** {@link whole} as a string; what is not UTF-8 becomes U+FFFD. */
  async text(): Promise<string> {
    return decoder.decode(await this.whole());
  }

  /** The rest is not wanted: its sender stops, and its send rejects with `stopped`. */
  stop(): void {
    this.#state.stop();
  }
}
