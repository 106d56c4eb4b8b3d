// SPDX-License-Identifier: MIT
import { WdcError } from '../error.js';
import type { Ledger } from '../host/ledger.js';
import { BroadcastPipe } from './broadcast_pipe.js';
import { WebSocketPipe } from './web_socket_pipe.js';

/** What a member of a room hears. Never from inside a call of the pipe's. */
export interface PipeListener {
  /** This member holds a place; the first event. `peer`: the other member, if it is there already. */
  welcome(polite: boolean, peer: string | undefined, you: string): void;
  joined(peer: string): void;
  left(peer: string): void;
  description(from: string, description: RTCSessionDescriptionInit): void;
  /** null: no more candidates. */
  candidate(from: string, candidate: RTCIceCandidateInit | null): void;
  /** `left` follows. */
  bye(from: string): void;
  /** The end, unless close() was called: signaling_unreachable, signaling_lost, or what was refused. Nothing follows. */
  closed(error: WdcError): void;
}

/** A place in a room, docs/wire/signaling.md. */
export interface Pipe {
  sendDescription(to: string, description: RTCSessionDescriptionInit): void;
  sendCandidate(to: string, candidate: RTCIceCandidateInit | null): void;
  /** Leaves on purpose: nothing is sent afterwards. */
  sendBye(): void;
  /** Leaves, with a bye if it was not said. No event follows. */
  close(): void;
}

/**
 * The carrier for `url`: WebSocket or BroadcastChannel. Throws WdcError invalid_argument, unsupported.
 * @param ledger counts what is attached to the page.
 */
export function openPipe(url: string, room: string, events: PipeListener, ledger: Ledger): Pipe {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(room)) {
    throw new WdcError('invalid_argument', `a room's name is 1 to 64 of [A-Za-z0-9_-], not ${JSON.stringify(room)}`);
  }
  if (url === 'broadcast:') {
    if (typeof BroadcastChannel !== 'function') throw new WdcError('unsupported', 'there is no BroadcastChannel here');
    return new BroadcastPipe(room, events, ledger);
  }
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw new WdcError('invalid_argument', `${JSON.stringify(url)} is no URL`, { cause });
  }
  if (parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:') {
    throw new WdcError('invalid_argument', `the URL is to begin with ws:, wss: or broadcast:, not ${parsed.protocol}`);
  }
  if (typeof WebSocket !== 'function') throw new WdcError('unsupported', 'there is no WebSocket here');
  parsed.searchParams.set('room', room);
  parsed.searchParams.set('version', '1');
  parsed.hash = '';
  return new WebSocketPipe(parsed.href, events, ledger);
}
