// SPDX-License-Identifier: MIT
//
// Two connections in one page: the far one's channel is the worker's, which sends everything back.
import { WasmDataChannel } from 'webrtc-data-channel';
import { handOver } from './hand_over.js';

export async function start(show) {
  const near = new RTCPeerConnection();
  const far = new RTCPeerConnection();
  near.onicecandidate = ({ candidate }) => far.addIceCandidate(candidate ?? undefined);
  far.onicecandidate = ({ candidate }) => near.addIceCandidate(candidate ?? undefined);
  handOver(far);
  const channel = new WasmDataChannel(near.createDataChannel('echo'), { peerConnection: near });
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription);
  await far.setLocalDescription();
  await near.setRemoteDescription(far.localDescription);
  await channel.opened;
  channel.startListening(show, { text: true });
  await channel.send('hello');
}
