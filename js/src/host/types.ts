// SPDX-License-Identifier: MIT

/** What adoptChannel() may be told about the connection below a channel. */
export interface AdoptOptions {
  /** The connection the channel belongs to: gives the largest message size and makes a dead peer noticed. */
  peerConnection?: RTCPeerConnection;
  /** Milliseconds that connection may stay `disconnected` before the channel fails with `peer_lost`. Default 10,000. */
  disconnectedTimeout?: number;
}

/** What is alive in an instance. All zeros once everything was closed and released. */
export interface HostCounts {
  channels: number;
  peers: number;
  pipes: number;
  slots: number;
  /** Event listeners that are attached right now. */
  handlers: number;
  timers: number;
}

/** For runtimes that suspend the stack of C++ by themselves, unseen by call(): Emscripten's Asyncify and JSPI. */
export interface Suspension {
  isSuspended(): boolean;
  /** `listener` is to be called each time a suspended stack goes on. */
  onResumed(listener: () => void): void;
}

/** Takes messages of a channel that need not pass through C++. */
export interface DirectReader {
  /** Bytes of the largest message that it may be given right now, by what C++ has of the channel; 0: none. Changes nothing. */
  limit(): number;
  /** `size`: in bytes, of a string as UTF-8. False: this one has to go to C++. Must not throw. */
  message(data: ArrayBuffer | string, size: number): boolean;
  /** A message goes to C++ next. Must not throw. */
  settle(): void;
}

/** Sends messages of a channel past C++. */
export interface DirectSender {
  /** An event of the channel goes to C++ next, which may change what it lets pass. Must not throw. */
  settle(): void;
}

/** The JavaScript side of one WebAssembly instance: docs/wire/host.md. */
export interface Host {
  /** For WebAssembly.instantiate; may be spread beside a module's own imports, which must not throw. */
  readonly imports: { wdc: WebAssembly.ModuleImports; wasi_snapshot_preview1: WebAssembly.ModuleImports };
  /** Takes the instance made with `imports`; runs its constructors, then its `main` if it has one. Once. */
  bind(instance: WebAssembly.Instance): void;
  /**
   * Takes a channel over, synchronously: from now on no event of it is lost. Gives its number for C++ (HostChannel).
   * Throws WdcError: invalid_argument, already_wrapped, closed, wasm_trapped.
   */
  adoptChannel(channel: RTCDataChannel, options?: AdoptOptions): number;
  /**
   * @internal From now on messages of `channel`, adopted as `number`, go to `reader` while C++ has none that came before; undefined: all
   * go to C++ again. Does nothing once it was released, though others may have the number since.
   */
  readDirectly(number: number, channel: RTCDataChannel, reader: DirectReader | undefined): void;
  /** @internal `sender` hears of the events of `channel`, adopted as `number`, that are no messages: Firefox sends into closed ones. */
  sendDirectly(number: number, channel: RTCDataChannel, sender: DirectSender): void;
  /** Puts an ArrayBuffer, a view or a string on its way into C++. */
  putSlot(value: ArrayBufferLike | ArrayBufferView | string): number;
  /** Takes what C++ put there, and frees the slot. */
  takeSlot(slot: number): unknown;
  /**
   * Every call into the module's exports that may run others' code goes through this. Turns a trap into a dead instance (throws WdcError
   * wasm_trapped) and afterwards pumps if C++ asked for it. If `fn` gives a promise (a suspended stack), events wait
   * until it is settled. Up to four arguments are passed on, which saves the way of every message a function of its own.
   */
  call<T, A = undefined, B = undefined, C = undefined, D = undefined>(
    fn: (a: A, b: B, c: C, d: D) => T, a?: A, b?: B, c?: C, d?: D): T;
  /**
   * @internal `tell` is called before C++ is entered again for whatever reason, once, and may call exports itself. False: it will not be,
   * as C++ is on the stack.
   */
  beforeEntry(tell: () => void): boolean;
  /** Why the instance is dead; undefined while it lives. */
  readonly dead: Error | undefined;
  /** Called once when the instance dies, after its channels were closed. At once if it is dead already. */
  onDead(listener: (reason: Error) => void): void;
  counts(): HostCounts;
}
