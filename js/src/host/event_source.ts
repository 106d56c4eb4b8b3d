// SPDX-License-Identifier: MIT
import type { Instance } from './instance.js';

/** An event of the browser, or one of the host's own. */
export interface HostEvent {
  readonly type: string;
}

export interface EventReceiver {
  receive(event: HostEvent): void;
}

/** Something C++ holds by a number and hears events of, from its start on; what happened before waits until then. */
export abstract class EventSource implements EventReceiver {
  protected context = 0;
  protected released = false;
  protected started = false;
  #early: HostEvent[] = [];

  protected constructor(protected readonly instance: Instance) {}

  start(context: number): void {
    this.context = context;
    this.started = true;
    for (const event of this.#early) this.instance.enqueue(this, event);
    this.#early = [];
  }

  receive(event: HostEvent): void {
    if (!this.released) this.tell(event);
  }

  /** Calls the export for an event. */
  protected abstract tell(event: HostEvent): void;

  protected arrived(event: HostEvent): void {
    if (this.started) this.instance.deliver(this, event);
    else this.#early.push(event);
  }

  /** The same for what an import caused: never from inside of it. */
  protected arrivesLater(event: HostEvent): void {
    if (this.started) this.instance.enqueue(this, event);
    else this.#early.push(event);
  }
}
