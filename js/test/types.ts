// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-unused-vars, @typescript-eslint/no-unnecessary-type-parameters -- types are all it is about */
// Compiles, or not where it says so, against the package's own declarations: node --test js/test/types.test.mjs
import {
  connect, errorCodes, incoming, WasmDataChannel, WdcError, WebRtcDataChannel,
  type Bytes, type Delivery, type Disposer, type ErrorCode, type IncomingMessage, type ReadOptions, type SendData,
} from 'webrtc-data-channel';
import * as external from 'webrtc-data-channel/external';
import { createHost } from 'webrtc-data-channel/host';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Equal<A, B>): void {
  // for the compiler only
}

export async function uses(rtcChannel: RTCDataChannel, peerConnection: RTCPeerConnection): Promise<void> {
  const channel = new WasmDataChannel(rtcChannel, { peerConnection, receiveOverflow: 'drop-oldest', closeTimeoutMs: 1000 });
  // @ts-expect-error no such policy
  new WasmDataChannel(rtcChannel, { receiveOverflow: 'drop-all' });
  // @ts-expect-error not a channel
  new WasmDataChannel(peerConnection);

  // What is received is bytes, and text only where it was asked for.
  const dispose = channel.startListening((message) => same<typeof message, Bytes>(true));
  same<typeof dispose, Disposer>(true);
  channel.startListening((message) => same<typeof message, Bytes | string>(true), { text: true });
  channel.startListening((message) => same<typeof message, Bytes>(true), { text: false });
  channel.startListening((message) => same<typeof message, Bytes>(true), { signal: new AbortController().signal });
  channel.startListening(async (message) => { await Promise.resolve(message); });
  for await (const message of channel) same<typeof message, Bytes>(true);
  for await (const message of channel.messages({ text: true })) same<typeof message, Bytes | string>(true);
  {
    using listening = channel.startListening(() => undefined);
    listening();
    await using closing = channel;
    same<typeof closing, WasmDataChannel>(true);
  }

  const everything: SendData[] = [
    new ArrayBuffer(1), new SharedArrayBuffer(1), new Uint8Array(1), new Float64Array(1), new DataView(new ArrayBuffer(1)),
    new Uint8Array(new SharedArrayBuffer(1)), [1, 2, 3] as const, new Blob([]), new File([], 'f'), 'text',
  ];
  for (const data of everything) await channel.send(data);
  same<ReturnType<typeof channel.send>, Promise<void>>(true);
  const options: ReadOptions = { text: Math.random() < 0.5 };
  channel.startListening((message) => same<typeof message, Bytes | string>(true), options);
  await channel.send(new Uint8Array(1), { transfer: true, signal: AbortSignal.timeout(1) });
  same<ReturnType<typeof channel.trySend>, boolean>(true);
  // @ts-expect-error a number is no message
  await channel.send(7);
  // @ts-expect-error nor is null
  await channel.send(null);
  // @ts-expect-error strings are not bytes
  await channel.send(['1']);
  // @ts-expect-error a Blob cannot be read at once
  channel.trySend(new Blob([]));
  await channel.close({ timeoutMs: 10 });
  // @ts-expect-error milliseconds are a number
  await channel.close({ timeoutMs: '10' });
  // @ts-expect-error not to be written
  channel.label = 'other';

  const stats = channel.stats();
  same<typeof stats.messagesSent, number>(true);
  same<typeof channel.readyState, RTCDataChannelState>(true);
  same<typeof channel.id, number | null>(true);
  same<typeof channel.closed, Promise<void>>(true);

  for await (const each of incoming(peerConnection, { maxWaiting: 4, receiveQueueBytes: 1024 })) {
    same<typeof each, WasmDataChannel>(true);
  }
  const met = await connect(new URL('wss://example.org/ws'), 'room', { rtcConfiguration: { iceServers: [] }, ordered: false });
  same<typeof met.peerConnection, RTCPeerConnection | undefined>(true);

  const thin = new WebRtcDataChannel(rtcChannel);
  await thin.send_bytes(new Uint8Array(1));
  const { value, done } = await thin.message_stream().next();
  if (done !== true) same<typeof value, Bytes | string>(true);
  await thin.close();
}

export async function framed(channel: WasmDataChannel, stream: ReadableStream<Uint8Array>): Promise<void> {
  await channel.send(stream, { priority: 'high', timeoutMs: 10, key: 7, type: 'text' });
  // @ts-expect-error a stream of what is no bytes
  await channel.send(new ReadableStream<string>());
  // @ts-expect-error no such priority
  await channel.send('', { priority: 'highest' });
  await channel.flush({ to: 'peer' });
  same<ReturnType<typeof channel.delivery>, Delivery>(true);
  for await (const message of channel.incomingMessages()) {
    same<typeof message, IncomingMessage>(true);
    same<typeof message.size, number | undefined>(true);
    for await (const part of message) same<typeof part, Bytes>(true);
    same<Awaited<ReturnType<typeof message.whole>>, Bytes>(true);
    same<typeof message.readable, ReadableStream<Bytes>>(true);
  }
  await connect('broadcast:', 'room', { protocol: 'wdc.framed.v1', framed: { window: 4096, order: 'completions' } });
  // @ts-expect-error no such order
  await connect('broadcast:', 'room', { framed: { order: 'ends' } });
}

export async function entries(compiled: WebAssembly.Module): Promise<void> {
  await external.load();
  for (const source of ['/file.wasm', new URL('https://example.org/file.wasm'), compiled]) await external.load(source);
  // @ts-expect-error nothing to load
  await external.load(null);
  same<typeof external.WasmDataChannel, typeof WasmDataChannel>(true);
  const host = createHost();
  host.bind(await WebAssembly.instantiate(compiled, host.imports));
}

export function codes(error: unknown): number {
  if (!(error instanceof WdcError)) return 0;
  same<typeof error.code, ErrorCode>(true);
  // @ts-expect-error no such code
  if (error.code === 'too_bad') return 1;
  return errorCodes[error.code].number + (error.value ?? 0);
}
