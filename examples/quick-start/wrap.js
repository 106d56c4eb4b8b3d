// SPDX-License-Identifier: MIT
import { WasmDataChannel } from 'webrtc-data-channel';

export async function greet(rtcChannel) {
  const channel = new WasmDataChannel(rtcChannel); // synchronous
  channel.startListening((bytes) => console.log('received', bytes)); // Uint8Array
  await channel.opened;
  await channel.send(new Uint8Array([1, 2, 3])); // or ArrayBuffer, any view, number[], Blob, string
  await channel.close(); // what was sent arrives; the listener ends
}
