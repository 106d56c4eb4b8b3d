// SPDX-License-Identifier: MIT

interface Rounds {
  readonly running: Promise<void>;
  next: Promise<void> | undefined;
}

const rounds = new WeakMap<RTCPeerConnection, Rounds>();

/**
 * Resolves once Chromium's signaling thread has done all it had to do for the connection when this was called, and so has told its
 * network thread what followed. getStats() is the question that changes nothing; those who ask while one is on its way share the
 * next, for an answer tells of every channel.
 */
export function signalingRound(connection: RTCPeerConnection): Promise<void> {
  const now = rounds.get(connection);
  if (now) return (now.next ??= now.running.then(() => begin(connection)));
  return begin(connection);
}

function begin(connection: RTCPeerConnection): Promise<void> {
  const round: Rounds = {
    running: connection.getStats().catch(() => undefined).then(() => {
      if (round.next === undefined) rounds.delete(connection);
    }),
    next: undefined,
  };
  rounds.set(connection, round);
  return round.running;
}
