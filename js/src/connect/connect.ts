// SPDX-License-Identifier: MIT
import { describe, WdcError } from '../error.js';
import { reasonOf } from '../host/errors.js';
import { currentModule } from '../module.js';
import { whole, wholeMs, type FlowOptions } from '../options.js';
import type { WasmDataChannel } from '../wasm_data_channel.js';
import { Session } from './session.js';

/** Options of {@link connect}. The channel's own (W3C RTCDataChannelInit) must be the same on both sides. */
export interface ConnectOptions extends FlowOptions {
  /** ICE servers and the like, W3C RTCConfiguration. Without ICE servers only members that see each other directly meet. */
  rtcConfiguration?: RTCConfiguration | undefined;
  /** At most 65,535 bytes of UTF-8; default `'data'`. */
  label?: string | undefined;
  /**
   * At most 65,535 bytes of UTF-8; default empty. With `wdc.framed.v1`, or what begins with `wdc.framed.v1+`, on both sides the
   * channel speaks framed mode.
   */
  protocol?: string | undefined;
  /** Default true. */
  ordered?: boolean | undefined;
  /** 0 to 65,535. At most one of this and maxPacketLifeTime. */
  maxRetransmits?: number | undefined;
  /** Milliseconds, 0 to 65,535. */
  maxPacketLifeTime?: number | undefined;
  /** See {@link ChannelOptions.disconnectedTimeoutMs}. */
  disconnectedTimeoutMs?: number | undefined;
  /** Milliseconds to wait for the other member and the connection, 1 to 2^31 - 1; without it there is no limit. */
  timeoutMs?: number | undefined;
  /** Leaves the room; connect() rejects with its reason. Once the channel is there it does nothing more. */
  signal?: AbortSignal | undefined;
}

/**
 * Meets the other member of a room and resolves with an open channel; its `peerConnection` is there, too. Both sides do the
 * same: W3C "perfect negotiation" inside, offers that meet are settled, paths that break are looked for anew. When the channel
 * has closed the connection closes, and the room is left.
 *
 * A path that breaks is looked for anew through the room, so only as long as the server keeps it: a server closes members that
 * are idle, this project's after 30 minutes (`--idle-time`). Later the channel lives on, but a path that breaks then ends it.
 *
 * @param url a signaling server of this project, `ws://` or `wss://`, for example `wss://your.host/ws`; or `broadcast:` for
 * tabs of one origin in one browser, without any server. docs/wire/signaling.md has the frames.
 * @param room 1 to 64 of `[A-Za-z0-9_-]`. A room has two places.
 *
 * Rejects with `invalid_argument`, `timed_out`, `signaling_unreachable`, `signaling_lost`, `signaling_malformed`,
 * `signaling_too_large`, `signaling_refused`, `room_full`, `rate_limited`, `negotiation_failed`, `peer_lost`, `wasm_blocked`,
 * `unsupported` (no WebRTC here), or with the signal's reason.
 */
export async function connect(url: string | URL, room: string, options: ConnectOptions = {}): Promise<WasmDataChannel> {
  options.signal?.throwIfAborted();
  const timeoutMs = check(room, options);
  const { label = 'data', protocol = '', ordered = true, maxRetransmits, maxPacketLifeTime } = options;
  const session = new Session({
    url: String(url),
    room,
    label,
    init: {
      protocol,
      ordered,
      ...(maxRetransmits !== undefined && { maxRetransmits }),
      ...(maxPacketLifeTime !== undefined && { maxPacketLifeTime }),
    },
    configuration: options.rtcConfiguration,
    flow: options,
  });
  const onAbort = () => session.cancel(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort);
  const timer = timeoutMs < 0 ? undefined
    : setTimeout(() => session.cancel(new WdcError('timed_out', `after ${timeoutMs} ms`)), timeoutMs);
  try {
    return await session.channel;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

const longest = 65_535;
const encoder = new TextEncoder();

/** Throws what would otherwise be met only when the other member comes. Gives the timeout. */
function check(room: unknown, options: ConnectOptions): number {
  if (typeof room !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(room)) {
    const what = typeof room === 'string' ? JSON.stringify(room) : describe(room);
    throw new WdcError('invalid_argument', `a room's name is 1 to 64 of [A-Za-z0-9_-], not ${what}`);
  }
  for (const name of ['label', 'protocol'] as const) {
    const value: unknown = options[name] ?? '';
    if (typeof value !== 'string') throw new WdcError('invalid_argument', `${name} is ${describe(value)}, not a string`);
    const size = encoder.encode(value).length;
    if (size > longest) {
      throw new WdcError('invalid_argument', `${name} is too long, in bytes of UTF-8`, { value: size, limit: longest });
    }
  }
  for (const name of ['maxRetransmits', 'maxPacketLifeTime'] as const) {
    const value = whole(options, name);
    if (value > longest) throw new WdcError('invalid_argument', `${name} is too large`, { value, limit: longest });
  }
  if (options.maxRetransmits !== undefined && options.maxPacketLifeTime !== undefined) {
    throw new WdcError('invalid_argument', 'maxRetransmits and maxPacketLifeTime exclude each other');
  }
  const timeoutMs = wholeMs(options, 'timeoutMs');
  if (typeof RTCPeerConnection !== 'function') throw new WdcError('unsupported', 'there is no RTCPeerConnection here');
  checkConnection(options.rtcConfiguration);
  checkFlow(options);
  return timeoutMs;
}

function checkConnection(configuration: RTCConfiguration | undefined): void {
  if (configuration === undefined) return;
  try {
    new RTCPeerConnection(configuration).close();
  } catch (cause) {
    throw new WdcError('invalid_argument', `rtcConfiguration: ${reasonOf(cause)}`, { cause });
  }
}

function checkFlow(options: ConnectOptions): void {
  wholeMs(options, 'disconnectedTimeoutMs');
  const error = currentModule().setFlow(options);
  if (error) throw error;
}
