// SPDX-License-Identifier: MIT
import { openPipe, type Pipe as SignalingPipe, type PipeListener } from '../connect/pipe.js';
import { WdcError } from '../error.js';
import { candidateAt, descriptionAt, sdpTypes } from './descriptions.js';
import { detailOf, reasonOf } from './errors.js';
import { EventSource, type HostEvent } from './event_source.js';
import type { Instance } from './instance.js';
import type { ModuleExports } from './module_exports.js';
import { Table } from './table.js';

/** An event of a pipe as the call of its export. */
interface PipeEvent extends HostEvent {
  readonly call: (exports: ModuleExports) => void;
}

/** A signaling pipe that C++ holds. Frames are few: each may make a function. */
class Pipe extends EventSource implements PipeListener {
  readonly #pipe: SignalingPipe;
  // The member C++ knows of: to it the frames are written.
  #peer = '';

  constructor(instance: Instance, url: string, room: string) {
    super(instance);
    this.#pipe = openPipe(url, room, this, instance.ledger);
  }

  welcome(polite: boolean, peer: string | undefined, you: string): void {
    this.#tell((exports) => {
      this.#peer = peer ?? '';
      exports.wdc_pipe_welcome(this.context, this.#put(you), Number(polite), this.#put(peer));
    });
  }

  joined(peer: string): void {
    this.#tell((exports) => {
      this.#peer = peer;
      exports.wdc_pipe_joined(this.context, this.#put(peer));
    });
  }

  left(peer: string): void {
    this.#tell((exports) => exports.wdc_pipe_left(this.context, this.#put(peer)));
  }

  description(from: string, { type, sdp }: RTCSessionDescriptionInit): void {
    this.#tell((exports) =>
      exports.wdc_pipe_description(this.context, this.#put(from), sdpTypes.indexOf(type), this.#put(sdp)));
  }

  candidate(from: string, candidate: RTCIceCandidateInit | null): void {
    this.#tell((exports) =>
      exports.wdc_pipe_candidate(
        this.context, this.#put(from), this.#put(candidate?.candidate), this.#put(candidate?.sdpMid),
        candidate?.sdpMLineIndex ?? -1, this.#put(candidate?.usernameFragment),
      ));
  }

  bye(from: string): void {
    this.#tell((exports) => exports.wdc_pipe_bye(this.context, this.#put(from)));
  }

  closed(error: WdcError): void {
    this.#tell((exports) => exports.wdc_pipe_closed(this.context, error.number, this.#put(detailOf(error))));
  }

  sendDescription(description: RTCSessionDescriptionInit): void {
    this.#pipe.sendDescription(this.#peer, description);
  }

  sendCandidate(candidate: RTCIceCandidateInit | null): void {
    this.#pipe.sendCandidate(this.#peer, candidate);
  }

  /** Says bye, if C++ has not. */
  release(): void {
    this.released = true;
    this.#pipe.close();
  }

  sayBye(): void {
    this.#pipe.sendBye();
  }

  protected override tell(event: HostEvent): void {
    (event as PipeEvent).call(this.instance.exports);
  }

  #tell(call: PipeEvent['call']): void {
    this.arrived({ type: 'wdc-pipe', call } as PipeEvent);
  }

  #put(text: string | null | undefined): number {
    return this.instance.putText(text);
  }
}

/** The signaling pipes of an instance. */
export class Pipes {
  readonly #table = new Table<Pipe>();

  constructor(private readonly instance: Instance) {
    instance.own(this);
  }

  get count(): number {
    return this.#table.size;
  }

  release(): void {
    for (const pipe of this.#table.values()) pipe.release();
    this.#table.clear();
  }

  imports(): WebAssembly.ModuleImports {
    const { memory } = this.instance;
    return {
      pipe_open: (url: number, urlLength: number, room: number, roomLength: number) =>
        this.#open(memory.text(url, urlLength) ?? '', memory.text(room, roomLength) ?? ''),
      pipe_start: (pipe: number, context: number) => this.#at(pipe).start(context),
      pipe_send_description: (pipe: number, type: number, sdp: number, length: number) =>
        this.#at(pipe).sendDescription(descriptionAt(memory, type, sdp, length)),
      pipe_send_candidate: (pipe: number, ...range: Parameters<typeof candidateAt> extends [unknown, ...infer R] ? R : never) =>
        this.#at(pipe).sendCandidate(candidateAt(memory, ...range)),
      pipe_send_bye: (pipe: number) => this.#at(pipe).sayBye(),
      pipe_release: (pipe: number) => this.#table.take(pipe)?.release(),
    };
  }

  #open(url: string, room: string): number {
    try {
      return this.#table.put(new Pipe(this.instance, url, room));
    } catch (error) {
      const { lastError } = this.instance;
      if (error instanceof WdcError) return lastError.fail(error.code, detailOf(error));
      return lastError.fail('signaling_unreachable', reasonOf(error));
    }
  }

  #at(number: number): Pipe {
    const pipe = this.#table.get(number);
    if (pipe === undefined) throw new WebAssembly.RuntimeError(`no pipe ${number}`);
    return pipe;
  }
}
