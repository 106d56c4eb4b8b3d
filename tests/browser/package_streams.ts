// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// WHATWG streams of the package, over real connections; package_page.ts runs them with the others.
import { WasmDataChannel, type WdcError } from 'webrtc-data-channel';
import { forward } from '../../examples/docs/forward.js';
import { receiveFile } from '../../examples/docs/receive_file.js';
import { sendFile } from '../../examples/docs/send_file.js';
import {
  bytesOf, check, collect, connections, equal, fails, pair, plain, rejectsWith, take, until,
} from './package_pair.js';

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'fulfilled', (error: unknown) => (error as Partial<WdcError>).code ?? String(error));

export const streamTests: Record<string, () => Promise<void>> = {
  async 'readable takes a message when somebody reads, not before'() {
    const { left, right, close } = await pair();
    const { readable } = right;
    check(readable === right.readable, 'one stream');
    const reader = readable.getReader();
    for (const value of [1, 2, 3]) await left.send([value]);
    await left.send('text');
    await until(() => right.stats().messagesReceived === 4);
    equal(right.stats().receiveQueueMessages, 4, 'unread');
    equal([...(await reader.read()).value!], [1], 'the first');
    equal(right.stats().receiveQueueMessages, 3, 'unread after one read');
    equal([...(await reader.read()).value!], [2], 'the second');
    await left.close();
    equal([...(await reader.read()).value!], [3], 'the third');
    equal([...(await reader.read()).value!], [0x74, 0x65, 0x78, 0x74], 'text as its bytes');
    equal((await reader.read()).done, true, 'the end');
    await reader.closed;
    close();
  },

  async 'a stream that is looked at takes nothing from another reader; reading makes it the reader'() {
    const { left, right, close } = await pair();
    const first = right.readable;
    await left.send([1]);
    equal(plain(await take(right, 1)), [[1]], 'by iteration');
    const reader = first.getReader();
    const reading = reader.read();
    await fails('consumer_busy', () => right.startListening(() => undefined));
    await fails('consumer_busy', () => right.messages().next());
    await fails('consumer_busy', () => right.readableStream().getReader().read());
    await left.send([2]);
    equal([...(await reading).value!], [2], 'by the stream');
    reader.releaseLock();
    await fails('consumer_busy', () => right.messages().next());
    await left.send([3]);
    equal([...(await first.getReader().read()).value!], [3], 'by the next reader of the stream');
    await left.close();
    close();
  },

  async 'consumer_busy ends that stream, and the property gives a fresh one'() {
    const { left, right, close } = await pair();
    const stop = right.startListening(() => undefined);
    const refused = right.readable;
    await fails('consumer_busy', () => refused.getReader().read());
    stop();
    check(right.readable !== refused, 'a fresh stream');
    await left.send([7]);
    equal([...(await right.readable.getReader().read()).value!], [7], 'read');
    await left.close();
    close();
  },

  async 'cancelling leaves the channel open and what is unread to the next reader'() {
    const { left, right, close } = await pair();
    for (const value of [1, 2, 3, 4]) await left.send([value]);
    const cancelled = right.readable;
    for await (const message of cancelled as unknown as AsyncIterable<Uint8Array>) {
      equal([...message], [1], 'the first');
      break; // cancels the stream
    }
    check(right.readable !== cancelled, 'a fresh stream');
    equal([...(await right.readable.getReader().read()).value!], [2], 'the second');
    equal(right.readyState, 'open', 'the state');
    const { close: closeOther, right: other, left: sender } = await pair();
    const reader = other.readable.getReader();
    const pending = reader.read();
    await reader.cancel('a reason');
    equal((await pending).done, true, 'a read that waited');
    await sender.send([5]);
    equal(plain(await take(other, 1)), [[5]], 'what came after the cancel');
    await Promise.all([left.close(), sender.close()]);
    close();
    closeOther();
  },

  async 'what breaks the channel errors the readable after the messages before it'() {
    const { left, right, close } = await pair({ far: { receiveQueueMessages: 2 } });
    const reader = right.readable.getReader();
    const sends = Promise.allSettled([1, 2, 3].map((value) => left.send([value])));
    await fails('receive_overflow', () => right.closed);
    equal([...(await reader.read()).value!], [1], 'the first');
    equal([...(await reader.read()).value!], [2], 'the second');
    await fails('receive_overflow', () => reader.read());
    await sends;
    await left.closed;
    close();
  },

  async 'a signal ends a readable stream, and lets the next reader in'() {
    const { left, right, close } = await pair();
    const reason = new Error('enough');
    for (const when of ['while it waits', 'between two reads']) {
      const abort = new AbortController();
      const reader = right.readableStream({ signal: abort.signal }).getReader();
      if (when === 'between two reads') {
        await left.send([1]);
        await reader.read();
        abort.abort(reason);
        await rejectsWith(reason, reader.read());
      } else {
        const reading = reader.read();
        abort.abort(reason);
        await rejectsWith(reason, reading);
      }
    }
    const abort = new AbortController();
    const iterator = right.messages({ signal: abort.signal });
    await left.send([2]);
    await iterator.next();
    abort.abort(reason);
    await rejectsWith(reason, iterator.next());
    equal((await iterator.next()).done, true, 'once told');
    await left.send([3]);
    equal(plain(await take(right, 1)), [[3]], 'by the next reader');
    await left.close();
    close();
  },

  async 'writable waits for the channel to open, then sends every kind of chunk in order'() {
    const { near, far, negotiate, close } = connections();
    const left = new WasmDataChannel(near.createDataChannel('early'), { peerConnection: near });
    const arrived = new Promise<WasmDataChannel>((resolve) => {
      far.ondatachannel = ({ channel }) => resolve(new WasmDataChannel(channel, { peerConnection: far }));
    });
    check(left.writable === left.writable, 'one stream');
    const writer = left.writable.getWriter();
    const writes = [bytesOf(1, 2), 'text', new Blob([bytesOf(3)]), [4, 5], bytesOf(6).buffer].map((data) => writer.write(data));
    equal(left.stats().messagesSent, 0, 'sent before the channel is open');
    await negotiate();
    const right = await arrived;
    await Promise.all(writes);
    await writer.close();
    equal(plain(await collect(right)), [[1, 2], 'text', [3], [4, 5], [6]], 'what arrived');
    equal(left.readyState, 'closed', 'the state');
    await writer.closed;
    close();
  },

  async 'writable is ready no sooner than the channel, and never has two sends waiting'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 65_536, sendLowWaterMark: 16_384 } });
    const received = collect(right);
    const writer = left.writable.getWriter();
    let most = 0;
    for (let index = 0; index < 400; index += 1) {
      await writer.ready;
      void writer.write(new Uint8Array(8192).fill(index));
      most = Math.max(most, left.stats().sendQueueOperations);
      check(writer.desiredSize! >= 0, 'no more chunks in the stream than it asks for');
    }
    await writer.close();
    equal(most, 1, 'sends that waited at a time');
    check(left.stats().sendWaits > 0, 'some had to wait');
    equal((await received).map((message) => (message as Uint8Array)[0]), Array.from({ length: 400 }, (_, i) => i % 256), 'arrived');
    close();
  },

  async 'a write that is refused errors the writable; the channel stays open'() {
    const { left, right, close } = await pair();
    const writer = left.writable.getWriter();
    await fails('invalid_argument', () => writer.write(7 as unknown as string));
    await fails('invalid_argument', () => writer.closed);
    equal(left.readyState, 'open', 'the state');
    await left.send('still here');
    equal(await take(right, 1), ['still here'], 'arrived');
    await left.close();
    close();
  },

  async 'the end of the channel errors the writable'() {
    const { left, right, close } = await pair();
    const writer = left.writable.getWriter();
    await right.close();
    await fails('closed', () => writer.closed);
    await fails('closed', () => writer.write('late'));
    close();
    const other = await pair();
    const broken = other.left.writable.getWriter();
    other.left.abort();
    await fails('aborted', () => broken.closed);
    await other.right.closed;
    other.close();
  },

  async 'aborting the writable aborts the channel at once, also while a write waits and before it opens'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 1024 } });
    const writer = left.writable.getWriter();
    const writes = Array.from({ length: 20 }, () => codeOf(writer.write(new Uint8Array(60_000))));
    await until(() => left.stats().sendQueueOperations === 1);
    const reason = new Error('enough');
    await writer.abort(reason);
    await rejectsWith(reason, writer.closed);
    await fails('aborted', () => left.closed);
    check((await Promise.all(writes)).includes('aborted'), 'the write that waited');
    await right.closed;
    close();

    const { near, close: closeBelow } = connections();
    const never = new WasmDataChannel(near.createDataChannel('never'), { peerConnection: near });
    await never.writable.abort(reason);
    await fails('aborted', () => never.closed);
    closeBelow();
  },

  async 'channels pipe into one another, bytes and text, no faster than the slower one, and the close goes on'() {
    const first = await pair();
    const second = await pair({ near: { sendHighWaterMark: 32_768, sendLowWaterMark: 8192 } });
    const piped = forward(first.right, second.left) as Promise<void>;
    const received = collect(second.right);
    const count = 300;
    for (let index = 0; index < count; index += 1) {
      await first.left.send(index % 3 === 0 ? `text ${index}` : new Uint8Array(10_000).fill(index));
    }
    await first.left.close();
    await piped;
    const seen = (await received).map((message) => (typeof message === 'string' ? message : `${message.length} of ${message[0]}`));
    equal(seen, Array.from({ length: count }, (_, index) => (
      index % 3 === 0 ? `text ${index}` : `10000 of ${index % 256}`)), 'what came through');
    equal([first.right.readyState, second.left.readyState], ['closed', 'closed'], 'the states');
    check(second.left.stats().sendWaits > 0, 'the second channel was the slower one');
    first.close();
    second.close();
  },

  async 'a pipe whose end breaks lets go of its source, and the other way round'() {
    const first = await pair();
    const second = await pair();
    const piped = forward(first.right, second.left) as Promise<void>;
    await first.left.send('one');
    equal(await take(second.right, 1), ['one'], 'through the pipe');
    await second.right.close();
    equal(await codeOf(piped), 'closed', 'the pipe');
    await first.left.send('two');
    equal(await take(first.right, 1), ['two'], 'by the next reader');
    second.close();

    const third = await pair();
    const broken = codeOf(forward(first.right, third.left) as Promise<void>);
    await first.left.send('three');
    equal(await take(third.right, 1), ['three'], 'through the pipe');
    first.right.abort();
    equal(await broken, 'aborted', 'the pipe');
    await fails('aborted', () => third.left.closed);
    await third.right.closed;
    await first.left.closed;
    first.close();
    third.close();
  },

  async 'the signal of a pipe aborts the channel it leads to, and releases the one it comes from'() {
    const first = await pair();
    const second = await pair();
    const abort = new AbortController();
    const piped = first.right.readable.pipeTo(second.left.writable, { signal: abort.signal });
    await first.left.send([1]);
    equal(plain(await take(second.right, 1)), [[1]], 'through the pipe');
    const reason = new Error('enough');
    abort.abort(reason);
    await rejectsWith(reason, piped);
    await fails('aborted', () => second.left.closed);
    await first.left.send([2]);
    equal(plain(await take(first.right, 1)), [[2]], 'by the next reader');
    await first.left.close();
    await second.right.closed;
    first.close();
    second.close();
  },

  async 'a file goes from a stream through a channel into a file'() {
    const { left, right, close } = await pair();
    const directory = await navigator.storage.getDirectory();
    const handle = await directory.getFileHandle('received', { create: true });
    const content = new Uint8Array(1_000_003);
    for (let index = 0; index < content.length; index += 1) content[index] = (index * 31 + (index >> 8)) & 255;
    await Promise.all([sendFile(left, new Blob([content])), receiveFile(right, handle)]);
    const written = new Uint8Array(await (await handle.getFile()).arrayBuffer());
    check(written.length === content.length && written.every((byte, index) => byte === content[index]), 'every byte');
    await directory.removeEntry('received');
    close();
  },

  async 'a signal gives a close up'() {
    const { left, right, close } = await pair({ near: { sendHighWaterMark: 16 * 1024 * 1024 } });
    for (let index = 0; index < 100; index += 1) await left.send(new Uint8Array(100_000));
    const abort = new AbortController();
    const reason = new Error('enough');
    const closing = left.close({ signal: abort.signal });
    check(closing === left.close(), 'the same promise');
    abort.abort(reason);
    await rejectsWith(reason, closing);
    await fails('aborted', () => left.closed);
    await right.closed;
    close();
    const other = await pair();
    await rejectsWith(reason, other.left.close({ signal: AbortSignal.abort(reason) }));
    await fails('aborted', () => other.left.closed);
    await other.right.closed;
    other.close();
    const last = await pair();
    await last.left.close({ signal: new AbortController().signal });
    await last.right.closed;
    last.close();
  },
};
