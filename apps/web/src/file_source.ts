// SPDX-License-Identifier: MIT
import type { Answer } from './app_module.js';

// One read per block: a read of a File costs a round trip to the browser process, whatever its size.
const blockSize = 1 << 20;

/** Reads a File in order, a block ahead. Keeps at most three blocks. */
export class FileSource {
  readonly #file: File;
  readonly #onReadable: () => void;
  readonly #blocks = new Map<number, Uint8Array>();
  readonly #pending = new Set<number>();
  #failed = false;

  /** `onReadable` is called after a read() that answered `later`, when it may be tried again. */
  constructor(file: File, onReadable: () => void) {
    this.#file = file;
    this.#onReadable = onReadable;
  }

  read(offset: number, target: Uint8Array): Answer {
    if (this.#failed) return 'failed';
    const first = Math.floor(offset / blockSize);
    const last = Math.floor((offset + target.length - 1) / blockSize);
    for (const block of this.#blocks.keys()) if (block < first) this.#blocks.delete(block);
    let missing = false;
    for (let block = first; block <= last + 1; block += 1) {
      if (this.#blocks.has(block)) continue;
      this.#request(block);
      if (block <= last) missing = true;
    }
    if (missing) return 'later';
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const block = this.#blocks.get(Math.floor(at / blockSize));
      const part = block?.subarray(at % blockSize, (at % blockSize) + target.length - done);
      if (part === undefined || part.length === 0) return 'failed';
      target.set(part, done);
      done += part.length;
    }
    return 'now';
  }

  #request(block: number): void {
    const start = block * blockSize;
    const end = Math.min(start + blockSize, this.#file.size);
    if (start >= end || this.#pending.has(block)) return;
    this.#pending.add(block);
    this.#file
      .slice(start, end)
      .arrayBuffer()
      .then(
        (buffer) => {
          if (buffer.byteLength === end - start) this.#blocks.set(block, new Uint8Array(buffer));
          else this.#failed = true;
        },
        () => (this.#failed = true),
      )
      .finally(() => {
        this.#pending.delete(block);
        this.#onReadable();
      });
  }
}
