// SPDX-License-Identifier: MIT
import type { DirectReader } from './host/types.js';
import { bytesOf } from './host/memory.js';
import type { BatchReader } from './module_channel.js';
import type { Module } from './module.js';
import { copyOf, type Bytes, type Payload } from './payload.js';

// Of docs/wire/framed.md: what a frame uses beside its bytes, the kind of a batch, and entries of its table.
const kFrameCost = 128;
const kBatch = 2;
const kText = 0x70;
const kBinary16 = 0xe0;
const kText16 = 0xe1;
/** Kind, size of the table, and its entry. */
const kHead = 3;
/** Of the largest message whose length is in that entry. */
const kMostBytes = 0x6f;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const frame = new Uint8Array(kHead + kMostBytes);
const body = frame.subarray(kHead);
/** The part of it that was sent last: a new view is 96 bytes of garbage. */
let sent = frame;

/** Messages of a batch up to this have a buffer of their own. */
export const kCopiedBytes = 1024;

/** Of a batch that holds one message: where that begins; 0 for any other frame. */
function placeOfLone(batch: Uint8Array): number {
  if (batch[0] !== kBatch) return 0;
  const entry = batch[2] ?? 0;
  if (batch[1] === 1) return entry < kBinary16 && batch.length === kHead + (entry % kText) ? kHead : 0;
  if (batch[1] !== 3 || (entry !== kBinary16 && entry !== kText16)) return 0;
  return batch.length === 5 + (((batch[3] ?? 0) << 8) | (batch[4] ?? 0)) ? 5 : 0;
}

/** Messages of one direction that C++ has to hear of as a sum. */
class Sum {
  #messages = 0;
  #bytes = 0;
  #cost = 0;

  add(bytes: number, cost: number): void {
    this.#messages += 1;
    this.#bytes += bytes;
    this.#cost += cost;
  }

  get any(): boolean {
    return this.#messages > 0;
  }

  /** REQUIRES: the instance lives. */
  tell(module: Module, how: (channel: number, messages: number, bytes: number, cost: number) => void, channel: number): void {
    const [messages, bytes, cost] = [this.#messages, this.#bytes, this.#cost];
    this.#messages = this.#bytes = this.#cost = 0;
    module.host.call(how, channel, messages, bytes, cost);
  }
}

/**
 * The messages of a framed channel that are each alone in a frame: on a channel that is idle all of them, and none where many
 * go. While somebody listens they go past C++, which lends credit for them and is told their sum before it has to do anything else
 * with the channel. A message that goes and one that comes back took 40 to 55 us more of a page's thread than plain ones, some 230,
 * with C++ on the way, and 11 to 26 without (Chromium and Firefox, medians of 12 to 20 runs by turns).
 */
export class LoneMessages implements DirectReader {
  readonly #received = new Sum();
  readonly #given = new Sum();
  /** Credit that more of them may use. */
  #receiveRoom = 0;
  #sendRoom = 0;
  /** One has come since the last send: the turn of that one is over. */
  #turnBegins = false;

  constructor(
    private readonly module: Module, private readonly number: number, private readonly channel: RTCDataChannel,
    private readonly reader: () => BatchReader | undefined,
  ) {}

  limit(): number {
    return (this.#receiveRoom = this.module.exports.wdc_js_direct_limit(this.number));
  }

  message(data: ArrayBuffer | string): boolean {
    if (typeof data === 'string') return false;
    const reader = this.reader();
    const batch: Bytes = new Uint8Array(data);
    const place = placeOfLone(batch);
    const cost = kFrameCost + batch.length;
    if (!reader || place === 0 || cost > this.#receiveRoom) return false;
    const size = batch.length - place;
    const entry = batch[2] ?? 0;
    this.#receiveRoom -= cost;
    this.#received.add(size, cost);
    this.#turnBegins = true;
    if (reader.text && entry >= kText && entry !== kBinary16) reader.message(decoder.decode(batch.subarray(place)));
    else reader.message(size <= kCopiedBytes && !reader.views ? copyOf(batch, place, batch.length) : batch.subarray(place));
    return true;
  }

  /** What comes to C++ next may change everything. */
  settle(): void {
    this.#sendRoom = 0;
    this.tell();
  }

  /** Nobody listens any more, and nothing may be sent past C++. */
  stop(): void {
    this.settle();
    this.#turnBegins = false;
  }

  /** Before C++ is asked anything. */
  tell(): void {
    const { exports } = this.module;
    if (this.#received.any) this.#received.tell(this.module, exports.wdc_js_took, this.number);
    if (this.#given.any) this.#given.tell(this.module, exports.wdc_js_gave, this.number);
  }

  /** Sends what is the first message of its turn on an idle channel; false: it has to go through C++. */
  send(payload: Payload): boolean {
    if (!this.#turnBegins) return false;
    let size: number;
    let entry: number;
    if (typeof payload === 'string') {
      if (payload.length > kMostBytes) return false;
      const { read, written } = encoder.encodeInto(payload, body);
      if (read < payload.length) return false;
      size = written;
      entry = kText + size;
    } else {
      const bytes = bytesOf(payload);
      if (bytes.length > kMostBytes) return false;
      body.set(bytes);
      entry = size = bytes.length;
    }
    const cost = kFrameCost + kHead + size;
    if (cost > this.#sendRoom && !this.#getRoom(cost)) return false;
    frame[0] = kBatch;
    frame[1] = 1;
    frame[2] = entry;
    if (sent.length !== kHead + size) sent = frame.subarray(0, kHead + size);
    try {
      this.channel.send(sent);
    } catch {
      this.#sendRoom = 0;
      return false; // C++ finds out why
    }
    this.#turnBegins = false;
    this.#sendRoom -= cost;
    this.#given.add(size, cost);
    return true;
  }

  /** A send goes through C++. True if a message has come since the last one. */
  takeTurn(): boolean {
    const begins = this.#turnBegins;
    this.#turnBegins = false;
    this.#sendRoom = 0;
    if (this.#given.any) this.tell();
    return begins;
  }

  #getRoom(cost: number): boolean {
    this.tell();
    this.#sendRoom = this.module.host.call(this.module.exports.wdc_js_send_room, this.number);
    return cost <= this.#sendRoom;
  }
}
