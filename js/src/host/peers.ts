// SPDX-License-Identifier: MIT
import type { ErrorCode } from '../error_codes.js';
import type { Channels } from './channels.js';
import { candidateAt, descriptionAt, sdpTypes } from './descriptions.js';
import { nameOf, numberOf, reasonOf } from './errors.js';
import { EventSource, type HostEvent } from './event_source.js';
import type { Instance } from './instance.js';
import { Table } from './table.js';

const eventTypes = [
  'negotiationneeded', 'icecandidate', 'connectionstatechange', 'iceconnectionstatechange', 'icegatheringstatechange',
  'signalingstatechange', 'datachannel',
] as const;

/** W3C's states in the order of its enumerations, which is that of peer_connection.h. */
const connectionStates: readonly string[] = ['new', 'connecting', 'connected', 'disconnected', 'failed', 'closed'];
const iceStates: readonly string[] = ['new', 'checking', 'connected', 'completed', 'disconnected', 'failed', 'closed'];
const gatheringStates: readonly string[] = ['new', 'gathering', 'complete'];
const signalingStates: readonly string[] = [
  'stable', 'have-local-offer', 'have-remote-offer', 'have-local-pranswer', 'have-remote-pranswer', 'closed',
];

interface StateEvent extends HostEvent { readonly which: number; readonly value: number }
interface ChannelEvent extends HostEvent { readonly channel: number }
/** The end of an operation; `type` tells what it gives. */
interface OperationEvent extends HostEvent {
  readonly type: 'wdc-description' | 'wdc-applied';
  readonly operation: number;
  readonly code: ErrorCode | undefined;
  readonly description: RTCSessionDescriptionInit | undefined;
  readonly detail: string;
}

/** One RTCPeerConnection that C++ holds. */
class Peer extends EventSource implements EventListenerObject {
  readonly #operations = new Map<number, OperationEvent['type']>();
  /** Channels by number, as long as they may have to hear of the connection's end. */
  readonly #channels = new Set<number>();
  #closed = false;

  constructor(instance: Instance, private readonly channels: Channels, readonly connection: RTCPeerConnection) {
    super(instance);
    instance.ledger.listen(connection, eventTypes, this);
  }

  handleEvent(event: Event): void {
    const { connection } = this;
    switch (event.type) {
      case 'connectionstatechange':
        this.#stateChanged(0, connectionStates, connection.connectionState);
        return;
      case 'iceconnectionstatechange':
        this.#stateChanged(1, iceStates, connection.iceConnectionState);
        return;
      case 'icegatheringstatechange':
        this.#stateChanged(2, gatheringStates, connection.iceGatheringState);
        return;
      case 'signalingstatechange':
        this.#stateChanged(3, signalingStates, connection.signalingState);
        return;
      case 'datachannel': {
        // At once: its own events follow this one closely.
        const channel = this.#add((event as RTCDataChannelEvent).channel);
        this.arrived({ type: event.type, channel } as ChannelEvent);
        return;
      }
      default:
        this.arrived(event);
        return;
    }
  }

  protected override tell(event: HostEvent): void {
    const { exports } = this.instance;
    switch (event.type) {
      case 'negotiationneeded':
        exports.wdc_peer_negotiation_needed(this.context);
        return;
      case 'icecandidate':
        this.#tellCandidate((event as RTCPeerConnectionIceEvent).candidate);
        return;
      case 'datachannel':
        exports.wdc_peer_channel(this.context, (event as ChannelEvent).channel);
        return;
      case 'wdc-state':
        exports.wdc_peer_state(this.context, (event as StateEvent).which, (event as StateEvent).value);
        return;
      default:
        this.#tellOperation(event as OperationEvent);
        return;
    }
  }

  /** C++ is gone: a channel that it has not seen goes with it. */
  override receive(event: HostEvent): void {
    if (this.released && event.type === 'datachannel') this.channels.releaseOne((event as ChannelEvent).channel);
    super.receive(event);
  }

