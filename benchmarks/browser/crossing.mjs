// SPDX-License-Identifier: MIT
//
// What a message costs on its way to its reader, without any network: buffers in memory, given to the listener that the
// reader attached, in plain objects; for the cases that are named for it in MessageEvents of the browser.
/* global MessageEvent */
import { WasmDataChannel } from 'webrtc-data-channel';
import { loadBenchModule } from './bench_module.mjs';

/** As much of an RTCDataChannel as its wrappers touch, with events that the benchmark feeds. */
class FedChannel {
  label = 'bench';
  protocol = '';
  ordered = true;
  negotiated = false;
  id = 0;
  maxRetransmits = null;
  maxPacketLifeTime = null;
  readyState = 'open';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  binaryType = 'arraybuffer';
  listener = undefined;

  get [Symbol.toStringTag]() {
    return 'RTCDataChannel';
  }

  addEventListener(type, listener) {
    if (type === 'message') this.listener = listener;
  }

  removeEventListener(type) {
    if (type === 'message') this.listener = undefined;
  }

  close() {
    this.readyState = 'closed';
  }
}

const nextTurn = () => new Promise((resolve) => setTimeout(resolve));

// Each reader: { listener, messages(), sum() (undefined where bytes are not read), close() }.

function plainReader(handle, state) {
  return { listener: handle, messages: () => state.messages, sum: () => state.sum, close: () => undefined };
}

/** A loop over the bytes as one writes it in JavaScript. */
function jsSumReader() {
  const state = { messages: 0, sum: 0 };
  return plainReader(({ data }) => {
    const bytes = new Uint8Array(data);
    let sum = 0;
    for (let index = 0; index < bytes.length; index += 1) sum += bytes[index];
    state.sum += sum;
    state.messages += 1;
  }, state);
}

/** The least that a JavaScript reader does. */
function jsViewReader() {
  const state = { messages: 0, sum: undefined, bytes: 0 };
  return plainReader(({ data }) => {
    state.bytes += new Uint8Array(data).length;
    state.messages += 1;
  }, state);
}

/** What the browser itself takes to hand out the buffer of an event: in every other figure, too. */
function eventReader() {
  const state = { messages: 0, sum: undefined, last: undefined };
  return plainReader(({ data }) => {
    state.last = data;
    state.messages += 1;
  }, state);
}

/** The npm package's listener, for which the bytes stay where they are. */
async function packageReader() {
  const rtc = new FedChannel();
  const channel = new WasmDataChannel(rtc);
  let messages = 0;
  let bytes = 0;
  channel.startListening((message) => {
    bytes += message.length;
    messages += 1;
  });
  await nextTurn();
  return { listener: rtc.listener, messages: () => messages, sum: () => undefined, close: () => channel.abort(), bytes: () => bytes };
}

let loading;

async function cppReader(readsBytes) {
  const rtc = new FedChannel();
  loading ??= loadBenchModule(); // one for all, as a page has one: browsers call the exports of several less directly
  const { host, exports } = await loading;
  const handle = host.adoptChannel(rtc);
  const number = host.call(() => exports.crossing_open(handle, readsBytes ? 1 : 0));
  if (number < 0) throw new Error(`crossing_open: error ${-number}`);
  await nextTurn();
  return {
    listener: rtc.listener,
    messages: () => exports.crossing_messages(number),
    sum: () => (readsBytes ? exports.crossing_sum(number) : undefined),
    close: () => host.call(() => exports.crossing_close(number)),
  };
}

const readers = {
  'cpp-sum': () => cppReader(true),
  'cpp-event': () => cppReader(true),
  'js-sum': jsSumReader,
  'cpp-size': () => cppReader(false),
  'package': packageReader,
  'js-view': jsViewReader,
  'event': eventReader,
};

/** Fed with what the browser makes, whose `data` costs half as much again as the whole way at 64 bytes. */
const withRealEvents = new Set(['cpp-event', 'event']);

// What arrives in one go before a reader gets its turn; larger would measure the memory's speed, not the crossing's.
const bytesInMemory = 1 << 20;

function makeBuffers(size) {
  const count = Math.max(4, Math.min(1024, bytesInMemory / size));
  return Array.from({ length: count }, (_, index) => (
    new Uint8Array(size).map((_byte, place) => (place * 31 + index) & 0xff).buffer));
}

const sumOf = (buffer) => new Uint8Array(buffer).reduce((sum, byte) => sum + byte, 0);

/** Feeds `count` messages; milliseconds until the reader has had them all. Throws if it saw other bytes. */
async function feed(reader, events, sums, count) {
  const { listener } = reader;
  const messages = reader.messages() + count;
  const sum = reader.sum();
  const start = performance.now();
  for (let index = 0, place = 0; index < count; index += 1) {
    listener(events[place]);
    place += 1;
    if (place === events.length) place = 0;
  }
  while (reader.messages() < messages) await nextTurn();
  const elapsed = performance.now() - start;
  if (sum !== undefined) {
    const rounds = Math.floor(count / events.length);
    const rest = sums.slice(0, count % events.length).reduce((total, each) => total + each, 0);
    const expected = sum + rounds * sums.reduce((total, each) => total + each, 0) + rest;
    if (reader.sum() !== expected) throw new Error(`bytes add up to ${reader.sum()}, not ${expected}`);
  }
  return elapsed;
}

/** Browsers compile in steps, on another thread: for this long the figures still fall. */
const warmupMs = 200;

async function warmUp(reader, events, sums) {
  for (const end = performance.now() + warmupMs; performance.now() < end;) await feed(reader, events, sums, events.length);
}

/** How many messages take about `milliseconds`. */
async function calibrate(reader, events, sums, milliseconds) {
  for (let count = 16; ; count *= 2) {
    const elapsed = await feed(reader, events, sums, count);
    if (elapsed > milliseconds / 2) return Math.max(1, Math.round((count * milliseconds) / elapsed));
  }
}

/** Nanoseconds a message, one figure a batch, for each case: { [case]: number[] }. The cases take turns. */
export async function measureCrossing({ size, cases, batches, batchMs }) {
  const buffers = makeBuffers(size);
  const sums = buffers.map(sumOf);
  const plain = buffers.map((data) => ({ type: 'message', data }));
  const real = buffers.map((data) => new MessageEvent('message', { data }));
  const open = [];
  try {
    for (const name of cases) {
      const reader = await readers[name]();
      open.push({ name, reader, events: withRealEvents.has(name) ? real : plain, count: 0, nanoseconds: [] });
    }
    for (const { reader, events } of open) await warmUp(reader, events, sums);
    for (const entry of open) entry.count = await calibrate(entry.reader, entry.events, sums, batchMs);
    for (let batch = 0; batch < batches; batch += 1) {
      for (const { reader, events, count, nanoseconds } of batch % 2 === 0 ? open : [...open].reverse()) {
        nanoseconds.push(((await feed(reader, events, sums, count)) * 1e6) / count);
      }
    }
    return Object.fromEntries(open.map(({ name, nanoseconds }) => [name, nanoseconds]));
  } finally {
    for (const { reader } of open) reader.close();
  }
}
