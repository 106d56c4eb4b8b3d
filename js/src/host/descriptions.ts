// SPDX-License-Identifier: MIT
import type { Memory } from './memory.js';

/** RTCSdpType by its number in the ABI. */
export const sdpTypes = ['offer', 'pranswer', 'answer', 'rollback'] as const;

/** A range of linear memory as text; null if it is absent (length -1) or, as no SDP can be, not UTF-8. */
export const optionalText = (memory: Memory, pointer: number, length: number): string | null =>
  length === -1 ? null : (memory.text(pointer, length) ?? null);

/** The description that C++ wrote there. */
export function descriptionAt(memory: Memory, type: number, pointer: number, length: number): RTCSessionDescriptionInit {
  return { type: sdpTypes[type] ?? 'offer', sdp: memory.text(pointer, length) ?? '' };
}

/** The candidate that C++ wrote there, or null for "no more". The order of the arguments is the ABI's. */
export function candidateAt(
  memory: Memory, pointer: number, length: number, midPointer: number, midLength: number, line: number,
  fragmentPointer: number, fragmentLength: number,
): RTCIceCandidateInit | null {
  const candidate = memory.text(pointer, length) ?? '';
  const sdpMid = optionalText(memory, midPointer, midLength);
  const sdpMLineIndex = line === -1 ? null : line;
  if (candidate === '' && sdpMid === null && sdpMLineIndex === null) return null;
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment: optionalText(memory, fragmentPointer, fragmentLength) };
}
