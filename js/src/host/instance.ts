// SPDX-License-Identifier: MIT
import { WdcError } from '../error.js';
import type { EventReceiver, HostEvent } from './event_source.js';
import { LastError, reasonOf } from './errors.js';
import type { ModuleExports } from './module_exports.js';
import { Ledger, type Timer } from './ledger.js';
import { Memory, sizeOf } from './memory.js';
import { Table } from './table.js';
import type { Suspension } from './types.js';

/** setTimeout takes no longer delay; the rest is waited for in further ones. */
const kLongestDelay = 2 ** 31 - 1;

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

/** True for what leaves C++ in an unknown state: a trap, or the end of JavaScript's stack (InternalError in Firefox). */
function isTrap(error: unknown): boolean {
  if (error instanceof WebAssembly.RuntimeError) return true;
  if (!(error instanceof Error)) return false;
  return (error.name === 'RangeError' || error.name === 'InternalError') && /call stack|recursion/i.test(error.message);
}

// What hinders an event from entering C++ at once, and what is to be done when C++ is left: for most messages nothing at all. In
// fields of their own they took Firefox 6 to 18 ns more a message (of 100 to 270), Chromium at most 5 (of 85 to 140).
const kEntered = 1; // C++ is on the stack or suspended: events wait then
const kEventsWait = 2;
const kDead = 4;
const kPumpRequested = 8;
const kTurnEndRequested = 16;
const kToTellFirst = 32; // beforeEntry

/** One module instance as the host sees it: how C++ is entered and left, its memory, slots, timer and end. */
export class Instance {
  readonly memory = new Memory();
  readonly slots = new Table<unknown>();
  readonly ledger = new Ledger();
  readonly lastError = new LastError();
  dead: WdcError | undefined;
  exports: ModuleExports = {} as ModuleExports;
  /** Where C++ takes the next small message, of whichever channel; 0: nowhere. */
  smallPlace = 0;

  #state = 0;
  #turnRequested = false;
  #beforeEntry: (() => void) | undefined;
  // Receivers and their events, alternating.
  #queue: (EventReceiver | HostEvent)[] = [];
  readonly #suspension: Suspension | undefined;
  #channel: MessageChannel | undefined;
  #timer: Timer | undefined;
  #deadline = -1;
  readonly #deathListeners: ((reason: WdcError) => void)[] = [];
  readonly #owned: { release(): void }[] = [];

