// SPDX-License-Identifier: MIT
import { describe, WdcError } from './error.js';

/**
 * What a channel does that speaks framed mode: one whose protocol is `wdc.framed.v1`, or starts with `wdc.framed.v1+`. Other
 * channels ignore it. docs/framed.md.
 */
export interface FramedOptions {
  /** Credit in bytes for messages that fit a frame, 146 to 2^32 - 1; default 4 MiB. Takes the place of receiveQueueBytes. */
  window?: number | undefined;
  /** Credit that each larger message starts with, 146 to 2^32 - 1; default 272 KiB, in which one of 256 KiB fits. */
  messageWindow?: number | undefined;
  /** Credit of a message that is read in parts, 146 to 2^32 - 1; default 4 MiB. */
  readWindow?: number | undefined;
  /** Larger messages under way or unread at a time, 1 to 256; default 16. */
  messagesInProgress?: number | undefined;
  /**
   * Bytes of the largest message that is given out whole, up to 2^40; default 256 MiB. The other side's sends of larger ones
   * from memory fail with `message_too_large`. What is read in parts, or sent from a stream or a Blob, may have any size.
   */
  maxMessageSize?: number | undefined;
  /**
   * Credit that larger messages for a reader of whole ones may have together beyond messageWindow, up to 2^40; default 4 MiB. The
   * oldest may have more: it can always be completed.
   */
  wholeTotal?: number | undefined;
  /** Bytes of the largest frame to send, 256 to 2^20; default 65,568, for which a message of 64 KiB fits one. */
  frameSize?: number | undefined;
  /**
   * In which order a reader of whole messages gets them: `'starts'` (default), that of the sends, in which a small message waits
   * for a large one before it; or `'completions'`, in which it passes.
   */
  order?: 'starts' | 'completions' | undefined;
  /**
   * What happens to a send when sendQueueOperations wait already: `'refuse'` (default) fails it with `send_queue_full`;
   * `'drop-oldest'` fails the oldest of which nothing was sent with `superseded`.
   */
  sendOverflow?: 'refuse' | 'drop-oldest' | undefined;
  /** Needed for a channel that is unordered, or gives up retransmitting: there only messages that fit a frame work. */
  batchesOnly?: boolean | undefined;
}

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
  /** For channels that speak framed mode. */
  framed?: FramedOptions | undefined;
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
   * 10,000. A browser needs 4 to 12 s (Firefox) or about 7 s (Chromium) to notice silence at all.
   */
  disconnectedTimeoutMs?: number | undefined;
}

/** Default of {@link FlowOptions.sendQueueOperations}; the same number as in include/wdc/options.h. */
export const defaultSendQueueOperations = 1024;

const overflows = ['close', 'drop-oldest', 'drop-newest'];
const orders = ['starts', 'completions'];
const sendOverflows = ['refuse', 'drop-oldest'];

/** The options as the module's wdc_js_set_flow takes them; below zero is the default. */
export type FlowArguments = [
  receiveQueueBytes: number, receiveQueueMessages: number, receiveOverflow: number, discardReceived: number,
  sendHighWaterMark: number, sendLowWaterMark: number, sendQueueOperations: number, closeTimeoutMs: number,
];

/** The framed options as the module's wdc_js_set_framed takes them; below zero is the default. */
export type FramedArguments = [
  window: number, messageWindow: number, readWindow: number, messagesInProgress: number, maxMessageSize: number,
  wholeTotal: number, frameSize: number, order: number, sendOverflow: number, batchesOnly: number,
];

/** Throws invalid_argument for what is no whole number; the ranges are the module's to check. */
export function flowArguments(options: FlowOptions): FlowArguments {
  return [
    whole(options, 'receiveQueueBytes'),
    whole(options, 'receiveQueueMessages'),
    placeOf(options.receiveOverflow ?? 'close', overflows, 'receiveOverflow'),
    options.discardReceived === true ? 1 : 0,
    whole(options, 'sendHighWaterMark'),
    whole(options, 'sendLowWaterMark'),
    whole(options, 'sendQueueOperations'),
    wholeMs(options, 'closeTimeoutMs'),
  ];
}

/** The same for the framed options; undefined if there are none. */
export function framedArguments({ framed }: FlowOptions): FramedArguments | undefined {
  if (framed === undefined) return undefined;
  if (framed !== Object(framed)) {
    throw new WdcError('invalid_argument', `framed is ${describe(framed)}, not an object`);
  }
  return [
    whole(framed, 'window'),
    whole(framed, 'messageWindow'),
    whole(framed, 'readWindow'),
    whole(framed, 'messagesInProgress'),
    whole(framed, 'maxMessageSize', largestMessage),
    whole(framed, 'wholeTotal', largestMessage),
    whole(framed, 'frameSize'),
    placeOf(framed.order ?? 'starts', orders, 'framed.order'),
    placeOf(framed.sendOverflow ?? 'refuse', sendOverflows, 'framed.sendOverflow'),
    framed.batchesOnly === true ? 1 : 0,
  ];
}

/** Throws invalid_argument. */
export function placeOf(value: string, values: readonly string[], name: string): number {
  const place = values.indexOf(value);
  if (place < 0) throw new WdcError('invalid_argument', `${name} is none of ${values.join(', ')}`);
  return place;
}

const largest = 2 ** 32 - 1;
const largestMessage = 2 ** 40;
const longest = 2 ** 31 - 1; // a browser's timer takes no more

/** The option as a whole number, or -1 if it is not given. Throws invalid_argument. */
export function whole<Name extends string>(options: Partial<Record<Name, unknown>>, name: Name, limit = largest): number {
  const value = options[name];
  if (value === undefined) return -1;
  if (typeof value !== 'number') {
    throw new WdcError('invalid_argument', `${name} is ${describe(value)}, not a number`);
  }
  if (!Number.isInteger(value) || value < 0 || value > limit) {
    throw new WdcError('invalid_argument', `${name} is not a whole number from 0 to ${limit}`, { value, limit });
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
