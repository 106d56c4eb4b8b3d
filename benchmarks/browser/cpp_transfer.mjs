// SPDX-License-Identifier: MIT
import { loadBenchModule } from './bench_module.mjs';

let loading;

/** C++ on both ends: it sends from linear memory and reads every byte of what arrives. */
export async function cppTransfer({ near, far, connections }, { message, high, low }) {
  loading ??= loadBenchModule();
  const module = await loading;
  const { host, exports } = module;
  const handles = [near, far].map((channel, end) => host.adoptChannel(channel, { peerConnection: connections[end] }));
  const failed = host.call(() => exports.bench_open(...handles, high, low, message.length));
  if (failed !== 0) throw new Error(`bench_open: error ${failed}`);
  new Uint8Array(exports.memory.buffer, exports.bench_message() >>> 0, message.length).set(message);

  const result = () => ({
    sent: exports.bench_sent(),
    received: exports.bench_received(),
    bytes: exports.bench_received_bytes(),
    sum: exports.bench_received_sum(),
  });
  const sumOfOne = message.reduce((sum, byte) => sum + byte, 0);

  return {
    async run() {
      const before = result().sent;
      const end = await new Promise((resolve, reject) => {
        module.onFinished = (error, now) => (error === 0 ? resolve(now) : reject(new Error(`sending: error ${error}`)));
        host.call(() => exports.bench_run());
      });
      const { sent, received, sum } = result();
      if (sum !== received * sumOfOne) throw new Error(`bytes add up to ${sum}, not ${received * sumOfOne}`);
      return { messages: sent - before, end };
    },
    stop: () => host.call(() => exports.bench_stop()),
    close: () => host.call(() => exports.bench_close()),
    received: result,
  };
}
