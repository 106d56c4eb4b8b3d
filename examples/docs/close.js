// SPDX-License-Identifier: MIT
/** Says goodbye and leaves: the channel first, the connection when that has ended. */
export async function leave(channel, peerConnection) {
  await channel.send('goodbye');
  try {
    await channel.close({ timeoutMs: 5_000 }); // resolves once 'goodbye' and all before it have arrived
  } finally {
    peerConnection.close();
  }
}
