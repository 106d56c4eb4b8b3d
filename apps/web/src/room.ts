// SPDX-License-Identifier: MIT

// Without the letters that are taken for one another. 32 of them: five random bits each, none more likely than another.
const letters = 'abcdefghjkmnpqrstuvwxyz23456789_';

/** 80 random bits: nobody meets in it by chance, or by trying. */
export function newRoom(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => letters[byte % letters.length]).join('');
}

export const isRoom = (name: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(name);

/** Where the server of this page relays, docs/wire/signaling.md. */
export function signalingUrl(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
}
