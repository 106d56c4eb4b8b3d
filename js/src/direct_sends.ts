// SPDX-License-Identifier: MIT
import type { Module } from './module.js';
import type { Payload } from './payload.js';

/** What every peer takes; larger messages, to which the way through C++ is nothing, go through it. */
const kMostBytes = 16_384;

/**
 * Messages of a plain channel that JavaScript hands to the browser itself, as long as C++ would do it at once: it lends room below the
 * high-water mark, and is told the sum before it has to do anything else with the channel. The first message goes through C++,
 * where a channel that the browser announced too early shows.
 */
export class DirectSends {
  #messages = 0;
  #bytes = 0;
  /** Bytes until C++ has to be asked again; below zero: before the next message. */
  #room = -1;
  #largest = -1;

  constructor(private readonly module: Module, private readonly number: number, private readonly channel: RTCDataChannel) {}

  /** False: it has to go through C++. */
  send(payload: Payload, size: number): boolean {
    if (size > this.#largest || (this.#room < 0 && !this.#getRoom())) return false;
    try {
      this.channel.send(payload as string & ArrayBuffer); // of what browsers do not take, such as shared memory, C++ makes a copy
    } catch {
      this.#room = -1;
      return false; // C++ finds out why
    }
    this.#room -= size;
    this.#messages += 1;
    this.#bytes += size;
    return true;
  }

  /** A message went through C++. */
  begin(): void {
    if (this.#largest >= 0) return;
    const limit = this.module.host.call(this.module.exports.wdc_js_max_message_size, this.number);
    this.#largest = limit > 0 ? Math.min(limit, kMostBytes) : kMostBytes;
  }

  /** C++ sends something itself, or nothing may be sent any more. */
  settle(): void {
    this.#room = -1;
    this.tell();
  }

  /** Before C++ is asked anything. */
  tell(): void {
    if (this.#messages === 0) return;
    const [messages, bytes] = [this.#messages, this.#bytes];
    this.#messages = this.#bytes = 0;
    this.module.host.call(this.module.exports.wdc_js_sent, this.number, messages, bytes);
  }

  #getRoom(): boolean {
    this.tell();
    this.#room = this.module.host.call(this.module.exports.wdc_js_room, this.number);
    return this.#room >= 0;
  }
}
