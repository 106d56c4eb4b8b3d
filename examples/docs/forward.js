// SPDX-License-Identifier: MIT
/** Everything that arrives on `from` goes on to `to`, text as text, no faster than `to` takes it; the close, too. */
export const forward = (from, to) => from.readableStream({ text: true }).pipeTo(to.writable);
