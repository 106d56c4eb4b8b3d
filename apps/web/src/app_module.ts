// SPDX-License-Identifier: MIT
import { createHost } from 'webrtc-data-channel/host';

export type Direction = 'outgoing' | 'incoming';
export type StopReason = 'declined' | 'cancelled' | 'read_failed' | 'write_failed' | 'hash_mismatch';

/** `later`: come back when appModule.readable() or putAway() was called. */
export type Answer = 'now' | 'later' | 'failed';

/** What the module tells the page. None of it may call the module back at once, nor throw: docs/wire/host.md. */
export interface AppEvents {
  waiting(): void;
  ready(): void;
  /** The connection ended, or there is none to be had: `code: what happened`. */
  ended(reason: string): void;
  offered(name: string, type: string, size: number): void;
  accepted(): void;
  stopped(direction: Direction, reason: StopReason, byPeer: boolean): void;
  done(direction: Direction, sha256: string): void;
  /** Bytes of the outgoing file from `offset` on, to be copied to `target`. */
  read(offset: number, target: Uint8Array): Answer;
  /** Bytes of incoming file `id`, to be copied before it returns. */
  write(id: number, bytes: Uint8Array): Answer;
}

const reasons: readonly StopReason[] = ['declined', 'cancelled', 'read_failed', 'write_failed', 'hash_mismatch'];
const directions: readonly Direction[] = ['outgoing', 'incoming'];
const answers: Record<Answer, number> = { failed: -1, later: 0, now: 1 };

interface Exports {
  memory: WebAssembly.Memory;
  app_texts(): number;
  app_texts_size(): number;
  app_start(urlLength: number, roomLength: number): void;
  app_stop(): void;
  app_offer(size: number, nameLength: number, typeLength: number): number;
  app_accept(): void;
  app_cancel(direction: number, reason: number): void;
  app_readable(): void;
  app_put_away(id: number, bytes: number): void;
  app_progress(direction: number): number;
}

/** The C++ of this page: everything that is said to the other page. apps/web/README.md has the wall between the two. */
export interface AppModule {
  start(url: string, room: string): void;
  stop(): void;
  /** False if no file can be offered now. */
  offer(size: number, name: string, type: string): boolean;
  accept(): void;
  cancel(direction: Direction, reason: StopReason): void;
  readable(): void;
  putAway(id: number, bytes: number): void;
  /** Bytes of the file under way: outgoing ones that the other end has taken, incoming ones. */
  progress(direction: Direction): number;
}

export async function loadAppModule(url: string, events: AppEvents, onDead: (reason: Error) => void): Promise<AppModule> {
  const host = createHost();
  host.onDead(onDead);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const bytesAt = (pointer: number, length: number): Uint8Array =>
    new Uint8Array(exports.memory.buffer, pointer >>> 0, length);
  // A copy: decoders refuse shared memory.
  const textAt = (pointer: number, length: number): string => decoder.decode(bytesAt(pointer, length).slice());
  const directionOf = (number: number): Direction => directions[number] ?? 'incoming';

  const imports = {
    connection(state: number, pointer: number, length: number): void {
      if (state === 0) events.waiting();
      else if (state === 1) events.ready();
      else events.ended(textAt(pointer, length));
    },
    offered(size: number, name: number, nameLength: number, type: number, typeLength: number): void {
      events.offered(textAt(name, nameLength), textAt(type, typeLength), size);
    },
    transfer(direction: number, what: number, pointer: number, length: number): void {
      const text = textAt(pointer, length);
      if (what === 0) events.accepted();
      else if (what === 3) events.done(directionOf(direction), text);
      else events.stopped(directionOf(direction), reasons.find((reason) => reason === text) ?? 'cancelled', what === 2);
    },
    read: (offset: number, target: number, length: number): number =>
      answers[events.read(offset, bytesAt(target, length))],
    write: (id: number, pointer: number, length: number): number => answers[events.write(id, bytesAt(pointer, length))],
  };
  const { instance } = await WebAssembly.instantiateStreaming(fetch(url), { ...host.imports, app: imports });
  const exports = instance.exports as unknown as Exports;
  host.bind(instance);

  /** Writes texts one behind the other; gives their lengths. */
  const putTexts = (...texts: string[]): number[] => {
    const target = bytesAt(exports.app_texts(), exports.app_texts_size());
    let offset = 0;
    return texts.map((text) => {
      const { written } = encoder.encodeInto(text, target.subarray(offset));
      offset += written;
      return written;
    });
  };

  return {
    start: (address, room) =>
      host.call(() => {
        const [urlLength = 0, roomLength = 0] = putTexts(address, room);
        exports.app_start(urlLength, roomLength);
      }),
    stop: () => host.call(() => exports.app_stop()),
    offer: (size, name, type) =>
      host.call(() => {
        const [nameLength = 0, typeLength = 0] = putTexts(name, type);
        return exports.app_offer(size, nameLength, typeLength) === 1;
      }),
    accept: () => host.call(() => exports.app_accept()),
    cancel: (direction, reason) =>
      host.call(() => exports.app_cancel(directions.indexOf(direction), reasons.indexOf(reason) + 1)),
    readable: () => host.call(() => exports.app_readable()),
    putAway: (id, bytes) => host.call(() => exports.app_put_away(id, bytes)),
    progress: (direction) => host.call(() => exports.app_progress(directions.indexOf(direction))),
  };
}
