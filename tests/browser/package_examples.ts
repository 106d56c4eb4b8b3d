// SPDX-License-Identifier: MIT
//
// The examples of docs/closing.md and docs/buffers.md, as they stand there; package_page.ts runs them with the others.
import { leave } from '../../examples/docs/close.js';
import { readToEnd } from '../../examples/docs/read_to_end.js';
import { give, sendNumbers } from '../../examples/docs/reuse_buffer.js';
import { bytesOf, collect, equal, pair } from './package_pair.js';

export const exampleTests: Record<string, () => Promise<void>> = {
  async 'closing.md: what was said last arrives before the connection goes'() {
    const { near, left, right, close } = await pair();
    const reading = readToEnd(right) as Promise<unknown>;
    await leave(left, near);
    equal(await reading, { messages: ['goodbye'], end: undefined }, 'over there');
    equal(near.connectionState, 'closed', 'the connection');
    close();
  },

  async 'closing.md: a reader is told how the channel ended'() {
    const { left, right, close } = await pair();
    const reading = readToEnd(right) as Promise<unknown>;
    right.abort();
    equal(await reading, { messages: [], end: 'aborted' }, 'the end');
    await left.closed;
    close();
  },

  async 'buffers.md: one buffer serves all messages, and another is given away'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 1024 } });
    await sendNumbers(left, 1000);
    const { buffer } = bytesOf(1, 2, 3);
    const giving = give(left, buffer);
    equal(buffer.byteLength, 0, 'bytes left');
    await giving;
    await left.close();
    const messages = await collect(right) as Uint8Array[];
    equal(messages.slice(0, 1000).map((message) => Number(new DataView(message.buffer).getBigUint64(0))),
      Array.from({ length: 1000 }, (_, index) => index), 'the numbers');
    equal(messages.slice(1000).map((message) => [...message]), [[1, 2, 3]], 'the given one');
    close();
  },
};
