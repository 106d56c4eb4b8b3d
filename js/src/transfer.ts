// SPDX-License-Identifier: MIT
import { ConnectionFeed, ConnectionMirror, type ConnectionState } from './connection_mirror.js';
import { describe, WdcError } from './error.js';
import { wrapped } from './host/channels.js';
import type { ChannelOptions } from './options.js';
import { WasmDataChannel } from './wasm_data_channel.js';

/** Options of {@link transferTo}. */
export interface TransferOptions {
  /**
   * The connection the channel belongs to, which stays in the page. With it the channel in the worker knows the largest
   * message, and notices a dead peer.
   */
  peerConnection?: RTCPeerConnection | undefined;
}

/** A dedicated worker, or a MessagePort that leads to one. */
export interface TransferTarget {
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** What travels to the worker. */
interface Parcel {
  readonly kind: typeof kind;
  readonly channel: RTCDataChannel;
  readonly connection: { port: MessagePort; state: ConnectionState } | undefined;
}

const kind = 'webrtc-data-channel.transfer';

/**
 * Hands a channel over to a worker, which takes it with {@link receiveChannel}; nothing that arrives meanwhile is lost.
 * Browsers allow that only in the turn of `createDataChannel()` or of the `datachannel` event, before any `send()`. The
 * RTCDataChannel here is of no use afterwards.
 *
 * @throws WdcError `invalid_state` (too late, or this browser cannot: the channel stays usable here), `already_wrapped`,
 * `invalid_argument`. W3C webrtc-extensions, "RTCDataChannel transferable".
 */
export function transferTo(worker: TransferTarget, channel: RTCDataChannel, options: TransferOptions = {}): void {
  if (Object.prototype.toString.call(channel) !== '[object RTCDataChannel]') {
    throw new WdcError('invalid_argument', `transferTo() takes an RTCDataChannel, not ${describe(channel)}`);
  }
  if (typeof (worker as Partial<TransferTarget> | null)?.postMessage !== 'function') {
    throw new WdcError('invalid_argument', `transferTo() takes a Worker or a MessagePort, not ${describe(worker)}`);
  }
  if (wrapped.has(channel)) throw new WdcError('already_wrapped', 'hand the RTCDataChannel over first, and wrap it in the worker');
  const { peerConnection } = options;
  const feed = peerConnection && new ConnectionFeed(peerConnection);
  const connection = feed && { port: feed.remotePort, state: feed.state() };
  const parcel: Parcel = { kind, channel, connection };
  try {
    // The channel first: if it is refused, the port has not gone either.
    const transfer: Transferable[] = [channel as unknown as Transferable];
    if (connection) transfer.push(connection.port);
    worker.postMessage(parcel, transfer);
  } catch (cause) {
    feed?.stop();
    throw new WdcError(
      'invalid_state',
      'a channel can be handed to a worker only in the turn of createDataChannel() or of its datachannel event, once,'
        + ' before any send(), and by a browser that can (Chromium 130, Firefox 144)',
      { cause },
    );
  }
}

/**
 * In the worker: the channel of a `message` event, wrapped; undefined if the event brings something else. To be called from
 * inside the event's handler: what arrives before the channel is wrapped is lost.
 *
 * @throws WdcError as the constructor of {@link WasmDataChannel}.
 */
export function receiveChannel(
  event: MessageEvent, options: Omit<ChannelOptions, 'peerConnection'> = {},
): WasmDataChannel | undefined {
  const parcel = event.data as Partial<Parcel> | null | undefined;
  if (parcel?.kind !== kind || parcel.channel === undefined) return undefined;
  const mirror = parcel.connection && new ConnectionMirror(parcel.connection.port, parcel.connection.state);
  try {
    const channel = new WasmDataChannel(parcel.channel, { ...options, peerConnection: mirror as RTCPeerConnection | undefined });
    const done = (): void => mirror?.stop();
    channel.closed.then(done, done);
    return channel;
  } catch (error) {
    mirror?.stop();
    throw error;
  }
}
