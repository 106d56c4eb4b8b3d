// SPDX-License-Identifier: MIT
import { Counter } from './counter.mjs';

/** What a careful person writes by hand on a plain RTCDataChannel. The reader looks at a message's length only. */
export function rawTransfer({ near, far }, { message, high, low }) {
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
  far.addEventListener('message', ({ data }) => counter.add(data.byteLength));

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
