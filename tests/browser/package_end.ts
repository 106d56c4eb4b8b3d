// SPDX-License-Identifier: MIT
//
// The npm package's side of a meeting with the driver: connects and sends everything back; and channels that speak framed mode.
import { connect, WasmDataChannel } from 'webrtc-data-channel/framed';

export async function echoIn(url: string, room: string): Promise<void> {
  const channel = await connect(url, room, { timeoutMs: 15_000 });
  for await (const data of channel) await channel.send(data);
}

/** A framed channel of the far end. */
export function wrapFramed(channel: RTCDataChannel): WasmDataChannel {
  const limits = { sendQueueOperations: 2 ** 20 };
  const reliable = channel.ordered && channel.maxRetransmits === null && channel.maxPacketLifeTime === null;
  return new WasmDataChannel(channel, { ...limits, framed: { batchesOnly: !reliable } });
}
