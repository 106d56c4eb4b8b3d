// SPDX-License-Identifier: MIT
import { Counter } from './counter.mjs';

/** What a careful person writes by hand on a plain RTCDataChannel. The reader looks at a message's length only. */
export function rawTransfer({ near, far }, { message, high, low }, lengthOf = (data) => data.byteLength) {
  const counter = new Counter();
  let running = false;
  let sent = 0;
  let finished;

  const fill = () => {
    while (running && near.bufferedAmount <= high) {
      near.send(message);
      sent += 1;
    }
  };
  near.bufferedAmountLowThreshold = low;
  near.addEventListener('bufferedamountlow', fill);
  far.addEventListener('message', ({ data }) => counter.add(lengthOf(data)));

  return {
    async run() {
      const before = sent;
      const stopped = new Promise((resolve) => {
        finished = resolve;
      });
      running = true;
      fill();
      await stopped;
      const end = await counter.reached(sent);
      return { messages: sent - before, end };
    },
    stop() {
      running = false;
      finished?.();
    },
    close: () => near.removeEventListener('bufferedamountlow', fill),
    received: () => counter,
  };
}

/** The same whose reader takes each message as bytes, without which nobody can look into it. */
export const rawBytesTransfer = (pair, options) => rawTransfer(pair, options, (data) => new Uint8Array(data).length);
