// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// Two real peer connections in one page, and what the package's tests check with.
import { WasmDataChannel, type ChannelOptions, type WdcError } from 'webrtc-data-channel';
import { WasmDataChannel as FramedDataChannel } from 'webrtc-data-channel/framed';

export interface RawPair {
  near: RTCPeerConnection;
  far: RTCPeerConnection;
  close: () => void;
}

export interface PairOptions {
  init?: RTCDataChannelInit;
  near?: ChannelOptions;
  far?: ChannelOptions;
  /** What the far side tells as its largest message. */
  maxMessageSize?: number;
}

export interface Pair extends RawPair {
  left: WasmDataChannel;
  right: WasmDataChannel;
}

export function check(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`not so: ${what}`);
}

export function equal(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`);
}

/** The error that `action` throws or rejects with; its code must be the one given. */
export async function fails(code: WdcError['code'], action: () => unknown): Promise<WdcError> {
  try {
    await action();
  } catch (error) {
    const { name, code: actual } = error as WdcError;
    if (name !== 'WdcError' || actual !== code) throw new Error(`${code} expected, got ${String(error)}`, { cause: error });
    return error as WdcError;
  }
  throw new Error(`${code} expected, nothing failed`);
}

export async function rejectsWith(reason: unknown, promise: Promise<unknown>): Promise<void> {
  const got = await promise.then(() => 'nothing', (error: unknown) => error);
  if (got !== reason) throw new Error(`expected ${String(reason)}, got ${String(got)}`);
}

export const bytesOf = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values);

export function event(target: EventTarget, type: string): Promise<Event> {
  return new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
}

/** Resolves once `condition` holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Two connections that exchange candidates and, once the first channel exists, descriptions. */
export function connections(maxMessageSize?: number): RawPair & { negotiate: () => Promise<void> } {
  const near = new RTCPeerConnection();
  const far = new RTCPeerConnection();
  near.onicecandidate = ({ candidate }) => void far.addIceCandidate(candidate ?? undefined).catch(() => undefined);
  far.onicecandidate = ({ candidate }) => void near.addIceCandidate(candidate ?? undefined).catch(() => undefined);
  const negotiate = async (): Promise<void> => {
    await near.setLocalDescription();
    await far.setRemoteDescription(near.localDescription!);
    await far.setLocalDescription();
    let { sdp } = far.localDescription!;
    if (maxMessageSize !== undefined) sdp = sdp.replace(/a=max-message-size:\d+/, `a=max-message-size:${maxMessageSize}`);
    await near.setRemoteDescription({ type: 'answer', sdp });
  };
  return {
    near,
    far,
    negotiate,
    close() {
      near.close();
      far.close();
    },
  };
}

/** Two channels over two connections, both open. */
export async function pair({ init, near = {}, far = {}, maxMessageSize }: PairOptions = {}): Promise<Pair> {
  const below = connections(maxMessageSize);
  const Channel = init?.protocol?.startsWith('wdc.framed.v1') ? FramedDataChannel : WasmDataChannel;
  const left = new Channel(below.near.createDataChannel('a label', init ?? {}), { peerConnection: below.near, ...near });
  const arrived = new Promise<WasmDataChannel>((resolve) => {
    below.far.ondatachannel = ({ channel }) => resolve(new Channel(channel, { peerConnection: below.far, ...far }));
  });
  await below.negotiate();
  const right = await arrived;
  await Promise.all([left.opened, right.opened]);
  return { ...below, left, right };
}

/** Collects what a channel gives until it ends. */
export async function collect(channel: WasmDataChannel): Promise<(Uint8Array | string)[]> {
  const messages: (Uint8Array | string)[] = [];
  for await (const message of channel.messages({ text: true })) messages.push(message);
  return messages;
}

/** The first `count` messages. */
export async function take(channel: WasmDataChannel, count: number): Promise<(Uint8Array | string)[]> {
  const messages: (Uint8Array | string)[] = [];
  if (count === 0) return messages;
  for await (const message of channel.messages({ text: true })) if (messages.push(message) === count) break;
  return messages;
}

export const sizeOf = (message: Uint8Array | string): number =>
  (typeof message === 'string' ? new TextEncoder().encode(message) : message).length;

const equalMessages = (one: Uint8Array | string, other: Uint8Array | string): boolean => (
  typeof one === 'string' || typeof other === 'string' ? one === other
    : one.length === other.length && one.every((byte, index) => byte === other[index]));

/** Where {@link plain} would be too much text. */
export function checkMessages(got: (Uint8Array | string)[], sent: (Uint8Array | string)[], what: string): void {
  equal(got.length, sent.length, `${what}: messages`);
  equal(sent.findIndex((message, index) => !equalMessages(got[index]!, message)), -1, `${what}: the first that differs`);
}

export const plain = (messages: (Uint8Array | string)[]): (number[] | string)[] =>
  messages.map((message) => (typeof message === 'string' ? message : [...message]));
