// SPDX-License-Identifier: MIT
import { transferTo } from 'webrtc-data-channel';

/** The worker gets a channel of ours and every one that the other side makes; the connection stays here. */
export function moveToWorker(peerConnection, worker) {
  transferTo(worker, peerConnection.createDataChannel('ours'), { peerConnection });
  peerConnection.ondatachannel = ({ channel }) => transferTo(worker, channel, { peerConnection });
}
