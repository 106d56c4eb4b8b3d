// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './support/load.mjs';

const { isBlob, moveOut, snapshot, toPayload } = await load('payload.ts');
const { sizeOf } = await load('host/memory.ts');

const bytesOf = (payload) => (ArrayBuffer.isView(payload)
  ? [...new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength)]
  : [...new Uint8Array(payload)]);

test('buffers and views are passed on without a copy', () => {
  const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
  for (const data of [buffer, new Uint8Array(buffer, 2, 3), new DataView(buffer, 1), new Float32Array(buffer),
    new SharedArrayBuffer(4), new ArrayBuffer(0), new Uint8Array(buffer, 4, 0)]) {
    assert.equal(toPayload(data), data);
  }
});

test('an array of numbers becomes bytes', () => {
  assert.deepEqual(bytesOf(toPayload([0, 1, 255])), [0, 1, 255]);
  assert.deepEqual(bytesOf(toPayload([])), []);
});

for (const [what, data, said] of [
  ['a number above 255', [1, 256], /element 1 .* 256/],
  ['a negative number', [-1], /element 0 .* -1/],
  ['a fraction', [1.5], /1\.5/],
  ['NaN', [NaN], /NaN/],
  ['a string in the array', ['1'], /element 0 .* a string/],
  ['a hole', [1, , 3], /element 1 .* undefined/], // eslint-disable-line no-sparse-arrays
  ['a number alone', 7, /a number/],
  ['null', null, /null/],
  ['undefined', undefined, /undefined/],
  ['a bigint', 7n, /a bigint/],
  ['a symbol', Symbol('s'), /a symbol/],
  ['a Date', new Date(0), /a Date/],
  ['a plain object', { length: 1, 0: 1 }, /an object/],
  ['a Set', new Set([1]), /a Set/],
  ['a promise', Promise.resolve(), /a Promise/],
]) {
  test(`${what} is refused and named`, () => {
    assert.throws(() => toPayload(data), { name: 'WdcError', code: 'invalid_argument', message: said });
  });
}

test('a detached buffer is refused, an empty one is not', () => {
  const buffer = new ArrayBuffer(4);
  const view = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  assert.throws(() => toPayload(buffer), { code: 'invalid_argument', message: /detached/ });
  assert.throws(() => toPayload(view), { code: 'invalid_argument', message: /detached/ });
  assert.equal(toPayload(new ArrayBuffer(0)).byteLength, 0);
});

test('Blobs and Files are told from everything else', () => {
  assert.ok(isBlob(new Blob(['x'])));
  for (const data of ['Blob', null, undefined, [], new Uint8Array(1), { arrayBuffer() {} }]) assert.ok(!isBlob(data));
});

test('a snapshot holds the bytes of its moment, from the offset of the view', () => {
  for (const buffer of [new ArrayBuffer(8), new SharedArrayBuffer(8)]) {
    const whole = new Uint8Array(buffer);
    whole.set([1, 2, 3, 4, 5, 6, 7, 8]);
    const copies = [snapshot(buffer), snapshot(whole.subarray(2, 4)), snapshot(new DataView(buffer, 6))];
    whole.fill(0);
    assert.deepEqual(copies.map(bytesOf), [[1, 2, 3, 4, 5, 6, 7, 8], [3, 4], [7, 8]]);
    for (const copy of copies) assert.ok(copy instanceof ArrayBuffer);
  }
});

test('moving out detaches the buffer and keeps the view', () => {
  const whole = new Uint8Array([1, 2, 3, 4]);
  const moved = moveOut(whole.subarray(1, 3));
  assert.equal(whole.length, 0);
  assert.deepEqual(bytesOf(moved), [2, 3]);
});

test('a shared buffer is copied where others are moved', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(2));
  shared.set([8, 9]);
  const copy = moveOut(shared);
  shared.fill(0);
  assert.deepEqual(bytesOf(copy), [8, 9]);
});

test('the size of text is that of its UTF-8', () => {
  const encoder = new TextEncoder();
  for (const text of ['', 'a', 'a\0b', 'é', '€', '😀', '\ud83d', '\ude00', '\ude00\ud83d', 'a\ud83d', '\ud83d\ud83d\ude00', 'naïve €😀!']) {
    assert.equal(sizeOf(text), encoder.encode(text).length, JSON.stringify(text));
  }
});
