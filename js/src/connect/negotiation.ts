// SPDX-License-Identifier: MIT

/** What a negotiation says to the other side. */
export interface NegotiationOutput {
  description(description: RTCSessionDescription): void;
  /** null: no more candidates. */
  candidate(candidate: RTCIceCandidate | null): void;
  /** A description of the other side was refused; a candidate that is refused does no harm. */
  failed(error: unknown): void;
}

/** How long a connection may be without an answer before its paths are looked for anew. */
const restartAfterMs = 2_000;

/**
 * W3C webrtc-pc 10.7, perfect negotiation: either side may offer at any time, and where two offers meet the polite one rolls
 * its own back. The first offer is the impolite side's, so that normally none meet.
 */
export class Negotiation {
  readonly #connection: RTCPeerConnection;
  readonly #polite: boolean;
  readonly #output: NegotiationOutput;
  readonly #listening = new AbortController();
  /** While an offer is in the making. */
  #offering: Promise<void> | undefined;
  #ignoringOffer = false;
  // Frames are applied one after the other.
  #frames: Promise<unknown> = Promise.resolve();
  #restartTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: RTCPeerConnection, polite: boolean, output: NegotiationOutput) {
    this.#connection = connection;
    this.#polite = polite;
    this.#output = output;
    const { signal } = this.#listening;
    connection.addEventListener('negotiationneeded', () => {
      // The polite side's channel is the impolite one's too: its first offer covers both.
      if (!polite || connection.remoteDescription !== null) this.#offering = this.#offer();
    }, { signal });
    connection.addEventListener('icecandidate', ({ candidate }) => output.candidate(candidate), { signal });
    connection.addEventListener('connectionstatechange', () => this.#watchState(), { signal });
  }

  stop(): void {
    this.#listening.abort();
    clearTimeout(this.#restartTimer);
  }

  description(description: RTCSessionDescriptionInit): void {
    this.#enqueue(() => this.#applyDescription(description));
  }

  candidate(candidate: RTCIceCandidateInit | null): void {
    this.#enqueue(() => this.#applyCandidate(candidate));
  }

  #enqueue(apply: () => Promise<void>): void {
    this.#frames = this.#frames.then(async () => {
      if (!this.#stopped) await apply();
    }).catch((error: unknown) => {
      if (!this.#stopped) this.#output.failed(error);
    });
  }

  get #stopped(): boolean {
    return this.#listening.signal.aborted;
  }

  async #offer(): Promise<void> {
    try {
      await this.#connection.setLocalDescription();
      this.#send();
    } catch (error) {
      if (!this.#stopped) this.#output.failed(error);
    } finally {
      this.#offering = undefined;
    }
  }

  async #applyDescription(description: RTCSessionDescriptionInit): Promise<void> {
    const connection = this.#connection;
    const collision = description.type === 'offer' && (this.#offering !== undefined || connection.signalingState !== 'stable');
    this.#ignoringOffer = !this.#polite && collision;
    if (this.#ignoringOffer) return;
    // Chromium 156 gathers no candidates ever after if an offer arrives while its own is still in the making.
    if (collision) await this.#offering;
    // An answer to an offer that was rolled back meanwhile.
    if (description.type === 'answer' && connection.signalingState !== 'have-local-offer') return;
    await connection.setRemoteDescription(description); // rolls an own offer back
    if (description.type !== 'offer') return;
    await connection.setLocalDescription();
    this.#send();
  }

  async #applyCandidate(candidate: RTCIceCandidateInit | null): Promise<void> {
    try {
      if (this.#connection.remoteDescription !== null) await this.#connection.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      // Those of an ignored offer fit no description. Any other one that is refused leaves the others.
      if (!this.#ignoringOffer) console.debug('webrtc-data-channel: a candidate was refused', error);
    }
  }

  #send(): void {
    const { localDescription } = this.#connection;
    if (localDescription !== null && !this.#stopped) this.#output.description(localDescription);
  }

  #watchState(): void {
    clearTimeout(this.#restartTimer);
    const state = this.#connection.connectionState;
    if (state === 'failed') this.#connection.restartIce();
    if (state === 'disconnected') {
      this.#restartTimer = setTimeout(() => this.#connection.restartIce(), restartAfterMs);
    }
  }
}