  createChannel(label: string, init: RTCDataChannelInit): number {
    const { lastError } = this.instance;
    try {
      return this.#add(this.connection.createDataChannel(label, init));
    } catch (error) {
      switch (nameOf(error)) {
        case 'TypeError':
          return lastError.fail('invalid_argument', reasonOf(error));
        case 'InvalidStateError':
          return lastError.fail('connection_closed');
        case 'OperationError': // W3C createDataChannel, step 19: the id is in use
          return lastError.fail('invalid_state', reasonOf(error));
        default:
          return lastError.fail('transport_error', reasonOf(error));
      }
    }
  }

  describe(operation: number, start: () => Promise<RTCSessionDescriptionInit>): void {
    this.#begin(operation, 'wdc-description', start);
  }

  apply(operation: number, start: () => Promise<void>): void {
    this.#begin(operation, 'wdc-applied', async () => {
      await start();
      return undefined;
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.instance.ledger.unlisten(this.connection, eventTypes, this);
    this.connection.close();
    for (const number of this.#channels) this.channels.find(number)?.connectionClosed();
    // W3C: the promises of a closed connection are never settled.
    for (const operation of [...this.#operations.keys()]) this.#finish(operation, 'connection_closed');
  }

  release(): void {
    this.released = true;
    this.close();
  }

  #add(channel: RTCDataChannel): number {
    const number = this.channels.add(channel, this.connection, () => this.#channels.delete(number));
    this.#channels.add(number);
    return number;
  }

  #stateChanged(which: number, names: readonly string[], name: string): void {
    this.arrived({ type: 'wdc-state', which, value: names.indexOf(name) } as StateEvent);
  }

  // The end of candidates is told by null in every browser; the empty candidate of some comes in addition.
  #tellCandidate(candidate: RTCIceCandidate | null): void {
    const { instance } = this;
    if (candidate?.candidate === '') return;
    instance.exports.wdc_peer_candidate(
      this.context, instance.slots.put(candidate?.candidate ?? ''), instance.putText(candidate?.sdpMid),
      candidate?.sdpMLineIndex ?? -1, instance.putText(candidate?.usernameFragment),
    );
  }

  #tellOperation({ type, operation, code, description, detail }: OperationEvent): void {
    const { exports, slots } = this.instance;
    const number = code ? numberOf(code) : 0;
    const text = code ? detail : (description?.sdp ?? '');
    if (type === 'wdc-applied') {
      exports.wdc_peer_applied(this.context, operation, number, text === '' ? 0 : slots.put(text));
    } else {
      const sdpType = description ? sdpTypes.indexOf(description.type) : 0;
      exports.wdc_peer_description(this.context, operation, number, sdpType, text === '' ? 0 : slots.put(text));
    }
  }

  #begin(
    operation: number, type: OperationEvent['type'], start: () => Promise<RTCSessionDescriptionInit | undefined>,
  ): void {
    this.#operations.set(operation, type);
    const failed = (error: unknown): void => {
      this.#finish(operation, this.#closed ? 'connection_closed' : 'negotiation_failed', reasonOf(error));
    };
    try {
      start().then((description) => this.#finish(operation, undefined, '', description), failed);
    } catch (error) {
      failed(error);
    }
  }

  #finish(
    operation: number, code?: ErrorCode, detail = '', description?: RTCSessionDescriptionInit,
  ): void {
    const type = this.#operations.get(operation);
    if (type === undefined || this.released) return;
    this.#operations.delete(operation);
    this.arrivesLater({ type, operation, code, description, detail } as OperationEvent);
  }
}

/** The connections of an instance. */
export class Peers {
  readonly #table = new Table<Peer>();
  #servers: { urls: string[]; username?: string; credential?: string }[] = [];

  constructor(private readonly instance: Instance, private readonly channels: Channels) {
    instance.own(this);
  }

  get count(): number {
    return this.#table.size;
  }

