// SPDX-License-Identifier: MIT
import type { WdcError } from '../error.js';
import { errorCodes, type ErrorCode } from '../error_codes.js';

/** The last error of an import, until the next one is called: docs/wire/host.md. */
export class LastError {
  value = -1;
  limit = -1;
  detail = '';

  /** Remembers an error and gives it as an import's result. */
  fail(code: ErrorCode, detail = '', value = -1, limit = -1): number {
    this.detail = detail;
    this.value = value;
    this.limit = limit;
    return -errorCodes[code].number;
  }
}

export const numberOf = (code: ErrorCode): number => errorCodes[code].number;

/** What an exception says, for people. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What an error says beyond its code's own sentence, which C++ has, too. */
export const detailOf = ({ code, message }: WdcError): string => {
  const sentence = `${code}: ${errorCodes[code].sentence}`;
  return message.startsWith(sentence) ? message.slice(sentence.length).replace(/^: /, '').trim() : message;
};

/** The name of a DOMException or Error. */
export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
