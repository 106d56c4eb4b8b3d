// SPDX-License-Identifier: MIT
/** One buffer for all messages: send() has taken or copied the bytes when it returns. */
export async function sendNumbers(channel, count) {
  const view = new DataView(new ArrayBuffer(8));
  const sends = [];
  for (let number = 0; number < count; number += 1) {
    view.setBigUint64(0, BigInt(number));
    sends.push(channel.send(view));
  }
  await Promise.all(sends);
}

/** A large buffer that is not needed any more: moved instead of copied, should the send have to wait. */
export async function give(channel, buffer) {
  await channel.send(buffer, { transfer: true }); // buffer.byteLength is 0 from the call on
}
