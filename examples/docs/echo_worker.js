// SPDX-License-Identifier: MIT
import { receiveChannel } from 'webrtc-data-channel';

self.onmessage = async (event) => {
  const channel = receiveChannel(event); // undefined: another message of the page's
  if (channel === undefined) return;
  for await (const message of channel.messages({ text: true })) await channel.send(message);
};
