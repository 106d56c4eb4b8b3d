// SPDX-License-Identifier: MIT
import { WdcError } from '../error.js';
import type { ErrorCode } from '../error_codes.js';
import { utf8Length } from '../host/memory.js';

/** The largest frame unless the server says otherwise, in bytes of UTF-8: docs/wire/signaling.md. */
export const defaultMaxFrameBytes = 65_536;

/** Frames of docs/wire/signaling.md, as far as a client sends or hears them. */
export type Frame = { readonly from?: string; readonly to?: string } & (
  | { readonly type: 'hello'; readonly version: number }
  | {
      readonly type: 'welcome'; readonly version: number; readonly you: string; readonly polite: boolean;
      readonly peers: readonly string[]; readonly maxMessageBytes?: number;
    }
  | { readonly type: 'joined' | 'left'; readonly peer: string }
  | { readonly type: 'description'; readonly description: RTCSessionDescriptionInit }
  | { readonly type: 'candidate'; readonly candidate: RTCIceCandidateInit | null }
  | { readonly type: 'bye' }
  | { readonly type: 'error'; readonly code: string; readonly message: string }
);

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isId = (value: unknown): value is string => isText(value) && /^[A-Za-z0-9_-]{1,64}$/.test(value);
const isOptional = (value: unknown, is: (value: unknown) => boolean): boolean => value === undefined || is(value);
const isNullable = (value: unknown, is: (value: unknown) => boolean): boolean => value === null || isOptional(value, is);

const isDescription = (value: unknown): boolean =>
  isObject(value) && isText(value['type']) && ['offer', 'answer', 'pranswer', 'rollback'].includes(value['type'])
  && (isText(value['sdp']) || (value['type'] === 'rollback' && value['sdp'] === undefined));

const isCandidate = (value: unknown): boolean =>
  value === null || (isObject(value) && isText(value['candidate']) && isNullable(value['sdpMid'], isText)
    && isNullable(value['sdpMLineIndex'], Number.isInteger) && isNullable(value['usernameFragment'], isText));

/** By type: are the fields that this client relies on there, and of their types? */
const checks: Readonly<Record<Frame['type'], (fields: Fields) => boolean>> = {
  hello: ({ version }) => Number.isInteger(version),
  welcome: ({ version, you, polite, peers, maxMessageBytes }) =>
    Number.isInteger(version) && isId(you) && typeof polite === 'boolean' && Array.isArray(peers) && peers.every(isId)
    && isOptional(maxMessageBytes, (value) => Number.isInteger(value) && (value as number) > 0),
  joined: ({ peer }) => isId(peer),
  left: ({ peer }) => isId(peer),
  description: ({ description }) => isDescription(description),
  candidate: ({ candidate }) => isCandidate(candidate),
  bye: () => true,
  error: ({ code, message }) => isText(code) && isText(message),
};

/** The frame in a text, or why it is none. An unknown type is no frame either: version 1 has no others. */
export function parseFrame(text: unknown): Frame | string {
  if (!isText(text)) return 'a frame that is not text';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'a frame that is not JSON';
  }
  if (!isObject(value) || !isText(value['type'])) return 'a frame without a type';
  const { type } = value;
  if (!Object.hasOwn(checks, type)) return `a frame of the unknown type ${JSON.stringify(type.slice(0, 64))}`;
  const complete = checks[type as Frame['type']](value) && isOptional(value['from'], isId) && isOptional(value['to'], isId);
  return complete ? (value as unknown as Frame) : `a ${type} frame with a field that is missing or of the wrong type`;
}

/** The text of a frame. Throws signaling_too_large. */
export function writeFrame(frame: Frame, maxBytes: number): string {
  const text = JSON.stringify(frame);
  const size = utf8Length(text);
  if (size > maxBytes) {
    throw new WdcError('signaling_too_large', `a ${frame.type} frame in bytes`, { value: size, limit: maxBytes });
  }
  return text;
}

const codes: Readonly<Record<string, ErrorCode>> = {
  malformed: 'signaling_malformed',
  too_large: 'signaling_too_large',
  bad_room: 'invalid_argument',
  unsupported_version: 'unsupported',
  room_full: 'room_full',
  rate_limited: 'rate_limited',
  slow_reader: 'signaling_lost',
};

/** What an error frame means here. */
export const errorOf = (code: string, message: string): WdcError =>
  new WdcError(Object.hasOwn(codes, code) ? (codes[code] ?? 'signaling_refused') : 'signaling_refused', message);
