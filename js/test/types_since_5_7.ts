// SPDX-License-Identifier: MIT
// From TypeScript 5.7 on the bytes that readers get are known not to be shared.
import type { Bytes, WasmDataChannel } from 'webrtc-data-channel';

export const bytes = (array: Uint8Array<ArrayBuffer>): Bytes => array;

export async function first(channel: WasmDataChannel): Promise<ArrayBuffer> {
  for await (const message of channel) return message.buffer;
  throw new Error('ended');
}
