// SPDX-License-Identifier: MIT
import type { Answer } from './app_module.js';

/** Where the bytes of an incoming file go. */
export interface FileSink {
  /** Copies `bytes` before it returns. `later`: the sink says by itself when they are put away. */
  write(bytes: Uint8Array): Answer;
  /** Throws away what came so far. */
  discard(): void;
  /** The whole file, to be saved by a link; undefined where it is saved already. */
  result(): Blob | undefined;
}

/** Joins small pieces to large ones: a Blob of a million pieces is slow, a write per piece slower. */
class Batch {
  readonly #size: number;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #used = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Takes a copy of `bytes`; calls `full` with every batch that is. */
  add(bytes: Uint8Array, full: (batch: Uint8Array<ArrayBuffer>) => void): void {
    for (let taken = 0; taken < bytes.length; ) {
      this.#buffer ??= new Uint8Array(this.#size);
      const part = bytes.subarray(taken, taken + this.#size - this.#used);
      this.#buffer.set(part, this.#used);
      this.#used += part.length;
      taken += part.length;
      if (this.#used === this.#size) full(this.take());
    }
  }

  take(): Uint8Array<ArrayBuffer> {
    const batch = this.#buffer?.subarray(0, this.#used) ?? new Uint8Array();
    this.#buffer = undefined;
    this.#used = 0;
    return batch;
  }
}

/** Keeps the file in the browser, which moves large Blobs to its disk. */
export class BlobSink implements FileSink {
  readonly #batch = new Batch(4 << 20);
  #parts: Blob[] = [];

  write(bytes: Uint8Array): Answer {
    try {
      this.#batch.add(bytes, (batch) => this.#parts.push(new Blob([batch])));
      return 'now';
    } catch {
      return 'failed'; // No memory for another batch.
    }
  }

  discard(): void {
    this.#parts = [];
    this.#batch.take();
  }

  result(): Blob {
    // Never the sender's type: opened in a tab, an HTML file would run as a part of this page.
    return new Blob([...this.#parts, this.#batch.take()], { type: 'application/octet-stream' });
  }
}

/** Writes straight to a file of the user's choice. What waits to be written is bounded by the window of the transfer. */
export class DiskSink implements FileSink {
  readonly #stream: FileSystemWritableFileStream;
  readonly #size: number;
  readonly #batch = new Batch(1 << 20);
  readonly #putAway: (bytes: number) => void;
  readonly #failed: () => void;
  #received = 0;
  #writing: Promise<void> = Promise.resolve();
  #discarded = false;

  /** Calls `putAway` for bytes that are on the disk, for the last ones when the file is closed. */
  constructor(stream: FileSystemWritableFileStream, size: number, putAway: (bytes: number) => void, failed: () => void) {
    this.#stream = stream;
    this.#size = size;
    this.#putAway = putAway;
    this.#failed = failed;
    if (size === 0) this.#enqueue(new Uint8Array(), true);
  }

  write(bytes: Uint8Array): Answer {
    try {
      this.#received += bytes.length;
      const last = this.#received === this.#size;
      this.#batch.add(bytes, (batch) => this.#enqueue(batch, false));
      if (last) this.#enqueue(this.#batch.take(), true);
      return 'later';
    } catch {
      return 'failed'; // No memory for another batch.
    }
  }

  discard(): void {
    this.#discarded = true;
    void this.#writing.then(() => this.#stream.abort()).catch(() => undefined);
  }

  result(): undefined {
    return undefined;
  }

  // One that was discarded while it wrote: the next transfer counts its own bytes.
  #tellPutAway(bytes: number): void {
    if (!this.#discarded) this.#putAway(bytes);
  }

  #enqueue(batch: Uint8Array<ArrayBuffer>, last: boolean): void {
    this.#writing = this.#writing
      .then(async () => {
        if (this.#discarded) return;
        await this.#stream.write(batch);
        if (last) await this.#stream.close();
        this.#tellPutAway(batch.length);
      })
      .catch(() => {
        if (!this.#discarded) this.#failed();
        this.#discarded = true;
      });
  }
}
