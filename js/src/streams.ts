// SPDX-License-Identifier: MIT
import { WdcError } from './error.js';
import type { ModuleChannel } from './module_channel.js';
import type { Bytes, SendData } from './payload.js';
import { MessageIterator, type ReadOptions } from './readers.js';
import type { WasmDataChannel } from './wasm_data_channel.js';

/**
 * The messages as a stream that buffers nothing: a message is taken from the channel when somebody reads. `onGone` is called
 * when the stream has let go of the channel before the channel's end, or never got it.
 */
export function readableOf<T extends Bytes | string>(
  channel: ModuleChannel, options: ReadOptions, onGone: () => void = () => undefined,
): ReadableStream<T> {
  const messages = new MessageIterator<T>(channel, options);
  let cancelled = false;
  return new ReadableStream<T>({
    async pull(controller) {
      try {
        const { value, done } = await messages.next();
        if (cancelled) return;
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        if ((error as Partial<WdcError>).code === 'consumer_busy') onGone();
        throw error;
      }
    },
    async cancel() {
      cancelled = true;
      onGone();
      await messages.return();
    },
  }, { highWaterMark: 0 });
}

/** Sends what is written, and one chunk at a time: the stream is as ready as the channel. */
export function writableOf(channel: WasmDataChannel): WritableStream<SendData> {
  let closing = false;
  return new WritableStream<SendData>({
    start(controller) {
      const fail = (error: unknown): void => {
        if (!closing) controller.error(error);
      };
      // Not at once: a pipe from this channel's own readable is about to close this end, as it should.
      channel.closed.then(() => setTimeout(() => fail(new WdcError('closed'))), fail);
      // Not the sink's abort(), which waits for a write in progress, or for the channel to open.
      controller.signal.addEventListener('abort', () => {
        closing = true;
        channel.abort();
      });
      return channel.opened;
    },
    write: (data) => channel.send(data),
    close() {
      closing = true;
      return channel.close();
    },
  });
}
