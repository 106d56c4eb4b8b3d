// SPDX-License-Identifier: MIT

/** Waits for the last of the messages that a transfer sent, and says when it came. */
export class Counter {
  received = 0;
  bytes = 0;
  #expected = Infinity;
  #resolve = () => undefined;

  /** For each message as it arrives. */
  add(size) {
    this.bytes += size;
    this.received += 1;
    if (this.received === this.#expected) this.#resolve(performance.now());
  }

  /** Resolves to the time at which the `count`th message was there. */
  reached(count) {
    this.#expected = count;
    if (this.received >= count) return Promise.resolve(performance.now());
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }
}
