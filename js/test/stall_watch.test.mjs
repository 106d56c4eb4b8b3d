// SPDX-License-Identifier: MIT
//
// The watch over a buffer of Chromium's that does not move, without a browser: timers are run by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './support/load.mjs';

const version = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)';
const agents = {
  'Chrome with a window': `${version} Chrome/156.0.0.0 Safari/537.36`,
  'Chrome without one': `${version} HeadlessChrome/156.0.0.0 Safari/537.36`,
  Firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0',
};

/** A watch in a browser of that name, over a buffer of 1,000 bytes with a threshold of 100. */
async function watchIn(userAgent) {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent }, configurable: true, writable: true });
  try {
    const { StallWatch } = await load('host/stall_watch.ts', userAgent);
    const timers = new Set();
    const ledger = {
      setTimer(run) {
        timers.add(run);
        return run;
      },
      clearTimer: (run) => timers.delete(run),
    };
    const channel = { bufferedAmount: 1000, bufferedAmountLowThreshold: 100 };
    const all = { channel, timers, told: 0 };
    all.watch = new StallWatch(ledger, channel, () => {
      all.told += 1;
    });
    all.pass = () => {
      for (const run of [...timers]) {
        timers.delete(run);
        run();
      }
    };
    return all;
  } finally {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else delete globalThis.navigator;
  }
}

for (const [name, userAgent] of Object.entries(agents)) {
  const wanted = name === 'Firefox' ? 0 : 1;
  test(`a full buffer that does not move is told ${wanted === 1 ? 'once' : 'to nobody'} in ${name}`, async () => {
    const all = await watchIn(userAgent);
    all.watch.look(1000);
    assert.equal(all.timers.size, wanted);
    all.pass();
    assert.equal(all.told, wanted);
    all.watch.look(1000);
    all.pass();
    assert.equal(all.told, wanted);
    all.watch.reset();
    all.watch.look(1000);
    all.pass();
    assert.equal(all.told, 2 * wanted);
  });
}

test('a buffer that moves, or that nobody waits for, is not told', async () => {
  const all = await watchIn(agents['Chrome without one']);
  all.watch.look(100);
  assert.equal(all.timers.size, 0);
  all.watch.look(1000);
  all.channel.bufferedAmount = 500;
  all.pass();
  assert.deepEqual([all.told, all.timers.size], [0, 1]);
  all.watch.reset();
  assert.equal(all.timers.size, 0);
});
