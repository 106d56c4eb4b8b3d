// SPDX-License-Identifier: MIT
/** Gives every message and how the channel ended: undefined after a clean close, or the code of what broke it. */
export async function readToEnd(channel) {
  const messages = [];
  try {
    for await (const message of channel.messages({ text: true })) messages.push(message);
  } catch (error) {
    return { messages, end: error.code };
  }
  return { messages, end: undefined };
}
