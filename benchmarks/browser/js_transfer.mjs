// SPDX-License-Identifier: MIT
import { WasmDataChannel } from 'webrtc-data-channel';
import { WasmDataChannel as FramedDataChannel } from 'webrtc-data-channel/framed';
import { Counter } from './counter.mjs';

// As rawTransfer(): on as long as there is room, and only then a wait.
const whileThereIsRoom = (channel, message) => (channel.trySend(message) ? undefined : channel.send(message));
/** A promise a message. */
const oneByOne = (channel, message) => channel.send(message);

/** The npm package on both ends. The reader looks at a message's length only. */
export const jsTransfer = (pair, { message, high, low }, send) =>
  transfer(pair, message, { sendHighWaterMark: high, sendLowWaterMark: low }, { send });

export const jsAwaitTransfer = (pair, options) => jsTransfer(pair, options, oneByOne);

/** With the package's own marks, whatever the others have. */
export const jsDefaultsTransfer = (pair, { message }) => transfer(pair, message, {});

/** On a channel that speaks framed mode; the reader looks at a byte of every message. */
export function framedTransfer(pair, { message, high, low }, send) {
  let sum = 0;
  const framed = transfer(pair, message, { sendHighWaterMark: high, sendLowWaterMark: low }, {
    send,
    look: (bytes) => {
      sum += bytes[bytes.length - 1];
    },
    Channel: FramedDataChannel,
  });
  return {
    ...framed,
    async close() {
      await framed.close();
      const { received } = framed.received();
      if (sum !== received * message[message.length - 1]) throw new Error(`the last bytes add up to ${sum}`);
    },
  };
}

export const framedAwaitTransfer = (pair, options) => framedTransfer(pair, options, oneByOne);

function transfer(
  { near, far, connections }, message, flow,
  { send = whileThereIsRoom, look = () => undefined, Channel = WasmDataChannel } = {},
) {
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
        const waits = send(sender, message);
        if (waits) await waits;
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
