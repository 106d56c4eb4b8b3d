// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { errorCodes, WdcError } from 'webrtc-data-channel';
import { readTable, stale } from '../scripts/generate-error-codes.mjs';

test('the tables made from error_codes.inc are current', () => {
  assert.deepEqual(stale(), []);
});

test('every code of the C++ table is in the package, by name and number, and no other', () => {
  const table = readTable();
  assert.ok(table.length >= 30);
  const expected = Object.fromEntries(table.map(({ name, number, sentence }) => [name, { number, sentence }]));
  assert.deepEqual({ ...errorCodes }, expected);
});

test('an error says its code, its sentence and its numbers', () => {
  const error = new WdcError('message_too_large', '', { value: 300_000, limit: 262_144 });
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'WdcError');
  assert.equal(error.code, 'message_too_large');
  assert.equal(error.number, 7);
  assert.equal(error.value, 300_000);
  assert.equal(error.limit, 262_144);
  assert.match(error.message, /300000 bytes.*262144 bytes/);
});

test('an error keeps what caused it, and has no cause without one', () => {
  const cause = new TypeError('below');
  assert.equal(new WdcError('transport_error', 'detail', { cause }).cause, cause);
  assert.equal('cause' in new WdcError('closed'), false);
});
