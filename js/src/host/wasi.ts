// SPDX-License-Identifier: MIT
import type { Memory } from './memory.js';

// WASI preview 1: https://github.com/WebAssembly/WASI, error numbers of its type `errno`.
const kSuccess = 0;
const kBadDescriptor = 8;
const kInvalid = 28;
const kNotSeekable = 70;
const kCharacterDevice = 2;
const kRightToWrite = 1 << 6;

const isOutput = (descriptor: number): boolean => descriptor === 1 || descriptor === 2;

/** The few calls of WASI that libc and libc++ pull in, for a program that has a console and nothing else. */
export function wasiImports(memory: Memory): WebAssembly.ModuleImports {
  const decoders = new Map([[1, new TextDecoder()], [2, new TextDecoder()]]);
  const lines = new Map([[1, ''], [2, '']]);

  // The console knows lines only: the rest waits for its end.
  const write = (descriptor: number, bytes: Uint8Array): void => {
    const text = decoders.get(descriptor)?.decode(bytes.slice(), { stream: true }) ?? '';
    const parts = ((lines.get(descriptor) ?? '') + text).split('\n');
    lines.set(descriptor, parts.pop() ?? '');
    for (const line of parts) {
      if (descriptor === 2) console.error(line);
      else console.log(line);
    }
  };

  const flush = (): void => {
    for (const descriptor of [1, 2]) {
      if (lines.get(descriptor) !== '') write(descriptor, new Uint8Array([10]));
    }
  };

  const setSize = (countPointer: number, sizePointer: number): number => {
    const data = memory.data();
    data.setUint32(countPointer >>> 0, 0, true);
    data.setUint32(sizePointer >>> 0, 0, true);
    return kSuccess;
  };

  return {
    fd_write: (descriptor: number, vectors: number, count: number, written: number) => {
      if (!isOutput(descriptor)) return kBadDescriptor;
      const data = memory.data();
      let total = 0;
      for (let index = 0; index < count; index += 1) {
        const vector = (vectors >>> 0) + 8 * index;
        const length = data.getUint32(vector + 4, true);
        write(descriptor, memory.view(data.getUint32(vector, true), length));
        total += length;
      }
      data.setUint32(written >>> 0, total, true);
      return kSuccess;
    },
    fd_close: (descriptor: number) => (isOutput(descriptor) ? kSuccess : kBadDescriptor),
    fd_seek: (descriptor: number) => (isOutput(descriptor) ? kNotSeekable : kBadDescriptor),
    fd_fdstat_get: (descriptor: number, pointer: number) => {
      if (!isOutput(descriptor)) return kBadDescriptor;
      memory.view(pointer, 24).fill(0);
      const data = memory.data();
      data.setUint8(pointer >>> 0, kCharacterDevice);
      data.setBigUint64((pointer >>> 0) + 8, BigInt(kRightToWrite), true);
      return kSuccess;
    },
    proc_exit: (code: number) => {
      flush();
      throw new WebAssembly.RuntimeError(`the program ended with exit code ${code}`);
    },
    clock_time_get: (clock: number, _precision: bigint, pointer: number) => {
      if (clock !== 0 && clock !== 1) return kInvalid;
      const milliseconds = clock === 0 ? Date.now() : performance.now();
      memory.data().setBigUint64(pointer >>> 0, BigInt(Math.round(milliseconds * 1e6)), true);
      return kSuccess;
    },
    random_get: (pointer: number, length: number) => {
      const kMostAtOnce = 65_536;
      for (let done = 0; done < length >>> 0; done += kMostAtOnce) {
        const random = crypto.getRandomValues(new Uint8Array(Math.min(kMostAtOnce, (length >>> 0) - done)));
        memory.view((pointer >>> 0) + done, random.length).set(random);
      }
      return kSuccess;
    },
    environ_sizes_get: setSize,
    environ_get: () => kSuccess,
    args_sizes_get: setSize,
    args_get: () => kSuccess,
  };
}