  release(): void {
    for (const peer of this.#table.values()) peer.release();
    this.#table.clear();
  }

  imports(): WebAssembly.ModuleImports {
    const { memory } = this.instance;
    const text = (pointer: number, length: number): string => memory.text(pointer, length) ?? '';
    return {
      ice_server: (user: number, userLength: number, credential: number, credentialLength: number) => {
        const server: { urls: string[]; username?: string; credential?: string } = { urls: [] };
        if (userLength !== 0) server.username = text(user, userLength);
        if (credentialLength !== 0) server.credential = text(credential, credentialLength);
        this.#servers.push(server);
      },
      ice_server_url: (pointer: number, length: number) => {
        this.#servers.at(-1)?.urls.push(text(pointer, length));
      },
      peer_create: (policy: number) => this.#create(policy === 1 ? 'relay' : 'all'),
      peer_start: (peer: number, context: number) => this.#at(peer).start(context),
      peer_create_channel: (
        peer: number, label: number, labelLength: number, protocol: number, protocolLength: number, ordered: number,
        negotiated: number, id: number, maxRetransmits: number, maxPacketLifeTime: number,
      ) => {
        const labelText = memory.text(label, labelLength);
        const protocolText = memory.text(protocol, protocolLength);
        if (labelText === undefined || protocolText === undefined) {
          return this.instance.lastError.fail('invalid_argument', 'the label or protocol is not UTF-8');
        }
        return this.#at(peer).createChannel(labelText, {
          protocol: protocolText,
          ordered: ordered !== 0,
          negotiated: negotiated !== 0,
          ...(id >= 0 && { id }),
          ...(maxRetransmits >= 0 && { maxRetransmits }),
          ...(maxPacketLifeTime >= 0 && { maxPacketLifeTime }),
        });
      },
      peer_create_offer: (peer: number, operation: number) => {
        const { connection } = this.#at(peer);
        this.#at(peer).describe(operation, () => connection.createOffer());
      },
      peer_create_answer: (peer: number, operation: number) => {
        const { connection } = this.#at(peer);
        this.#at(peer).describe(operation, () => connection.createAnswer());
      },
      peer_set_local_implicit: (peer: number, operation: number) => {
        const { connection } = this.#at(peer);
        this.#at(peer).describe(operation, async () => {
          await connection.setLocalDescription();
          if (connection.localDescription) return connection.localDescription;
          throw new Error('there is no local description');
        });
      },
      peer_set_local: (peer: number, operation: number, type: number, sdp: number, length: number) => {
        const { connection } = this.#at(peer);
        const description = descriptionAt(memory, type, sdp, length);
        this.#at(peer).apply(operation, () => connection.setLocalDescription(description));
      },
      peer_set_remote: (peer: number, operation: number, type: number, sdp: number, length: number) => {
        const { connection } = this.#at(peer);
        const description = descriptionAt(memory, type, sdp, length);
        this.#at(peer).apply(operation, () => connection.setRemoteDescription(description));
      },
      peer_add_candidate: (peer: number, operation: number, ...range: [number, number, number, number, number, number, number]) => {
        const { connection } = this.#at(peer);
        const candidate = candidateAt(memory, ...range);
        this.#at(peer).apply(operation, () => connection.addIceCandidate(candidate));
      },
      peer_restart_ice: (peer: number) => this.#at(peer).connection.restartIce(),
      peer_close: (peer: number) => this.#at(peer).close(),
      peer_release: (peer: number) => this.#table.take(peer)?.release(),
    };
  }

  #create(iceTransportPolicy: RTCIceTransportPolicy): number {
    const iceServers = this.#servers;
    this.#servers = [];
    const { lastError } = this.instance;
    if (typeof RTCPeerConnection === 'undefined') {
      return lastError.fail('unsupported', 'there is no RTCPeerConnection here; a page has one, a worker has not');
    }
    try {
      return this.#table.put(
        new Peer(this.instance, this.channels, new RTCPeerConnection({ iceServers, iceTransportPolicy })),
      );
    } catch (error) {
      const refused = ['SyntaxError', 'TypeError', 'InvalidAccessError'].includes(nameOf(error));
      return lastError.fail(refused ? 'invalid_argument' : 'transport_error', reasonOf(error));
    }
  }

  #at(number: number): Peer {
    const peer = this.#table.get(number);
    if (peer === undefined) throw new WebAssembly.RuntimeError(`no connection ${number}`);
    return peer;
  }
}
