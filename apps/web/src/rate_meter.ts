// SPDX-License-Identifier: MIT

export interface RatePoint {
  /** Seconds since the start. */
  time: number;
  /** Bytes per second over the interval that ends here. */
  rate: number;
}

const maxPoints = 160;
const stall = 1; // seconds
const currentWindow = 1.5; // seconds: long enough to be read, short enough to be true

/** Bytes over time of one transfer. However long it takes, the whole of it is kept in at most 160 points. */
export class RateMeter {
  readonly #start: number;
  #marks: { time: number; bytes: number }[] = [{ time: 0, bytes: 0 }];
  #recent: { time: number; bytes: number }[] = [{ time: 0, bytes: 0 }];
  #interval = 0.1;

  constructor(now: number) {
    this.#start = now;
  }

  /** `now` in milliseconds. */
  add(now: number, bytes: number): void {
    const mark = { time: (now - this.#start) / 1000, bytes };
    this.#recent.push(mark);
    while (this.#recent.length > 2 && mark.time - (this.#recent[1]?.time ?? 0) > currentWindow) this.#recent.shift();
    const last = this.#marks.at(-1);
    if (last !== undefined) {
      const passed = mark.time - last.time;
      // Progress comes in steps: a slow one spreads over the time it took, and only a real pause shows as one.
      if (passed < this.#interval || (bytes === last.bytes && passed < stall)) return;
    }
    this.#marks.push(mark);
    if (this.#marks.length <= maxPoints) return;
    this.#marks = this.#marks.filter((_, index) => index % 2 === 0);
    this.#interval *= 2;
  }

  /** Keeps what came since the last point, however short. */
  finish(now: number, bytes: number): void {
    const time = Math.max((now - this.#start) / 1000, 0.001);
    this.#recent = [{ time, bytes }];
    const last = this.#marks.at(-1);
    // A sliver of an interval would show a rate that never was.
    if (last !== undefined && this.#marks.length > 1 && time - last.time < this.#interval / 2) this.#marks.pop();
    this.#marks.push({ time, bytes });
  }

  get elapsed(): number {
    return this.#recent.at(-1)?.time ?? 0;
  }

  get current(): number {
    const first = this.#recent[0];
    const last = this.#recent.at(-1);
    if (first === undefined || last === undefined || last.time <= first.time) return 0;
    return (last.bytes - first.bytes) / (last.time - first.time);
  }

  get average(): number {
    const last = this.#recent.at(-1);
    return last === undefined || last.time <= 0 ? 0 : last.bytes / last.time;
  }

  points(): RatePoint[] {
    return this.#marks.slice(1).map((mark, index) => {
      const before = this.#marks[index] ?? { time: 0, bytes: 0 };
      return { time: mark.time, rate: (mark.bytes - before.bytes) / Math.max(mark.time - before.time, 0.001) };
    });
  }
}
