// SPDX-License-Identifier: MIT
/* eslint-disable @typescript-eslint/no-non-null-assertion -- a value that is missing fails its test */
//
// The package's tests, in the page: each a function by its name. package.test.mjs runs them.
import { counts, type HostCounts } from 'webrtc-data-channel';
import { counts as framedCounts } from 'webrtc-data-channel/framed';
import './export_calls.js';
import { announcedTests } from './package_announced.js';
import { closingTests } from './package_closing.js';
import { directTests } from './package_direct.js';
import { exampleTests } from './package_examples.js';
import { noModule, noRoom, trap, wrapError } from './package_faults.js';
import { framedTests } from './package_framed.js';
import { lentTests } from './package_lent.js';
import { loneTests } from './package_lone.js';
import { readingTests } from './package_reading.js';
import { sendingTests } from './package_sending.js';
import { streamTests } from './package_streams.js';
import { workerTests } from './package_workers.js';
import { wrappingTests } from './package_wrapping.js';

const tests: Record<string, () => Promise<void>> = {
  ...wrappingTests, ...sendingTests, ...readingTests, ...closingTests, ...directTests, ...announcedTests, ...streamTests,
  ...workerTests, ...exampleTests, ...framedTests, ...lentTests, ...loneTests,
};

/** The counts of both entries together once they are all zero, or as they are after 5 s. */
async function settledCounts(): Promise<HostCounts> {
  const both = (): HostCounts => {
    const sum = counts();
    const others = framedCounts();
    for (const name of Object.keys(others) as (keyof HostCounts)[]) sum[name] += others[name];
    return sum;
  };
  for (let tries = 0; tries < 100 && Object.values(both()).some((count) => count !== 0); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return both();
}

Object.assign(globalThis, {
  packageTests: {
    names: Object.keys(tests),
    run: (name: string) => tests[name]!(),
    noModule,
    noRoom,
    settledCounts,
    trap,
    wrapError,
  },
});
