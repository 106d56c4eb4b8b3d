// SPDX-License-Identifier: MIT
import type { Ledger, Timer } from './ledger.js';

const eventTypes = ['connectionstatechange'] as const;

/** Tells once that a connection is lost: it failed, or stayed disconnected for `timeout` milliseconds. */
export class PeerWatch implements EventListenerObject {
  #timer: Timer | undefined;
  #stopped = false;

  constructor(
    private readonly ledger: Ledger,
    private readonly connection: RTCPeerConnection,
    private readonly timeout: number,
    private readonly lost: (detail: string) => void,
  ) {
    ledger.listen(connection, eventTypes, this);
    if (connection.connectionState === 'disconnected') this.#arm();
    else if (connection.connectionState === 'failed') this.#arm(0);
  }

  handleEvent(): void {
    const { connectionState } = this.connection;
    this.#disarm();
    if (connectionState === 'failed') this.#tell('the connection failed');
    else if (connectionState === 'disconnected') this.#arm();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#disarm();
    this.ledger.unlisten(this.connection, eventTypes, this);
  }

  // Never from the constructor: who made the watch does not hold it yet.
  #arm(delay = this.timeout): void {
    this.#timer = this.ledger.setTimer(() => {
      this.#timer = undefined;
      const failed = this.connection.connectionState === 'failed';
      this.#tell(failed ? 'the connection failed' : `disconnected for ${this.timeout} ms`);
    }, delay);
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.ledger.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #tell(detail: string): void {
    this.stop();
    this.lost(detail);
  }
}
