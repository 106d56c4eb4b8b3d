// SPDX-License-Identifier: MIT
/** Sends a File or Blob in messages of at most 16 KiB, and resolves when the other side has closed, too. */
export async function sendFile(channel, file, signal) {
  const pieces = new TransformStream({
    transform(bytes, controller) {
      for (let at = 0; at < bytes.length; at += 16_384) controller.enqueue(bytes.subarray(at, at + 16_384));
    },
  });
  await file.stream().pipeThrough(pieces).pipeTo(channel.writable, { signal });
}
