// SPDX-License-Identifier: MIT

export type Timer = ReturnType<typeof setTimeout>;

/** Counts what an instance has attached to the page, so that tests can see that nothing stays behind. */
export class Ledger {
  handlers = 0;
  timers = 0;

  listen(target: EventTarget, types: readonly string[], listener: EventListenerOrEventListenerObject): void {
    for (const type of types) target.addEventListener(type, listener);
    this.handlers += types.length;
  }

  /** With the arguments of listen(), once. */
  unlisten(target: EventTarget, types: readonly string[], listener: EventListenerOrEventListenerObject): void {
    for (const type of types) target.removeEventListener(type, listener);
    this.handlers -= types.length;
  }

  setTimer(run: () => void, milliseconds: number): Timer {
    this.timers += 1;
    return setTimeout(() => {
      this.timers -= 1;
      run();
    }, milliseconds);
  }

  /** Only a timer that has not fired. */
  clearTimer(timer: Timer): void {
    this.timers -= 1;
    clearTimeout(timer);
  }
}
