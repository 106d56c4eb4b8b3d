// SPDX-License-Identifier: MIT
/** Writes what arrives until the sender closes. `fileHandle` is a FileSystemFileHandle: a picked file, or one of the OPFS. */
export async function receiveFile(channel, fileHandle, signal) {
  await channel.readable.pipeTo(await fileHandle.createWritable(), { signal });
}
