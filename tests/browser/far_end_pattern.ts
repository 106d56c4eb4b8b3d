// SPDX-License-Identifier: MIT
//
// What messages hold: a function of a seed and of the message's index (tests/conformance/README.md).

/** The words of one binary message, little-endian. */
function words(count: number, seed: number, index: number): Uint32Array {
  const result = new Uint32Array(count);
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index, 0x85ebca77)) | 0;
  if (state === 0) state = 1;
  result[0] = index ^ seed;
  for (let at = 1; at < count; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    result[at] = state;
  }
  return result;
}

export function patternBytes(size: number, seed: number, index: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(words(Math.ceil(size / 4), seed, index).buffer as ArrayBuffer, 0, size);
}

export function hasPattern(data: ArrayBuffer, seed: number, index: number): boolean {
  const expected = words(Math.ceil(data.byteLength / 4), seed, index);
  const whole = data.byteLength >>> 2;
  const actual = new Uint32Array(data, 0, whole);
  for (let at = 0; at < whole; at += 1) if (actual[at] !== expected[at]) return false;
  const tail = new Uint8Array(data, whole * 4);
  const expectedTail = new Uint8Array(expected.buffer, whole * 4);
  return tail.every((byte, at) => byte === expectedTail[at]);
}

/** Which message of its stream it is; at least 4 bytes. */
export const patternIndex = (data: ArrayBuffer, seed: number): number =>
  (new DataView(data).getUint32(0, true) ^ seed) >>> 0;

const turn = ['a', '\0', '\u00e9', '\u20ac', '\u{1F600}'] as const;
const turnBytes = [1, 1, 2, 3, 4] as const;

/** Text of exactly `size` bytes of UTF-8. */
export function patternText(size: number, seed: number, index: number): string {
  const parts: string[] = [];
  let left = size;
  for (let at = ((seed >>> 0) + index) % 2 ** 32; left > 0; at = (at + 1) % 2 ** 32) {
    const next = at % 5;
    const bytes = turnBytes[next] ?? 1;
    parts.push(bytes <= left ? (turn[next] ?? '') : 'z');
    left -= bytes <= left ? bytes : 1;
  }
  return parts.join('');
}
