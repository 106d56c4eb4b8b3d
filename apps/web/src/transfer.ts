// SPDX-License-Identifier: MIT
import type { Direction } from './app_module.js';
import type { FileSink } from './file_sink.js';
import type { FileSource } from './file_source.js';
import { RateMeter } from './rate_meter.js';

/**
 * outgoing: queued -> offering -> active -> done
 * incoming: offered -> active -> done
 * any but done may become failed
 */
export type TransferState = 'queued' | 'offering' | 'offered' | 'active' | 'done' | 'failed';

/** One file on its way, or one that was. */
export interface Transfer {
  readonly direction: Direction;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  state: TransferState;
  bytes: number;
  meter: RateMeter;
  /** When it ended whole. */
  sha256?: string;
  /** When it failed: `code: what happened`. */
  error?: string;
  /** Outgoing: what is sent, kept so that it can be sent again. */
  file?: File;
  source?: FileSource;
  /** Incoming: from accept on. */
  sink?: FileSink;
  /** Incoming and done: a blob URL, or saved to disk already. */
  download?: string;
  savedToDisk?: boolean;
}

export const hasEnded = (transfer: Transfer): boolean => transfer.state === 'done' || transfer.state === 'failed';

export function outgoingTransfer(file: File): Transfer {
  return {
    direction: 'outgoing', name: file.name, type: file.type, size: file.size, state: 'queued', bytes: 0,
    meter: new RateMeter(performance.now()), file,
  };
}

export function incomingTransfer(name: string, type: string, size: number): Transfer {
  return {
    direction: 'incoming', name, type, size, state: 'offered', bytes: 0, meter: new RateMeter(performance.now()),
  };
}
