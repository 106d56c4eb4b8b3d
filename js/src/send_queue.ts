// SPDX-License-Identifier: MIT
import { WdcError } from './error.js';
import type { ModuleChannel } from './module_channel.js';
import type { Payload } from './payload.js';

interface Entry {
  readonly data: Blob | Payload;
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** Sent, failed or taken back. */
  over: boolean;
}

/**
 * A Blob's bytes arrive later, and what is sent after it must not overtake it: from a Blob on sends stand in here, until
 * each was handed to the module in its turn. Empty as long as nobody sends Blobs.
 */
export class SendQueue {
  readonly #channel: ModuleChannel;
  readonly #limit: number;
  readonly #entries: Entry[] = [];
  #running: Promise<void> | undefined;
  #previous: Promise<unknown> = Promise.resolve();

  /** @param limit sends that may wait at once, in here and in the module. */
  constructor(channel: ModuleChannel, limit: number) {
    this.#channel = channel;
    this.#limit = limit;
  }

  get empty(): boolean {
    return this.#running === undefined;
  }

  /** Rejects with send_queue_full, or as ModuleChannel.send(). `data` must be nobody else's, or a Blob. */
  add(data: Blob | Payload, signal: AbortSignal | undefined): Promise<void> {
    const takenBack = this.#entries[0]?.over === true ? 1 : 0; // the others were removed
    const waiting = this.#entries.length - takenBack + this.#channel.waitingSends;
    if (waiting >= this.#limit) {
      return Promise.reject(new WdcError('send_queue_full', '', { value: waiting + 1, limit: this.#limit }));
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        entry.over = true;
        const place = this.#entries.indexOf(entry);
        if (place > 0) this.#entries.splice(place, 1); // the first one is being worked on
        reject(signal?.reason as Error);
      };
      const unlisten = () => signal?.removeEventListener('abort', onAbort);
      const entry: Entry = {
        data,
        signal,
        over: false,
        resolve: () => {
          unlisten();
          resolve();
        },
        reject: (error) => {
          unlisten();
          reject(error as Error);
        },
      };
      signal?.addEventListener('abort', onAbort);
      this.#entries.push(entry);
      this.#running ??= this.#run();
    });
  }

  /** Ends once everything in here was handed to the module or has failed. */
  async drained(): Promise<void> {
    await this.#running;
  }

  /** Fails everything in here. */
  fail(error: WdcError): void {
    for (const entry of this.#entries.splice(0)) {
      if (!entry.over) entry.reject(error);
      entry.over = true;
    }
  }

  async #run(): Promise<void> {
    for (let entry = this.#entries[0]; entry !== undefined; entry = this.#entries[0]) {
      try {
        const payload = await this.#payloadOf(entry);
        if (!entry.over) this.#send(entry, payload);
      } catch (error) {
        if (!entry.over) entry.reject(error);
      }
      if (this.#entries[0] === entry) this.#entries.shift();
    }
    this.#running = undefined;
  }

  async #payloadOf(entry: Entry): Promise<Payload> {
    const { data } = entry;
    if (typeof data === 'string' || !('arrayBuffer' in data)) return data;
    const limit = this.#channel.maxMessageSize;
    if (limit > 0 && data.size > limit) throw new WdcError('message_too_large', '', { value: data.size, limit });
    await this.#previous; // one Blob's bytes in memory at a time
    if (entry.over) return ''; // taken back: nobody will look
    try {
      return await data.arrayBuffer();
    } catch (cause) {
      throw new WdcError('invalid_argument', 'the Blob cannot be read', { cause });
    }
  }

  #send(entry: Entry, payload: Payload): void {
    entry.over = true;
    const sent = this.#channel.send(payload, true, entry);
    sent.then(entry.resolve, entry.reject);
    this.#previous = sent.catch(() => undefined);
  }
}
