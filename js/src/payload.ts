// SPDX-License-Identifier: MIT
import { describe, WdcError } from './error.js';
import { bytesOf } from './host/memory.js';

/** What {@link WasmDataChannel.send} takes: bytes in any shape, or text. */
export type SendData = ArrayBuffer | SharedArrayBuffer | ArrayBufferView | readonly number[] | Blob | string;

/** What {@link WasmDataChannel.send} takes on a framed channel: also a stream of bytes, as one message. */
export type FramedSendData = SendData | ReadableStream<ArrayBuffer | ArrayBufferView>;

/**
 * Bytes over a buffer of their own that is not shared: `Uint8Array<ArrayBuffer>` from TypeScript 5.7 on, `Uint8Array` before,
 * where the type has no parameter.
 */
export type Bytes = ReturnType<Uint8ArrayConstructor['of']>;

/** Bytes as they go to the host, or text. */
export type Payload = ArrayBuffer | SharedArrayBuffer | ArrayBufferView | string;

// Buffers and Blobs of another realm (an iframe's) are no instances of this one's classes.
const tag = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** True for what is sent most, without asking for its tag: that costs a string, half a microsecond a message. */
export const isCommon = (data: unknown): data is ArrayBuffer | ArrayBufferView | string =>
  typeof data === 'string' || ArrayBuffer.isView(data) || data instanceof ArrayBuffer;

/** True for a Blob or File. */
export function isBlob(data: unknown): data is Blob {
  if (isCommon(data) || typeof data !== 'object') return false;
  const name = tag(data);
  return name === 'Blob' || name === 'File';
}

/** True for a ReadableStream. */
export function isStream(data: unknown): data is ReadableStream<unknown> {
  return !isCommon(data) && typeof data === 'object' && tag(data) === 'ReadableStream';
}

/** The payload of everything but a Blob, without a copy where there is a buffer. Throws invalid_argument. */
export function toPayload(data: unknown): Payload {
  if (typeof data === 'string') return data;
  if (ArrayBuffer.isView(data)) return data.byteLength === 0 ? notDetached(data, data.buffer) : data;
  if (Array.isArray(data)) return fromNumbers(data);
  const name = data instanceof ArrayBuffer ? 'ArrayBuffer' : tag(data);
  if (name === 'ArrayBuffer' || name === 'SharedArrayBuffer') {
    const buffer = data as ArrayBuffer | SharedArrayBuffer;
    return buffer.byteLength === 0 ? notDetached(buffer, buffer) : buffer;
  }
  throw new WdcError(
    'invalid_argument',
    `send() takes an ArrayBuffer, a view of one, an array of numbers, a Blob or a string, not ${describe(data)}`,
  );
}

function notDetached<T>(value: T, buffer: ArrayBufferLike): T {
  try {
    new Uint8Array(buffer); // the one thing that tells a detached buffer from an empty one in every browser
    return value;
  } catch (cause) {
    throw new WdcError('invalid_argument', 'the buffer is detached', { cause });
  }
}

function fromNumbers(numbers: readonly unknown[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length);
  for (let index = 0; index < numbers.length; index += 1) {
    const number = numbers[index];
    if (typeof number !== 'number') {
      throw new WdcError('invalid_argument', `element ${index} of the array is ${describe(number)}, not a number`);
    }
    if (!Number.isInteger(number) || number < 0 || number > 255) {
      throw new WdcError('invalid_argument', `element ${index} of the array is ${number}, not an integer from 0 to 255`, {
        value: number, limit: 255,
      });
    }
    bytes[index] = number;
  }
  return bytes;
}

/**
 * A part in a buffer of its own, of what is no user's: slice() of a Node Buffer is a view. In Firefox slice() takes 70 ns for up to 96
 * bytes, which the array itself holds, and 650 for more; a new array 120 and 140.
 */
export function copyOf(bytes: Uint8Array, begin: number, end: number): Bytes {
  if (end - begin <= 96) return bytes.slice(begin, end);
  const copy = new Uint8Array(end - begin);
  copy.set(bytes.subarray(begin, end));
  return copy;
}

/** A copy that nobody else can change. Text is its own. */
export function snapshot(payload: Payload): ArrayBuffer | string {
  if (typeof payload === 'string') return payload;
  const bytes = bytesOf(payload);
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy.buffer;
}

/** Moves the bytes out of their buffer, which is detached; copies what cannot be moved. Throws invalid_argument. */
export function moveOut(payload: Payload): Payload {
  if (typeof payload === 'string') return payload;
  const buffer = ArrayBuffer.isView(payload) ? payload.buffer : payload;
  if (tag(buffer) === 'SharedArrayBuffer') return snapshot(payload);
  const { byteLength } = payload;
  const byteOffset = ArrayBuffer.isView(payload) ? payload.byteOffset : 0;
  let moved: ArrayBuffer;
  try {
    moved = structuredClone(buffer as ArrayBuffer, { transfer: [buffer as ArrayBuffer] });
  } catch (cause) {
    throw new WdcError('invalid_argument', 'the buffer cannot be transferred', { cause });
  }
  return new Uint8Array(moved, byteOffset, byteLength);
}
