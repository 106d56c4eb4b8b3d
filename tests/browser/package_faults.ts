// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// What a page cannot come back from: package.test.mjs has a page of its own do each.
import { counts, incoming, WasmDataChannel } from 'webrtc-data-channel';
import { bytesOf, check, collect, equal, event, fails, pair, take, until } from './package_pair.js';

/** A trap is provoked by filling the module's memory with ones, which takes a hold of it from outside. */
export async function trap(): Promise<void> {
  const instances: WebAssembly.Instance[] = [];
  const original = WebAssembly.Instance;
  WebAssembly.Instance = class extends original {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      instances.push(this);
    }
  };
  const { left, right, close } = await pair();
  equal(instances.length, 1, 'instances: all channels share one');
  const reading = fails('wasm_trapped', () => collect(right));
  const idle = await pair(); // readers that are not inside next() when it happens
  equal(instances.length, 1, 'instances: still one');
  const iterator = idle.left.messages();
  const stream = idle.right.readable.getReader();
  await Promise.all([idle.left, idle.right].map((channel) => channel.send('read')));
  await Promise.all([iterator.next(), stream.read()]);
  await Promise.all([idle.left, idle.right].map((channel) => channel.send('unread')));
  await until(() => [idle.left, idle.right].every((channel) => channel.stats().receiveQueueMessages === 1));
  new Uint8Array((instances[0]!.exports['memory'] as WebAssembly.Memory).buffer).fill(0xff);
  await fails('wasm_trapped', () => left.send('x'));
  await reading;
  for (const channel of [left, right]) {
    await fails('wasm_trapped', () => channel.closed);
    await fails('wasm_trapped', () => channel.send('x'));
    equal(channel.readyState, 'closed', 'the state');
  }
  await fails('wasm_trapped', () => iterator.next());
  equal((await iterator.next()).done, true, 'the error was told');
  await fails('wasm_trapped', () => stream.read());
  await fails('wasm_trapped', () => collect(idle.left));
  idle.close();
  close();
  const fresh = await pair();
  equal(instances.length, 2, 'instances: a fresh one');
  await fresh.left.send('alive');
  equal(await take(fresh.right, 1), ['alive'], 'over the fresh one');
  await fresh.left.close();
  await fresh.right.closed;
  fresh.close();
  WebAssembly.Instance = original;
}

/**
 * The module's memory gets a maximum, which it has already: it can never grow. Channels are wrapped until one is refused; the
 * others go on, and closing them makes room for new ones.
 */
export async function noRoom(): Promise<void> {
  const original = WebAssembly.Module;
  WebAssembly.Module = class extends original {
    constructor(bytes: BufferSource) {
      super(withFixedMemory(new Uint8Array(bytes as ArrayBuffer)));
    }
  };
  const { near, far, left, right, close } = await pair();
  far.ondatachannel = null;
  const wrapped: WasmDataChannel[] = [];
  const refused = near.createDataChannel('refused');
  await fails('out_of_memory', () => {
    for (let index = 0; index < 10_000; index += 1) wrapped.push(new WasmDataChannel(near.createDataChannel(`${index}`)));
  });
  check(wrapped.length > 3, `${wrapped.length} were wrapped`);
  await fails('out_of_memory', () => new WasmDataChannel(refused));
  for (let index = 0; index < 100; index += 1) {
    await left.send(`message ${index}`);
    equal(await take(right, 1), [`message ${index}`], 'over a channel that was there before');
  }
  equal(counts().channels, wrapped.length + 2, 'channels');
  const channels = incoming(far);
  const announced = near.createDataChannel('announced');
  const end = event(announced, 'close');
  await fails('out_of_memory', () => channels.next());
  await end;
  await Promise.all(wrapped.map((channel) => channel.close()));
  await until(() => counts().channels === 2);
  await new WasmDataChannel(near.createDataChannel('again')).close();
  refused.close();
  await left.close();
  await right.closed;
  close();
  WebAssembly.Module = original;
}

/** WebAssembly whose one memory has its initial size as its maximum. */
function withFixedMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = 8;
  const number = (): number => { // unsigned LEB128
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (bytes[at] !== 5) { // the memory section
    at += 1;
    const size = number();
    at += size;
  }
  const start = at;
  at += 1;
  number();
  equal([number(), number()], [1, 0], 'one memory, without a maximum');
  const pagesAt = at;
  number();
  const pages = bytes.subarray(pagesAt, at);
  const section = [1, 1, ...pages, ...pages];
  return bytesOf(...bytes.subarray(0, start), 5, section.length, ...section, ...bytes.subarray(at));
}

/** All room for memories in this page is taken: there is none for the module's. */
export async function noModule(): Promise<void> {
  const taken: WebAssembly.Memory[] = []; // 125 in Chromium, 999 in Firefox
  try {
    for (let index = 0; index < 100_000; index += 1) taken.push(new WebAssembly.Memory({ initial: 1 }));
  } catch (error) {
    check(error instanceof RangeError || error === 'out of memory', String(error));
  }
  const connection = new RTCPeerConnection();
  const channel = connection.createDataChannel('x');
  await fails('out_of_memory', () => new WasmDataChannel(channel));
  equal(channel.readyState, 'connecting', 'a channel that was not touched');
  check(taken.length > 0, 'the memories are held until here');
  connection.close();
}

/** What `new WasmDataChannel` throws in this page. */
export async function wrapError(): Promise<{ code: string; message: string }> {
  const connection = new RTCPeerConnection();
  try {
    const { code, message } = await fails('wasm_blocked', () => new WasmDataChannel(connection.createDataChannel('x')));
    return { code, message };
  } finally {
    connection.close();
  }
}
