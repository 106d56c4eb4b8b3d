// SPDX-License-Identifier: MIT
import { describe, WdcError } from './error.js';
import { bytesOf } from './host/memory.js';

/** Of the buffers that copies of waiting sends are kept in; larger ones are made anew. */
const kBufferBytes = 256 << 10;
const kMostBuffers = 4;
const buffers: ArrayBuffer[] = [];

/** What {@link Feed.read} gives when there is nothing yet. */
export const notYet = -1;

/**
 * Where the bytes of a message come from that goes in parts. The module asks for them when there is room, and what is not there
 * yet is fetched meanwhile: one piece ahead of what is being sent.
 */
export class Feed {
  /** To be called when read() has something again after it had nothing. */
  onReady: () => void = () => undefined;
  readonly #fetch: () => Promise<Uint8Array | undefined>;
  readonly #onEnd: (reason: unknown) => void;
  #piece: Uint8Array | undefined;
  #next: Uint8Array | undefined;
  /** Holds the copy of keep(). */
  #buffer: ArrayBuffer | undefined;
  #fetching = false;
  #awaited = false;
  #ended = false;
  /** All the bytes are here: read() fills every room. */
  readonly inMemory: boolean;
  /** What fetch() rejected with. */
  failure: { readonly error: unknown } | undefined;

  /**
   * @param fetch the next piece, undefined at the end.
   * @param onEnd the send has ended before the end of the bytes, for a reason.
   * @param all a piece that is here already, and the only one.
   */
  constructor(fetch: () => Promise<Uint8Array | undefined>, onEnd: (reason: unknown) => void = () => undefined, all?: Uint8Array) {
    this.#fetch = fetch;
    this.#onEnd = onEnd;
    this.#next = all;
    this.inMemory = all !== undefined;
  }

  /** Writes the next bytes to `room`; gives how many, 0 at the end, notYet: onReady will be called. Throws what fetch() gave. */
  read(room: Uint8Array): number {
    let written = 0;
    while (written < room.length) {
      if (this.#piece === undefined || this.#piece.length === 0) {
        this.#piece = this.#next;
        this.#next = undefined;
        this.#fetchOne();
        if (this.#piece === undefined) break;
      }
      const part = this.#piece.subarray(0, room.length - written);
      room.set(part, written);
      written += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
    if (written > 0) return written;
    if (this.failure) throw this.failure.error;
    if (this.#ended) return 0;
    this.#awaited = true;
    return notYet;
  }

  /**
   * Copies what has not gone yet of a feed that is in memory: the bytes may change from now on. Into a buffer that was used before, as
   * long as it fits: in Chromium a new one is 1 us a KB, mostly page faults.
   */
  keep(): void {
    const piece = this.#next ?? this.#piece;
    if (!piece?.length) return;
    this.#buffer = piece.length <= kBufferBytes ? buffers.pop() ?? new ArrayBuffer(kBufferBytes) : new ArrayBuffer(piece.length);
    const copy = new Uint8Array(this.#buffer, 0, piece.length);
    copy.set(piece);
    if (this.#next) this.#next = copy;
    else this.#piece = copy;
  }

  /** The send is over; `reason` if before the end. */
  end(reason: unknown): void {
    if (reason !== undefined && !this.#ended) this.#onEnd(reason);
    this.#ended = true;
    this.#piece = this.#next = undefined;
    if (this.#buffer?.byteLength === kBufferBytes && buffers.length < kMostBuffers) buffers.push(this.#buffer);
    this.#buffer = undefined;
  }

  #fetchOne(): void {
    if (this.#fetching || this.#ended || this.failure) return;
    this.#fetching = true;
    this.#fetch().then((piece) => {
      if (piece === undefined) this.#ended = true;
      else if (!this.#ended) this.#next = piece;
      this.#arrived();
    }, (error: unknown) => {
      this.failure = { error };
      this.#arrived();
    });
  }

  #arrived(): void {
    this.#fetching = false;
    if (this.#next?.length === 0 && !this.failure) {
      this.#next = undefined;
      this.#fetchOne();
      return;
    }
    if (!this.#awaited) return;
    this.#awaited = false;
    this.onReady();
  }
}

/** Bytes that are in memory. */
export function feedOfBytes(bytes: Uint8Array): Feed {
  return new Feed(() => Promise.resolve(undefined), undefined, bytes);
}

/** Read at a time, and as much again ahead. */
const kSliceBytes = 256 << 10;

/** A Blob's bytes, slice by slice: of a File the rest stays on the disk. */
export function feedOfBlob(blob: Blob): Feed {
  let offset = 0;
  return new Feed(async () => {
    if (offset >= blob.size) return undefined;
    const slice = blob.slice(offset, offset + kSliceBytes);
    offset += slice.size;
    try {
      return new Uint8Array(await slice.arrayBuffer());
    } catch (cause) {
      throw new WdcError('invalid_argument', 'the Blob cannot be read', { cause });
    }
  });
}

/** A stream's bytes; it is cancelled when the send ends before its end. Throws invalid_argument if it has a reader. */
export function feedOfStream(stream: ReadableStream<unknown>): Feed {
  let reader: ReadableStreamDefaultReader<unknown>;
  try {
    reader = stream.getReader();
  } catch (cause) {
    throw new WdcError('invalid_argument', 'the stream has a reader already', { cause });
  }
  return new Feed(async () => {
    const { value, done } = await reader.read();
    if (done) return undefined;
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return bytesOf(value);
    const error = new WdcError('invalid_argument', `the stream gave ${describe(value)}, not bytes`);
    await reader.cancel(error).catch(() => undefined);
    throw error;
  }, (reason) => {
    reader.cancel(reason).catch(() => undefined); // the stream's own trouble: the send has ended
  });
}
