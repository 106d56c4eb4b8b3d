// SPDX-License-Identifier: MIT

/** Values by positive numbers; a number is reused only after it was released. */
export class Table<T> {
  readonly #values: (T | undefined)[] = [undefined];
  readonly #free: number[] = [];

  get size(): number {
    return this.#values.length - 1 - this.#free.length;
  }

  put(value: T): number {
    const number = this.#free.pop() ?? this.#values.length;
    this.#values[number] = value;
    return number;
  }

  get(number: number): T | undefined {
    return this.#values[number];
  }

  take(number: number): T | undefined {
    const value = this.#values[number];
    if (value !== undefined) {
      this.#values[number] = undefined;
      this.#free.push(number);
    }
    return value;
  }

  /** The values that are there now; the table may change while they are looked at. */
  values(): T[] {
    return this.#values.filter((value): value is T => value !== undefined);
  }

  clear(): void {
    this.#values.length = 1;
    this.#free.length = 0;
  }
}
