// SPDX-License-Identifier: MIT
//
// The worker of package_workers.ts. What it does with a channel is in its label.
import { connect, counts, receiveChannel, WasmDataChannel, type HostCounts, type WdcError } from 'webrtc-data-channel';

const codeOf = (error: unknown): string => (error as Partial<WdcError>).code ?? String(error);
const tell = (about: string, what: unknown): void => self.postMessage({ about, what });

async function settledCounts(): Promise<HostCounts> {
  for (let tries = 0; tries < 100 && Object.values(counts()).some((count) => count !== 0); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return counts();
}

async function echo(channel: WasmDataChannel): Promise<void> {
  for await (const message of channel.messages({ text: true })) await channel.send(message);
}

/** The first number of every message, and the end. */
async function collect(channel: WasmDataChannel): Promise<void> {
  const numbers: number[] = [];
  let end = 'closed';
  tell('taken', undefined);
  try {
    for await (const message of channel) numbers.push(new DataView(message.buffer).getUint32(0));
  } catch (error) {
    end = codeOf(error);
  }
  tell('collected', { numbers, end });
}

async function blast(channel: WasmDataChannel): Promise<void> {
  await channel.opened;
  const message = new DataView(new ArrayBuffer(1000));
  for (let index = 0; index < 2000; index += 1) {
    message.setUint32(0, index);
    await channel.send(message);
  }
  const { sendWaits } = channel.stats();
  await channel.close();
  tell('blasted', { sendWaits, state: channel.readyState });
}

async function describe(channel: WasmDataChannel): Promise<void> {
  await channel.opened;
  while (channel.maxMessageSize === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const { label, protocol, ordered, maxRetransmits, readyState, maxMessageSize, peerConnection } = channel;
  // Firefox takes 1 GiB.
  const size = Math.min(maxMessageSize + 1, 1_000_000);
  const refusal = channel.send(new Uint8Array(size)).then(() => ({}), (error: unknown) => error) as Promise<Partial<WdcError>>;
  const { code, value, limit } = await refusal;
  tell('described', {
    label, protocol, ordered, maxRetransmits, readyState, maxMessageSize, hasConnection: peerConnection !== undefined,
    tooLarge: { code, value, limit },
  });
  await channel.closed.then(() => tell('ended', 'closed'), (error: unknown) => tell('ended', codeOf(error)));
}

async function pipe(channel: WasmDataChannel): Promise<void> {
  await channel.readable.pipeTo(channel.writable);
  tell('piped', channel.readyState);
}

const roles: Record<string, (channel: WasmDataChannel) => Promise<void>> = { blast, collect, describe, echo, pipe };

self.onmessage = (event: MessageEvent): void => {
  const channel = receiveChannel(event, { sendHighWaterMark: 65_536 });
  if (channel) {
    void roles[channel.label]?.(channel).catch((error: unknown) => tell('failed', codeOf(error)));
    return;
  }
  const request = event.data as { ask: string };
  if (request.ask === 'counts') void settledCounts().then((all) => tell('counts', all));
  if (request.ask === 'connect') connect('broadcast:', 'room').catch((error: unknown) => tell('connect', codeOf(error)));
  if (request.ask === 'be busy') {
    const end = performance.now() + 300;
    while (performance.now() < end);
  }
};
