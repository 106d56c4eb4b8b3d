// SPDX-License-Identifier: MIT
import { WdcError } from '../error.js';
import type { Ledger } from '../host/ledger.js';
import { defaultMaxFrameBytes, errorOf, parseFrame, writeFrame, type Frame } from './frame.js';
import type { Pipe, PipeListener } from './pipe.js';

// `close` follows `error`, but not in Chromium when the page's Content-Security-Policy forbids the URL.
const eventTypes = ['message', 'error', 'close'] as const;

/** Close codes by the names of their error frames: docs/wire/signaling.md. */
const closeCodes: Readonly<Record<number, string>> = {
  4001: 'malformed', 4002: 'too_large', 4003: 'bad_room', 4004: 'unsupported_version', 4010: 'room_full',
  4011: 'too_many_rooms', 4012: 'rate_limited', 4013: 'slow_reader', 4014: 'idle',
};

/** A place in a room of the signaling server. */
export class WebSocketPipe implements Pipe, EventListenerObject {
  readonly #socket: WebSocket;
  readonly #events: PipeListener;
  readonly #ledger: Ledger;
  #maxFrameBytes = defaultMaxFrameBytes;
  #isIn = false;
  #saidBye = false;
  #over = false;

  constructor(url: string, events: PipeListener, ledger: Ledger) {
    this.#events = events;
    this.#ledger = ledger;
    this.#socket = new WebSocket(url);
    ledger.listen(this.#socket, eventTypes, this);
  }

  sendDescription(to: string, { type, sdp }: RTCSessionDescriptionInit): void {
    this.#send({ type: 'description', to, description: sdp === undefined ? { type } : { type, sdp } });
  }

  sendCandidate(to: string, candidate: RTCIceCandidateInit | null): void {
    this.#send({ type: 'candidate', to, candidate });
  }

  sendBye(): void {
    this.#send({ type: 'bye' });
    this.#saidBye = true;
  }

  close(): void {
    if (this.#over) return;
    this.sendBye();
    this.#stop();
  }

  handleEvent(event: Event): void {
    if (event.type === 'message') this.#received((event as MessageEvent<unknown>).data);
    else this.#closed(event.type === 'error' ? 1006 : (event as CloseEvent).code);
  }

  #send(frame: Frame): void {
    if (this.#over || this.#saidBye || this.#socket.readyState !== WebSocket.OPEN) return;
    try {
      this.#socket.send(writeFrame(frame, this.#maxFrameBytes));
    } catch (error) {
      queueMicrotask(() => this.#end(error as WdcError)); // never from inside a call
    }
  }

  #received(data: unknown): void {
    const frame = parseFrame(data);
    if (typeof frame === 'string') this.#end(new WdcError('signaling_malformed', frame));
    else this.#tell(frame);
  }

  #tell(frame: Frame): void {
    const events = this.#events;
    const { from } = frame;
    switch (frame.type) {
      case 'welcome':
        this.#isIn = true;
        this.#maxFrameBytes = frame.maxMessageBytes ?? defaultMaxFrameBytes;
        events.welcome(frame.polite, frame.peers[0], frame.you);
        break;
      case 'joined':
        events.joined(frame.peer);
        break;
      case 'left':
        events.left(frame.peer);
        break;
      case 'description':
        if (from !== undefined) events.description(from, frame.description);
        break;
      case 'candidate':
        if (from !== undefined) events.candidate(from, frame.candidate);
        break;
      case 'bye':
        if (from !== undefined) events.bye(from);
        break;
      case 'error':
        this.#end(errorOf(frame.code, frame.message));
        break;
      case 'hello': // only between tabs
        break;
    }
  }

  #closed(code: number): void {
    const name = closeCodes[code];
    if (name !== undefined) this.#end(errorOf(name, ''));
    else if (code >= 4000 && code < 4100) this.#end(new WdcError('signaling_refused', `close code ${code}`));
    else this.#end(new WdcError(this.#isIn ? 'signaling_lost' : 'signaling_unreachable', `close code ${code}`));
  }

  #stop(): void {
    this.#over = true;
    this.#ledger.unlisten(this.#socket, eventTypes, this);
    this.#socket.close(); // after what was sent
  }

  #end(error: WdcError): void {
    if (this.#over) return;
    this.#stop();
    this.#events.closed(error);
  }
}
