// SPDX-License-Identifier: MIT
import { isChromium } from './is_chromium.js';
import type { Ledger, Timer } from './ledger.js';

/** How long a full buffer may stay as it is before one is suspicious: longer than a round trip on any usable path. */
const kSuspiciousAfterMs = 500;

/**
 * Chromium (156) at times loses an update of `bufferedAmount`: everything has been sent, the amount stays above the threshold,
 * and `bufferedamountlow` never fires, until the next send. Whoever waits for the event before sending would wait for ever. This
 * watches a buffer that somebody waits for, and tells when it has not moved; once, until it has moved again.
 */
export class StallWatch {
  #timer: Timer | undefined;
  #amount = 0;
  #told = false;

  constructor(
    private readonly ledger: Ledger, private readonly channel: RTCDataChannel, private readonly stalled: () => void,
  ) {}

  /** Somebody looked at the buffer and may wait for it. */
  look(amount: number): void {
    // Elsewhere (seen in Firefox, under load) half a second without progress is the network's.
    if (!isChromium || this.#timer !== undefined || this.#told || amount <= this.channel.bufferedAmountLowThreshold) return;
    this.#amount = amount;
    this.#timer = this.ledger.setTimer(() => {
      this.#timer = undefined;
      this.#check();
    }, kSuspiciousAfterMs);
  }

  /** `bufferedamountlow`, or the channel's end. */
  reset(): void {
    if (this.#timer !== undefined) this.ledger.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#told = false;
  }

  #check(): void {
    const { bufferedAmount } = this.channel;
    if (bufferedAmount < this.#amount) {
      this.look(bufferedAmount);
      return;
    }
    this.#told = true;
    this.stalled();
  }
}
