// SPDX-License-Identifier: MIT
import { describe, WdcError } from './error.js';

/** How one channel buffers. Purely local: nothing of this is negotiated. */
export interface FlowOptions {
  /**
   * Bytes of unread messages that are kept, 1 to 2^32 - 1; default 16 MiB. A data channel cannot slow its sender down (the
   * W3C's has no receive-side flow control), so this is the bound on memory.
   */
  receiveQueueBytes?: number | undefined;
  /** Unread messages that are kept, 1 to 2^24; default 65,536. */
  receiveQueueMessages?: number | undefined;
  /**
   * What happens to a message that arrives while that queue is full: `'close'` (default) closes the channel, and its
   * reader gets what was queued, then the error `receive_overflow`; `'drop-oldest'` and `'drop-newest'` drop and count.
   */
  receiveOverflow?: 'close' | 'drop-oldest' | 'drop-newest' | undefined;
  /** True: nobody will read; every message that arrives is dropped and counted. Default false. */
  discardReceived?: boolean | undefined;
  /** A send waits while more than this many bytes are buffered below, 1 to 16 MiB; default 1 MiB. */
  sendHighWaterMark?: number | undefined;
  /** Sends that wait go on when the buffer has fallen to this, 0 to sendHighWaterMark; default 256 KiB or a quarter. */
  sendLowWaterMark?: number | undefined;
  /** Sends that may wait at once, 1 to 2^20; default 1,024. One more is `send_queue_full`. */
  sendQueueOperations?: number | undefined;
  /** Milliseconds that close() waits for delivery and for the other side before it aborts, 1 to 2^31 - 1; default 30,000. */
  closeTimeoutMs?: number | undefined;
}

/** Options of {@link WasmDataChannel}. */
export interface ChannelOptions extends FlowOptions {
  /**
   * The connection the channel belongs to. With it the largest message size is known before sending, and a dead peer is
   * noticed (`peer_lost`).
   */
  peerConnection?: RTCPeerConnection | undefined;
  /**
   * Milliseconds that connection may stay `disconnected` before the channel fails with `peer_lost`, 1 to 2^31 - 1; default
   * 10,000. A browser needs up to about 10 s (Chromium 7) to notice silence at all.
   */
  disconnectedTimeoutMs?: number | undefined;
}

/** Default of {@link FlowOptions.sendQueueOperations}; the same number as in include/wdc/options.h. */
export const defaultSendQueueOperations = 1024;

const overflows = ['close', 'drop-oldest', 'drop-newest'];

/** The options as the module's wdc_js_set_flow takes them; below zero is the default. */
export type FlowArguments = [
  receiveQueueBytes: number, receiveQueueMessages: number, receiveOverflow: number, discardReceived: number,
  sendHighWaterMark: number, sendLowWaterMark: number, sendQueueOperations: number, closeTimeoutMs: number,
];

/** Throws invalid_argument for what is no whole number; the ranges are the module's to check. */
export function flowArguments(options: FlowOptions): FlowArguments {
  const overflow = overflows.indexOf(options.receiveOverflow ?? 'close');
  if (overflow < 0) {
    throw new WdcError('invalid_argument', `receiveOverflow is none of ${overflows.join(', ')}`);
  }
  return [
    whole(options, 'receiveQueueBytes'),
    whole(options, 'receiveQueueMessages'),
    overflow,
    options.discardReceived === true ? 1 : 0,
    whole(options, 'sendHighWaterMark'),
    whole(options, 'sendLowWaterMark'),
    whole(options, 'sendQueueOperations'),
    wholeMs(options, 'closeTimeoutMs'),
  ];
}

const largest = 2 ** 32 - 1;
const longest = 2 ** 31 - 1; // a browser's timer takes no more

/** The option as a whole number, or -1 if it is not given. Throws invalid_argument. */
export function whole<Name extends string>(options: Partial<Record<Name, unknown>>, name: Name): number {
  const value = options[name];
  if (value === undefined) return -1;
  if (typeof value !== 'number') {
    throw new WdcError('invalid_argument', `${name} is ${describe(value)}, not a number`);
  }
  if (!Number.isInteger(value) || value < 0 || value > largest) {
    throw new WdcError('invalid_argument', `${name} is not a whole number from 0 to ${largest}`, { value, limit: largest });
  }
  return value;
}

/** As {@link whole}, for milliseconds that a timer takes: from 1 on. */
export function wholeMs<Name extends string>(options: Partial<Record<Name, unknown>>, name: Name): number {
  const value = whole(options, name);
  if (value === 0 || value > longest) {
    throw new WdcError('invalid_argument', `${name} is not a whole number from 1 to ${longest}`, { value, limit: longest });
  }
  return value;
}
