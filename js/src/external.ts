// SPDX-License-Identifier: MIT
//
// The package with its WebAssembly as a file of its own instead of inside the script.
import { describe, WdcError } from './error.js';
import { compileError, provideCode, requireWebAssembly } from './module.js';

export * from './index.js';

let loading: Promise<void> | undefined;

/**
 * Fetches the package's WebAssembly and compiles it while it arrives; until it has resolved, making a channel is
 * `invalid_state`. Loads once: later calls give the first one's promise, whatever their argument. After a failure it may be
 * called again.
 *
 * @param source where `webrtc_data_channel.wasm` is. Default: beside this script, where Vite and webpack put it themselves;
 * esbuild does not. Or the compiled module, e.g. as another thread sent it.
 *
 * Rejects with WdcError `invalid_argument` (no WebAssembly is there; says the address and what was answered), `wasm_blocked`,
 * `unsupported`, `out_of_memory`.
 */
export function load(
  source: string | URL | WebAssembly.Module = new URL('./webrtc_data_channel.wasm', import.meta.url),
): Promise<void> {
  loading ??= compile(source).then(provideCode).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function compile(source: string | URL | WebAssembly.Module): Promise<WebAssembly.Module> {
  requireWebAssembly();
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source !== 'string' && !(source instanceof URL)) {
    throw new WdcError('invalid_argument', `load() takes an address or a WebAssembly.Module, not ${describe(source)}`);
  }
  const response = await fetch(source).catch((cause: unknown) => {
    throw notThere(source, String(cause), cause);
  });
  if (!response.ok) throw notThere(source, `status ${response.status}`);
  const type = response.headers.get('Content-Type')?.trim().toLowerCase();
  try {
    // What is declared as anything else, be it with a parameter, is not compiled while it arrives.
    if (type === 'application/wasm') return await WebAssembly.compileStreaming(response);
    const bytes = await response.arrayBuffer();
    if (!isWebAssembly(bytes)) throw notThere(source, `not WebAssembly but ${type ?? 'of no type'}`);
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw error instanceof WdcError ? error : compileError(error);
  }
}

/** Begins with the magic number. A server often answers with a page where there is no file. */
function isWebAssembly(bytes: ArrayBuffer): boolean {
  return bytes.byteLength >= 8 && new DataView(bytes).getUint32(0) === 0x0061736d;
}

function notThere(source: string | URL, detail: string, cause?: unknown): WdcError {
  return new WdcError('invalid_argument', `load() found no WebAssembly at ${String(source)}: ${detail}`, { cause });
}
