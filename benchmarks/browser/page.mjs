// SPDX-License-Identifier: MIT
//
// What the page offers the benchmark that drives it.
import { makePair } from './connection.mjs';
import { cppTransfer } from './cpp_transfer.mjs';
import { measureCrossing } from './crossing.mjs';
import { framedAwaitTransfer, framedTransfer, jsAwaitTransfer, jsDefaultsTransfer, jsTransfer } from './js_transfer.mjs';
import { packagePingPong, rawPingPong } from './ping_pong.mjs';
import { rawBytesTransfer, rawTransfer } from './raw_transfer.mjs';
import { watchTimers } from './timer_gap.mjs';

const transfers = {
  raw: rawTransfer, 'raw-bytes': rawBytesTransfer,
  js: jsTransfer, 'js-await': jsAwaitTransfer, 'js-defaults': jsDefaultsTransfer, cpp: cppTransfer,
  'framed-js': framedTransfer, 'framed-js-await': framedAwaitTransfer, 'framed-cpp': cppTransfer,
  'ping-pong-raw': rawPingPong, 'ping-pong': packagePingPong,
};
const framed = ['framed-js', 'framed-js-await', 'framed-cpp', 'ping-pong'];

// The last message has to arrive within this; a collapsed channel needs a while for what is buffered.
const arrivalMs = 60_000;

function makeMessage(size) {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + 7) & 0xff);
}

/** Rejects when the promise takes longer. */
async function within(milliseconds, promise, describe) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(describe())), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends for `seconds`; from the first send until the last message has arrived. */
async function phase(transfer, seconds) {
  const timers = watchTimers();
  const start = performance.now();
  setTimeout(() => transfer.stop(), seconds * 1000);
  const { messages, end } = await within(seconds * 1000 + arrivalMs, transfer.run(), () => {
    const { received } = transfer.received();
    return `messages are missing: ${received} have arrived`;
  });
  return { messages, seconds: (end - start) / 1000, maxTimerGapMs: timers.stop() };
}

/** One run on a connection of its own, after a warm-up on it. */
async function measureTransfer({ name, size, seconds, warmupSeconds, high, low }) {
  const pair = makePair(framed.includes(name) ? 'wdc.framed.v1' : '');
  try {
    const transfer = await transfers[name](pair, { message: makeMessage(size), high, low });
    await within(20_000, pair.opened, () => 'the connection did not open');
    await phase(transfer, warmupSeconds);
    const result = await phase(transfer, seconds);
    const { received, bytes } = transfer.received();
    if (bytes !== received * size) throw new Error(`${bytes} bytes in ${received} messages of ${size}`);
    await transfer.close();
    return result;
  } finally {
    pair.close();
  }
}

globalThis.bench = { measureTransfer, measureCrossing };
