// SPDX-License-Identifier: MIT
import { errorCodes, type ErrorCode } from './error_codes.js';

/** What a {@link WdcError} may carry besides its code. */
export interface WdcErrorDetails {
  /** What was met, where a number belongs to the error. */
  readonly value?: number | undefined;
  /** What is allowed, where a number belongs to the error. */
  readonly limit?: number | undefined;
  /** The error below this one. */
  readonly cause?: unknown;
}

/**
 * Every error of this package. `code` is stable across versions and the same as in C++ (docs/errors.md); the text is for
 * people and names the numbers.
 */
export class WdcError extends Error {
  /** The stable name, e.g. `'message_too_large'`. */
  readonly code: ErrorCode;
  /** The stable number of {@link code}. */
  readonly number: number;
  /** What was met, e.g. the message's bytes; undefined where no number belongs to the error. */
  readonly value: number | undefined;
  /** What is allowed, e.g. the peer's limit in bytes; undefined where no number belongs to the error. */
  readonly limit: number | undefined;

  /** @param detail more than the code's own sentence says; shown after it. */
  constructor(code: ErrorCode, detail = '', details: WdcErrorDetails = {}) {
    const { value, limit, cause } = details;
    super(sentence(code, detail, value, limit), cause === undefined ? undefined : { cause });
    this.name = 'WdcError';
    this.code = code;
    this.number = errorCodes[code].number;
    this.value = value;
    this.limit = limit;
  }
}

function sentence(code: ErrorCode, detail: string, value?: number, limit?: number): string {
  if (code === 'message_too_large' && value !== undefined && limit !== undefined) {
    return `${code}: message of ${value} bytes exceeds the peer's limit of ${limit} bytes`;
  }
  const numbers = value === undefined || limit === undefined ? '' : ` (${value}, limit ${limit})`;
  return `${code}: ${errorCodes[code].sentence}${detail === '' ? '' : `: ${detail}`}${numbers}`;
}

const names = new Map<number, ErrorCode>(
  (Object.keys(errorCodes) as ErrorCode[]).map((name) => [errorCodes[name].number, name]),
);

/** The code with this number; `transport_error` for one that this version does not know. */
export function codeOf(number: number): ErrorCode {
  return names.get(number) ?? 'transport_error';
}

/** What a value is, for people: `'a Date'`, `'null'`, `'a number'`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  const name = prototype?.constructor?.name;
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `a ${name}` : 'an object';
}