  constructor(suspension?: Suspension) {
    this.#suspension = suspension;
    suspension?.onResumed(() => this.#requestTurnIfNeeded());
  }

  /** Registers what has to be released when the instance dies. */
  own(table: { release(): void }): void {
    this.#owned.push(table);
  }

  call<T, A, B, C, D>(fn: (a: A, b: B, c: C, d: D) => T, a: A, b: B, c: C, d: D): T {
    if (this.dead) throw this.dead;
    if (this.#has(kEntered)) return this.#callInside(fn, a, b, c, d);
    const reason = this.#begin();
    if (reason) throw reason;
    let result: T;
    try {
      result = fn(a, b, c, d);
    } catch (error) {
      if (isTrap(error)) throw this.die(error);
      this.leave();
      throw error;
    }
    if (isPromise(result)) return this.#leaveWhenSettled(result) as T;
    this.leave();
    return result;
  }

  /** Hands an event to C++, now or once C++ has left the stack. The order of events is kept. */
  deliver(receiver: EventReceiver, event: HostEvent): void {
    if (!this.enter()) {
      this.enqueue(receiver, event);
      return;
    }
    try {
      receiver.receive(event);
    } catch (error) {
      this.die(error);
      return;
    }
    this.leave();
  }

  /** True if an event may enter C++ right now, and no other waits before it; leave() or die() has to follow. */
  enter(): boolean {
    if (this.#state === 0 && !this.#isSuspended()) {
      this.#state = kEntered;
      return true;
    }
    return this.isIdle && this.#begin() === undefined;
  }

  /** See Host. */
  beforeEntry(tell: () => void): boolean {
    if (!this.isIdle || this.#beforeEntry !== undefined) return false;
    this.#beforeEntry = tell;
    this.#state |= kToTellFirst;
    return true;
  }

  /** C++ is entered. Gives why not, if what was to be told first has ended the instance. */
  #begin(): WdcError | undefined {
    const tell = this.#beforeEntry;
    this.#state = (this.#state & ~kToTellFirst) | kEntered;
    if (tell === undefined) return undefined;
    this.#beforeEntry = undefined;
    try {
      tell();
      return undefined;
    } catch (error) {
      return this.die(error);
    }
  }

  /** Nothing of C++ is on the stack, and nothing waits for it to leave. */
  get isIdle(): boolean {
    return !this.#has(kEntered | kEventsWait | kDead) && !this.#isSuspended();
  }

  hasQueued(receiver: EventReceiver): boolean {
    return this.#queue.includes(receiver);
  }

  /** Hands an event over in a later turn. */
  enqueue(receiver: EventReceiver, event: HostEvent): void {
    if (this.dead) return;
    this.#queue.push(receiver, event);
    this.#ask(kEventsWait);
  }

  requestPump(): void {
    this.#ask(kPumpRequested);
  }

  /** `wdc_turn_end` in a macrotask of its own: after the present one, whatever enters C++ in it. */
  requestTurnEnd(): void {
    this.#state |= kTurnEndRequested;
    this.#requestTurn();
  }

  setDeadline(deadline: number): void {
    this.#deadline = deadline;
    if (this.#timer !== undefined) this.ledger.clearTimer(this.#timer);
    this.#timer = undefined;
    if (deadline >= 0) this.#armTimer();
  }

  onDead(listener: (reason: Error) => void): void {
    if (this.dead) listener(this.dead);
    else this.#deathListeners.push(listener);
  }

  /** A string as a slot; 0 for undefined and null. */
  putText(text: string | null | undefined): number {
    return text === undefined || text === null ? 0 : this.slots.put(text);
  }

  slotSize(slot: number): number {
    return sizeOf(this.slots.get(slot));
  }

  #callInside<T, A, B, C, D>(fn: (a: A, b: B, c: C, d: D) => T, a: A, b: B, c: C, d: D): T {
    try {
      return fn(a, b, c, d);
    } catch (error) {
      throw isTrap(error) ? this.die(error) : error;
    }
  }

  // The suspended stack counts as entered until it has ended.
  #leaveWhenSettled(result: Promise<unknown>): Promise<unknown> {
    return result.then(
      (value) => {
        this.leave();
        return value;
      },
      (error: unknown) => {
        if (isTrap(error)) throw this.die(error);
        this.leave();
        throw error;
      },
    );
  }

  // Delivers what waits, then pumps once. What that asks for again comes in a macrotask of its own, so that a busy task in
  // C++ cannot starve the page.
  leave(turnEnds = false): void {
    if (this.#state === kEntered) {
      this.#state = 0;
      return;
    }
    if (this.dead) return;
    try {
      if (!this.#isSuspended()) {
        if (turnEnds) this.#endTurn();
        this.#deliverQueued();
        if (this.#has(kPumpRequested)) this.#pump();
      }
    } catch (error) {
      this.die(error);
      return;
    }
    this.#state &= ~kEntered;
    this.#requestTurnIfNeeded();
  }

  #endTurn(): void {
    if (!this.#has(kTurnEndRequested)) return;
    this.#state &= ~kTurnEndRequested;
    this.exports.wdc_turn_end();
  }

  #isSuspended(): boolean {
    return this.#suspension?.isSuspended() ?? false;
  }

  #pump(): void {
    if (this.#isSuspended()) return; // by what an event has resumed
    this.#state &= ~kPumpRequested;
    this.exports.wdc_pump();
  }

  #deliverQueued(): void {
    if (!this.#has(kEventsWait)) return;
    const queue = this.#queue;
    this.#queue = [];
    this.#state &= ~kEventsWait;
    for (let index = 0; index < queue.length; index += 2) {
      (queue[index] as EventReceiver).receive(queue[index + 1] as HostEvent);
      if (!this.#isSuspended()) continue;
      this.#queue = [...queue.slice(index + 2), ...this.#queue];
      if (this.#queue.length > 0) this.#state |= kEventsWait;
      return;
    }
  }

  #has(any: number): boolean {
    return (this.#state & any) !== 0;
  }

  #ask(what: number): void {
    this.#state |= what;
    if (!this.#has(kEntered)) this.#requestTurn();
  }

  #requestTurnIfNeeded(): void {
    if (this.#has(kEventsWait | kPumpRequested | kTurnEndRequested)) this.#requestTurn();
  }

  #requestTurn(): void {
    if (this.#turnRequested || this.dead) return;
    this.#turnRequested = true;
    if (this.#channel === undefined) {
      this.#channel = new MessageChannel();
      this.#channel.port1.onmessage = () => this.#turn();
    }
    this.#channel.port2.postMessage(undefined);
  }

  #turn(): void {
    this.#turnRequested = false;
    if (this.#has(kEntered | kDead) || this.#isSuspended()) return; // on leaving and on resuming, C++ is pumped anyway
    if (!this.#begin()) this.leave(true);
  }

  #armTimer(): void {
    const delay = Math.max(0, Math.min(kLongestDelay, Math.ceil(this.#deadline - performance.now())));
    this.#timer = this.ledger.setTimer(() => {
      this.#timer = undefined;
      // Timers may fire early by a clock's granularity.
      if (performance.now() < this.#deadline) {
        this.#armTimer();
        return;
      }
      this.#deadline = -1;
      this.#state |= kPumpRequested;
      this.#turn();
    }, delay);
  }

  // Also for whatever else leaves an event or the pump: it passed C++ functions whose destructors did not run.
  die(error: unknown): WdcError {
    if (this.dead) return this.dead;
    const reason = new WdcError('wasm_trapped', reasonOf(error), { cause: error });
    this.dead = reason;
    this.#state |= kDead;
    this.#beforeEntry = undefined;
    this.setDeadline(-1);
    this.#queue = [];
    this.#channel?.port1.close();
    for (const table of this.#owned) table.release();
    this.slots.clear();
    for (const listener of this.#deathListeners.splice(0)) {
      try {
        listener(reason);
      } catch (failure) {
        console.error(failure); // one listener's error is not the next one's
      }
    }
    return reason;
  }
}
