// SPDX-License-Identifier: MIT
import { WasmDataChannel } from 'webrtc-data-channel';
import { WasmDataChannel as FramedDataChannel } from 'webrtc-data-channel/framed';
import { Counter } from './counter.mjs';

/** The npm package on both ends, used as its users do. The reader looks at a message's length only. */
export const jsTransfer = (pair, { message, high, low }) =>
  transfer(pair, message, { sendHighWaterMark: high, sendLowWaterMark: low });

/** The same with the package's own marks, whatever the others have. */
export const jsDefaultsTransfer = (pair, { message }) => transfer(pair, message, {});

/** The same on a channel that speaks framed mode; the reader looks at a byte of every message. */
export function framedTransfer(pair, { message, high, low }) {
  let sum = 0;
  const framed = transfer(pair, message, { sendHighWaterMark: high, sendLowWaterMark: low }, (bytes) => {
    sum += bytes[bytes.length - 1];
  }, FramedDataChannel);
  return {
    ...framed,
    async close() {
      await framed.close();
      const { received } = framed.received();
      if (sum !== received * message[message.length - 1]) throw new Error(`the last bytes add up to ${sum}`);
    },
  };
}

function transfer({ near, far, connections }, message, flow, look = () => undefined, Channel = WasmDataChannel) {
  const counter = new Counter();
  const sender = new Channel(near, { ...flow, peerConnection: connections[0] });
  const receiver = new Channel(far, { peerConnection: connections[1] });
  receiver.startListening((bytes) => {
    look(bytes);
    counter.add(bytes.length);
  });
  let running = false;
  let sent = 0;

  return {
    async run() {
      const before = sent;
      running = true;
      await sender.opened;
      while (running) {
        await sender.send(message);
        sent += 1;
      }
      const end = await counter.reached(sent);
      return { messages: sent - before, end };
    },
    stop() {
      running = false;
    },
    async close() {
      await sender.close();
      await receiver.closed;
    },
    received: () => counter,
  };
}
