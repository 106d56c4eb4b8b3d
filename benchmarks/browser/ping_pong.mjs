// SPDX-License-Identifier: MIT
import { WasmDataChannel } from 'webrtc-data-channel/framed';

/** One message at a time goes to the other end and comes back: what a message waits for on a channel that is idle. */
function pingPong({ near, far }, message, opened) {
  let running = false;
  let rounds = 0;
  let finished;
  far.listen(() => void far.send(message));
  near.listen(() => {
    rounds += 1;
    if (running) void near.send(message);
    else finished(performance.now());
  });
  return {
    async run() {
      await opened;
      const before = rounds;
      const end = await new Promise((resolve) => {
        finished = resolve;
        running = true;
        void near.send(message);
      });
      return { messages: rounds - before, end };
    },
    stop() {
      running = false;
    },
    close: () => Promise.all([near.close(), far.close()]),
    received: () => ({ received: rounds, bytes: rounds * message.length }),
  };
}

export function rawPingPong({ near, far, opened }, { message }) {
  const end = (channel) => ({
    send: (data) => channel.send(data),
    listen: (callback) => channel.addEventListener('message', ({ data }) => callback(data)),
    close: () => undefined,
  });
  return pingPong({ near: end(near), far: end(far) }, message, opened);
}

export function packagePingPong({ near, far, connections, opened }, { message }) {
  const end = (rtcChannel, peerConnection) => {
    const channel = new WasmDataChannel(rtcChannel, { peerConnection });
    return {
      send: (data) => channel.send(data),
      listen: (callback) => channel.startListening(callback),
      close: () => channel.close(),
    };
  };
  return pingPong({ near: end(near, connections[0]), far: end(far, connections[1]) }, message, opened);
}
