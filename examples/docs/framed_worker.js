// SPDX-License-Identifier: MIT
import { receiveChannel } from 'webrtc-data-channel/framed';

/** Sends every message back while it comes, however large it is. */
self.onmessage = async (event) => {
  const channel = receiveChannel(event, { framed: { window: 1 << 20 } });
  if (channel === undefined) return;
  for await (const message of channel.incomingMessages()) await channel.send(message.readable);
};
