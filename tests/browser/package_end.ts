// SPDX-License-Identifier: MIT
//
// The npm package's side of a meeting with the driver: connects and sends everything back.
import { connect } from 'webrtc-data-channel';

export async function echoIn(url: string, room: string): Promise<void> {
  const channel = await connect(url, room, { timeoutMs: 15_000 });
  for await (const data of channel) await channel.send(data);
}
