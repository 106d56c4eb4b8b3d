// SPDX-License-Identifier: MIT
import { createHost } from 'webrtc-data-channel/host';

/** An instance of the benchmarks' C++ (transfer.cc, crossing.cc): { host, exports, onFinished }. */
export async function loadBenchModule() {
  const host = createHost();
  const loaded = { host, exports: undefined, onFinished: () => undefined };
  const bench = { finished: (error) => loaded.onFinished(error, performance.now()) };
  const { instance } = await WebAssembly.instantiateStreaming(fetch('bench.wasm'), { ...host.imports, bench });
  host.bind(instance);
  loaded.exports = instance.exports;
  return loaded;
}
