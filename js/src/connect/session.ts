// SPDX-License-Identifier: MIT
import { WdcError } from '../error.js';
import { reasonOf } from '../host/errors.js';
import { Ledger, type Timer } from '../host/ledger.js';
import type { ChannelOptions } from '../options.js';
import { WasmDataChannel } from '../wasm_data_channel.js';
import { Negotiation } from './negotiation.js';
import { openPipe, type Pipe } from './pipe.js';

/** What a session needs to know. */
export interface SessionOptions {
  readonly url: string;
  readonly room: string;
  readonly label: string;
  readonly init: RTCDataChannelInit;
  readonly configuration: RTCConfiguration | undefined;
  readonly flow: ChannelOptions;
}

/** After a drop, how long and how often a member tries to come back: docs/wire/signaling.md, "Drops and reconnects". */
const reconnectForMs = 25_000;
const reconnectEveryMs = 1_000;
/** How long the connection stays up after its channel has closed, for the other side's last acknowledgements. */
const lingerMs = 2_000;
/** Between tabs nobody notices that one has crashed: how long a member met there has to bring up its channel. */
const openBetweenTabsWithinMs = 30_000;

/** What the rooms of this page have attached to it. */
export const connectLedger = new Ledger();

/**
 * A place in a room, and the connection to the other member while there is one. Gives one open channel; from then on the
 * room only serves restarts, and its loss hurts nobody.
 */
export class Session {
  /** Resolves with the open channel. */
  readonly channel: Promise<WasmDataChannel>;
  readonly #options: SessionOptions;
  #resolve!: (channel: WasmDataChannel) => void;
  #reject!: (error: unknown) => void;
  #pipe: Pipe | undefined;
  #polite = false;
  #wasIn = false;
  #droppedAt: number | undefined;
  /** Until the next try to come back, or until the other tab has been silent for too long: never both. */
  #timer: Timer | undefined;
  #peer: Peer | undefined;
  /** False: the member of #peer has left the room, or we have. Its channel may open all the same. */
  #present = false;
  #open = false;
  #over = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.channel = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#join();
  }

  /** Gives up, unless the channel is open already. */
  cancel(error: unknown): void {
    if (this.#open || this.#over) return;
    this.#leave();
    this.#reject(error);
  }

  #join(): void {
    try {
      this.#pipe = openPipe(this.#options.url, this.#options.room, {
        welcome: (polite, peer) => {
          this.#wasIn = true;
          this.#droppedAt = undefined;
          this.#polite = polite;
          if (peer !== undefined) this.#meet(peer);
        },
        joined: (peer) => this.#meet(peer),
        left: (peer) => this.#lose(peer),
        description: (from, description) => this.#peerOf(from)?.negotiation.description(description),
        candidate: (from, candidate) => this.#peerOf(from)?.negotiation.candidate(candidate),
        bye: (from) => this.#lose(from),
        closed: (error) => this.#dropped(error),
      }, connectLedger);
    } catch (error) {
      this.cancel(error instanceof WdcError ? error : new WdcError('signaling_unreachable', reasonOf(error), { cause: error }));
    }
  }

  #peerOf(id: string): Peer | undefined {
    return this.#peer?.id === id ? this.#peer : undefined;
  }

  #meet(id: string): void {
    // A channel that is open is not given up for a newcomer.
    if (this.#open || this.#over || (this.#present && this.#peer?.id === id)) return;
    this.#forgetPeer();
    let peer: Peer;
    try {
      peer = new Peer(id, this.#polite, this.#options, {
        description: (description) => this.#pipe?.sendDescription(id, description),
        candidate: (candidate) => this.#pipe?.sendCandidate(id, candidate),
        failed: (cause) => this.#peerFailed(peer, cause),
      });
    } catch (error) {
      this.cancel(error instanceof WdcError ? error : negotiationFailed(error));
      return;
    }
    this.#peer = peer;
    this.#present = true;
    if (this.#options.url === 'broadcast:') this.#setTimer(() => this.#meetAnother(), openBetweenTabsWithinMs);
    peer.channel.opened.then(
      () => this.#opened(peer),
      (error: unknown) => {
        if (this.#isPresent(peer)) this.cancel(error);
      },
    );
  }

  #lose(id: string): void {
    // The connection goes on: the other member may have left because, on its side, the channel is open already.
    if (this.#peer?.id !== id) return;
    this.#present = false;
    this.#setTimer();
  }

  // Who has left may fail: the next one is met with a fresh connection.
  #isPresent(peer: Peer): boolean {
    return this.#present && this.#peer === peer;
  }

  // Looks for a member again, under a new id: the one that was met shows no life.
  #meetAnother(): void {
    this.#forgetPeer();
    this.#pipe?.close();
    this.#join();
  }

  #forgetPeer(): void {
    this.#present = false;
    this.#peer?.close();
    this.#peer = undefined;
  }

  #setTimer(run?: () => void, milliseconds = 0): void {
    if (this.#timer !== undefined) connectLedger.clearTimer(this.#timer);
    this.#timer = run && connectLedger.setTimer(() => {
      this.#timer = undefined;
      run();
    }, milliseconds);
  }

  #peerFailed(peer: Peer, cause: unknown): void {
    if (this.#isPresent(peer)) this.cancel(negotiationFailed(cause));
  }

  #opened(peer: Peer): void {
    if (this.#over || this.#peer !== peer) return;
    this.#open = true;
    this.#setTimer();
    const ended = () => this.#finish();
    peer.channel.closed.then(ended, ended);
    this.#resolve(peer.channel);
  }

  // The channel has closed. The connection stays until the other side has surely heard of it.
  #finish(): void {
    this.#leaveRoom();
    setTimeout(() => this.#leave(), lingerMs);
  }

  #dropped(error: WdcError): void {
    this.#pipe = undefined;
    if (this.#open || this.#over) return;
    this.#present = false; // the other member hears that we have left
    const now = performance.now();
    // Only who was in the room may find its own old self there.
    const again = this.#wasIn && (error.code === 'signaling_lost' || this.#droppedAt !== undefined)
      && ['signaling_lost', 'signaling_unreachable', 'room_full'].includes(error.code);
    if (!again || now - (this.#droppedAt ?? now) > reconnectForMs) {
      this.cancel(error);
      return;
    }
    this.#droppedAt ??= now;
    this.#setTimer(() => this.#join(), reconnectEveryMs);
  }

  #leaveRoom(): void {
    this.#over = true;
    this.#setTimer();
    this.#pipe?.close();
    this.#pipe = undefined;
  }

  #leave(): void {
    this.#leaveRoom();
    this.#forgetPeer();
  }
}

const negotiationFailed = (cause: unknown): WdcError => new WdcError('negotiation_failed', reasonOf(cause), { cause });

/** The connection to one member: one id, one RTCPeerConnection. */
class Peer {
  readonly channel: WasmDataChannel;
  readonly negotiation: Negotiation;
  readonly #connection: RTCPeerConnection;

  constructor(readonly id: string, polite: boolean, options: SessionOptions, output: ConstructorParameters<typeof Negotiation>[2]) {
    this.#connection = new RTCPeerConnection(options.configuration);
    try {
      this.negotiation = new Negotiation(this.#connection, polite, output);
      const channel = this.#connection.createDataChannel(options.label, { ...options.init, negotiated: true, id: 0 });
      this.channel = new WasmDataChannel(channel, { ...options.flow, peerConnection: this.#connection });
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  close(): void {
    this.negotiation.stop();
    this.channel.abort();
    this.#connection.close();
  }
}
