// SPDX-License-Identifier: MIT

/**
 * Two peers of this page and one reliable, ordered channel between them: { near, far, connections, opened, close() }. Both
 * peers share one page and so one thread: whatever a wrapper costs, on either end, is taken from the same core, and no
 * second page's scheduling blurs it. `connections` are near's and far's: who knows them knows the largest message.
 */
export function makePair(protocol = '') {
  const peers = [new RTCPeerConnection(), new RTCPeerConnection()];
  const [near, far] = peers.map((peer) => {
    const channel = peer.createDataChannel('bench', { negotiated: true, id: 0, protocol });
    channel.binaryType = 'arraybuffer';
    return channel;
  });
  const open = (channel) => new Promise((resolve, reject) => {
    channel.addEventListener('open', resolve, { once: true });
    channel.addEventListener('error', ({ error }) => reject(error), { once: true });
  });
  const opened = Promise.all([open(near), open(far), connect(...peers)]);
  return { near, far, connections: peers, opened, close: () => peers.forEach((peer) => peer.close()) };
}

async function connect(caller, callee) {
  for (const [from, to] of [[caller, callee], [callee, caller]]) {
    from.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate) void to.addIceCandidate(candidate);
    });
  }
  await caller.setLocalDescription();
  await callee.setRemoteDescription(caller.localDescription);
  await callee.setLocalDescription();
  await caller.setRemoteDescription(callee.localDescription);
}
