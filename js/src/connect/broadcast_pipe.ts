// SPDX-License-Identifier: MIT
import { WdcError } from '../error.js';
import type { Ledger, Timer } from '../host/ledger.js';
import { defaultMaxFrameBytes, errorOf, parseFrame, writeFrame, type Frame } from './frame.js';
import type { Pipe, PipeListener } from './pipe.js';

/** docs/wire/signaling.md: how often who is alone says so, and how long an invitation stands. */
const helloEveryMs = 1_000;

const hasPage = typeof globalThis.addEventListener === 'function';

type State = { name: 'alone' } | { name: 'inviting' | 'paired'; peer: string } | { name: 'closed' };

/** A place in a room that the tabs of one origin keep among themselves: docs/wire/signaling.md, "Between tabs". */
export class BroadcastPipe implements Pipe, EventListenerObject {
  readonly #me = newId();
  readonly #channel: BroadcastChannel;
  readonly #events: PipeListener;
  readonly #ledger: Ledger;
  #state: State = { name: 'alone' };
  #timer: Timer | undefined;

  constructor(room: string, events: PipeListener, ledger: Ledger) {
    this.#events = events;
    this.#ledger = ledger;
    this.#channel = new BroadcastChannel(`wdc-signaling-v1:${room}`);
    ledger.listen(this.#channel, ['message'], this);
    if (hasPage) ledger.listen(globalThis as unknown as EventTarget, ['pagehide'], this);
    this.#beAlone();
  }

  sendDescription(to: string, { type, sdp }: RTCSessionDescriptionInit): void {
    if (this.#isPeer(to)) this.#send({ type: 'description', to, description: sdp === undefined ? { type } : { type, sdp } });
  }

  sendCandidate(to: string, candidate: RTCIceCandidateInit | null): void {
    if (this.#isPeer(to)) this.#send({ type: 'candidate', to, candidate });
  }

  sendBye(): void {
    this.close(); // who has left has nothing more to hear
  }

  close(): void {
    if (this.#state.name === 'closed') return;
    this.#send(this.#state.name === 'alone' ? { type: 'bye' } : { type: 'bye', to: this.#state.peer });
    this.#stop();
  }

  handleEvent(event: Event): void {
    if (event.type === 'pagehide') this.close();
    else this.#received((event as MessageEvent<unknown>).data);
  }

  #stop(): void {
    this.#state = { name: 'closed' };
    this.#setTimer();
    this.#ledger.unlisten(this.#channel, ['message'], this);
    if (hasPage) this.#ledger.unlisten(globalThis as unknown as EventTarget, ['pagehide'], this);
    this.#channel.close();
  }

  #setTimer(run?: () => void): void {
    if (this.#timer !== undefined) this.#ledger.clearTimer(this.#timer);
    this.#timer = undefined;
    if (run === undefined) return;
    this.#timer = this.#ledger.setTimer(() => {
      this.#timer = undefined;
      run();
    }, helloEveryMs);
  }

  #isPeer(id: string | undefined): id is string {
    return this.#state.name === 'paired' && this.#state.peer === id;
  }

  #send(frame: Frame): void {
    try {
      this.#channel.postMessage(writeFrame({ ...frame, from: this.#me }, defaultMaxFrameBytes));
    } catch (error) {
      queueMicrotask(() => this.#fail(error as WdcError)); // never from inside a call
    }
  }

  #beAlone(): void {
    this.#state = { name: 'alone' };
    this.#setTimer(() => this.#beAlone());
    this.#send({ type: 'hello', version: 1 });
  }

  #welcome(to: string): void {
    this.#send({
      type: 'welcome', version: 1, to, you: to, polite: to > this.#me, peers: [this.#me],
      maxMessageBytes: defaultMaxFrameBytes,
    });
  }

  #pair(peer: string): void {
    this.#state = { name: 'paired', peer };
    this.#setTimer();
    this.#events.welcome(this.#me > peer, undefined, this.#me);
    this.#events.joined(peer);
  }

  #fail(error: WdcError): void {
    if (this.#state.name === 'closed') return;
    this.#stop();
    this.#events.closed(error);
  }

  #received(data: unknown): void {
    const frame = parseFrame(data);
    if (typeof frame === 'string') return; // pages of this origin only: what another version may say
    const { from, to } = frame;
    if (from === undefined || from === this.#me) return;
    const forAll = frame.type === 'hello' || frame.type === 'bye';
    if (to === this.#me || (to === undefined && forAll)) this.#handle(frame, from);
  }

  // The table of docs/wire/signaling.md, row by row of states.
  #handle(frame: Frame, from: string): void {
    if (frame.type === 'hello' && frame.version !== 1) {
      this.#send({ type: 'error', to: from, code: 'unsupported_version', message: 'this tab speaks version 1' });
      return;
    }
    switch (this.#state.name) {
      case 'alone':
        this.#whileAlone(frame, from);
        break;
      case 'inviting':
        this.#whileInviting(frame, from, this.#state.peer);
        break;
      case 'paired':
        this.#whilePaired(frame, from);
        break;
      case 'closed':
        break;
    }
  }

  #whileAlone(frame: Frame, from: string): void {
    switch (frame.type) {
      case 'hello':
        if (from > this.#me) this.#invite(from);
        else if (frame.to === undefined) this.#send({ type: 'hello', version: 1, to: from });
        break;
      case 'welcome':
        if (from < this.#me) this.#welcome(from);
        this.#pair(from);
        break;
      case 'error':
        this.#fail(errorOf(frame.code, frame.message));
        break;
      default:
        break;
    }
  }

  #invite(peer: string): void {
    this.#welcome(peer);
    this.#state = { name: 'inviting', peer };
    this.#setTimer(() => this.#beAlone());
  }

  #whileInviting(frame: Frame, from: string, invited: string): void {
    switch (frame.type) {
      case 'welcome':
        if (from === invited) this.#pair(from);
        else this.#refuse(from);
        break;
      case 'error':
        if (from === invited) this.#fail(errorOf(frame.code, frame.message));
        break;
      case 'bye':
        if (from === invited) this.#beAlone();
        break;
      default:
        break;
    }
  }

  #whilePaired(frame: Frame, from: string): void {
    const isPeer = this.#isPeer(from);
    switch (frame.type) {
      case 'hello':
        if (!isPeer && frame.to === undefined) this.#refuse(from);
        break;
      case 'welcome':
        if (!isPeer) this.#refuse(from);
        break;
      case 'error':
        if (isPeer) this.#fail(errorOf(frame.code, frame.message));
        break;
      case 'description':
        if (isPeer) this.#events.description(from, frame.description);
        break;
      case 'candidate':
        if (isPeer) this.#events.candidate(from, frame.candidate);
        break;
      case 'bye':
        if (!isPeer) break;
        this.#beAlone();
        this.#events.bye(from);
        this.#events.left(from);
        break;
      default:
        break;
    }
  }

  #refuse(to: string): void {
    this.#send({ type: 'error', to, code: 'room_full', message: 'two tabs are in this room already' });
  }
}

/** 128 random bits as 32 lower-case hexadecimal digits. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
