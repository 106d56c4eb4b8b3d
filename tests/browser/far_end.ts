// SPDX-License-Identifier: MIT
//
// The far end of the conformance suite in a page: raw RTCPeerConnection and RTCDataChannel, and a signaling client of its
// own, so that nothing it does goes through what is tested. tests/conformance/README.md has the commands.
import { hasPattern, patternBytes, patternIndex, patternText } from './far_end_pattern.js';

/** What a verb answers with; undefined fields are left out. */
type Answer = Record<string, string | number | boolean | null | undefined>;

/** Lets several wait for conditions on what changes. */
class Changes {
  #waiting: (() => void)[] = [];

  notify(): void {
    if (this.#waiting.length === 0) return;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

class Fields {
  readonly #fields: URLSearchParams;

  constructor(line: string) {
    this.#fields = new URLSearchParams(line);
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** The last one counts, so that a command's fields can be overridden by appending. */
  text(name: string, otherwise = ''): string {
    return this.#fields.getAll(name).at(-1) ?? otherwise;
  }

  number(name: string, otherwise = 0): number {
    return this.has(name) ? Number(this.text(name)) : otherwise;
  }

  numbers(name: string): number[] {
    return this.has(name) ? this.text(name).split(',').map(Number) : [];
  }

  flag(name: string, otherwise = false): boolean {
    return this.has(name) ? this.text(name) !== '0' : otherwise;
  }
}

/** A channel's way to send and close, where it is not the channel's own: in framed mode the npm package's. */
interface FramedEnd {
  send(data: string | ArrayBuffer | Uint8Array): Promise<void>;
  close(): Promise<void>;
  startListening(callback: (message: Uint8Array<ArrayBuffer> | string) => void, options: { text: true }): unknown;
}

/** Set where the page was asked for it: takes the channels over whose protocol names framed mode. */
let wrapFramed: ((channel: RTCDataChannel) => FramedEnd) | undefined;

/** A channel, what it does with what arrives, and what has arrived. */
class WatchedChannel {
  readonly changes = new Changes();
  readonly events: string[] = [];
  count = 0;
  bytes = 0;
  texts = 0;
  mismatch = '';
  kept: (string | ArrayBuffer)[] = [];
  // Nothing is looked at before the driver said what to do with it.
  #early: (string | ArrayBuffer)[] | undefined = [];
  #seed: number | undefined;
  #sizes: number[] = [];
  #type = 'binary';
  #anyOrder = false;
  #echo = false;
  #keep = false;
  #slow = 0;
  #seen = new Set<number>();
  readonly #held: (string | ArrayBuffer | Uint8Array<ArrayBuffer>)[] = [];
  readonly #framed: FramedEnd | undefined;

  constructor(readonly channel: RTCDataChannel) {
    channel.binaryType = 'arraybuffer';
    const arrived = (data: string | ArrayBuffer): void => {
      if (this.#early) this.#early.push(data);
      else this.#take(data);
      this.changes.notify();
    };
    if (channel.protocol.startsWith('wdc.framed.v1')) this.#framed = wrapFramed?.(channel);
    if (this.#framed) {
      this.#framed.startListening((message) => arrived(typeof message === 'string' ? message : message.slice().buffer), { text: true });
    } else {
      channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => arrived(data);
    }
    for (const type of ['open', 'closing', 'close', 'error']) {
      channel.addEventListener(type, () => {
        this.events.push(type);
        this.changes.notify();
      });
    }
  }

  watch(fields: Fields): void {
    if (fields.has('verify')) this.#seed = fields.number('verify');
    if (fields.has('sizes')) this.#sizes = fields.numbers('sizes');
    this.#type = fields.text('type', this.#type);
    this.#anyOrder = fields.flag('any_order', this.#anyOrder);
    this.#echo = fields.flag('echo', this.#echo);
    this.#keep = fields.flag('keep', this.#keep);
    this.#slow = fields.number('slow', this.#slow);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const data of early) this.#take(data);
  }

  #take(data: string | ArrayBuffer): void {
    if (this.#seed !== undefined && this.mismatch === '') this.mismatch = this.#compare(data, this.#seed);
    this.count += 1;
    this.bytes += typeof data === 'string' ? new TextEncoder().encode(data).length : data.byteLength;
    if (typeof data === 'string') this.texts += 1;
    if (this.#keep) this.kept.push(data);
    if (this.#slow > 0) {
      const end = performance.now() + this.#slow;
      while (performance.now() < end);
    }
    if (this.#echo) this.#send(data);
  }

  #send(data: string | ArrayBuffer | Uint8Array<ArrayBuffer>): void {
    // Chromium says "open" when it announces a channel of the peer's, and then now and then "connecting" for a moment.
    if (this.channel.readyState === 'connecting' || this.#held.length > 0) {
      this.#held.push(data);
      if (this.#held.length === 1) setTimeout(() => this.#sendHeld(), 1);
    } else {
      this.#sendNow(data);
    }
  }

  #sendHeld(): void {
    if (this.channel.readyState === 'connecting') setTimeout(() => this.#sendHeld(), 1);
    else for (const data of this.#held.splice(0)) this.#sendNow(data);
  }

  // W3C has an overload for each kind, not for both.
  #sendNow(data: string | ArrayBuffer | Uint8Array<ArrayBuffer>): void {
    if (this.channel.readyState !== 'open') return;
    if (this.#framed) this.#framed.send(data).catch(() => undefined); // whoever waits for it sees it missing
    else if (typeof data === 'string') this.channel.send(data);
    else if (data instanceof ArrayBuffer) this.channel.send(data);
    else this.channel.send(data);
  }

  /** What is wrong with the message; empty if nothing is. */
  #compare(data: string | ArrayBuffer, seed: number): string {
    const isText = typeof data === 'string';
    let index = this.count;
    if (this.#anyOrder && !isText && data.byteLength >= 4) {
      index = patternIndex(data, seed);
      if (this.#seen.has(index)) return `message ${index} came twice`;
      this.#seen.add(index);
    }
    const size = this.#sizes[index % this.#sizes.length];
    const textExpected = this.#type === 'text' || (this.#type === 'mixed' && index % 3 === 2);
    if (isText !== textExpected) return `message ${index} is ${isText ? 'text' : 'binary'}`;
    if (isText) {
      const expected = patternText(size ?? new TextEncoder().encode(data).length, seed, index);
      return data === expected ? '' : `text ${index} of ${data.length} UTF-16 units differs from ${expected.length} expected`;
    }
    if (size !== undefined && size !== data.byteLength) return `message ${index} has ${data.byteLength} bytes, not ${size}`;
    return hasPattern(data, seed, index) ? '' : `message ${index} of ${data.byteLength} bytes differs`;
  }

  say(text: string): void {
    this.#send(text);
  }

  close(): void {
    if (this.#framed) this.#framed.close().catch(() => undefined);
    else this.channel.close();
  }

  async sendMany(fields: Fields): Promise<void> {
    await this.changes.until(() => this.channel.readyState !== 'connecting');
    const sizes = fields.numbers('sizes');
    const seed = fields.number('seed');
    const type = fields.text('type', 'binary');
    this.channel.bufferedAmountLowThreshold = 256 * 1024;
    this.channel.onbufferedamountlow = () => this.changes.notify();
    for (let index = 0; index < fields.number('count'); index += 1) {
      if (!this.#framed && !fields.flag('burst') && this.channel.bufferedAmount > 1024 * 1024) {
        await this.changes.until(() => this.channel.bufferedAmount <= 1024 * 1024 || this.channel.readyState !== 'open');
      }
      if (this.channel.readyState !== 'open') return;
      const size = sizes[index % sizes.length] ?? 0;
      const isText = type === 'text' || (type === 'mixed' && index % 3 === 2);
      const data = isText ? patternText(size, seed, index) : patternBytes(size, seed, index);
      if (this.#framed && !fields.flag('burst')) await this.#framed.send(data).catch(() => undefined);
      else this.#send(data);
    }
  }

  report(): Answer {
    return {
      count: this.count, bytes: this.bytes, texts: this.texts, mismatch: this.mismatch, state: this.channel.readyState,
      events: this.events.join(','),
    };
  }
}

const remoteFragment = (connection: RTCPeerConnection): string =>
  /^a=ice-ufrag:(\S+)/m.exec(connection.currentRemoteDescription?.sdp ?? '')?.[1] ?? '';

/** A connection, with the channels and candidates that wait to be asked for. */
class FarPeer {
  readonly connection = new RTCPeerConnection();
  readonly changes = new Changes();
  readonly incoming: WatchedChannel[] = [];
  /** null: no more. */
  readonly candidates: (RTCIceCandidate | null)[] = [];

  constructor() {
    this.connection.ondatachannel = ({ channel }) => {
      this.incoming.push(new WatchedChannel(channel));
      this.changes.notify();
    };
    this.connection.onicecandidate = ({ candidate }) => {
      // The end of one generation of candidates is no candidate.
      if (candidate?.candidate !== '') this.candidates.push(candidate);
      this.changes.notify();
    };
    for (const type of ['iceconnectionstatechange', 'signalingstatechange', 'connectionstatechange']) {
      this.connection.addEventListener(type, () => this.changes.notify());
    }
  }
}

interface Frame {
  type: string;
  from?: string;
  peer?: string;
  peers?: string[];
  polite?: boolean;
  description?: RTCSessionDescriptionInit;
  candidate?: RTCIceCandidateInit | null;
}

/** One meeting with a driver: a place in a room, the connection found through it, and the control channel on that. */
class Session {
  polite = false;
  #data: RTCDataChannel | undefined;
  readonly #peers = new Map<number, FarPeer>();
  readonly #channels = new Map<number, WatchedChannel>();
  readonly #ended: () => void;
  #socket: WebSocket;
  #other = '';
  // One after the other.
  #frames: Promise<void> = Promise.resolve();
  #makingOffer = false;
  #offering: Promise<void> = Promise.resolve();
  #ignoreOffer = false;
  #over = false;

  /**
   * `seated` is called once the place is taken, `met` when the driver comes. `second`: only the second place will do.
   */
  constructor(
    readonly url: string,
    readonly room: string,
    readonly on: { seated?: () => void; met?: () => void; ended?: () => void; second?: boolean },
  ) {
    this.#ended = on.ended ?? (() => undefined);
    this.#socket = this.#open();
  }

  #open(): WebSocket {
    const socket = new WebSocket(`${this.url}?room=${this.room}`);
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      const frame = JSON.parse(data) as Frame;
      this.#frames = this.#frames.then(() => this.#frame(frame)).catch((error: unknown) => console.error(error));
    };
    return socket;
  }

  async #frame(frame: Frame): Promise<void> {
    const peer = this.#peers.get(0);
    switch (frame.type) {
      case 'welcome':
        if (this.on.second && frame.peers?.length === 0) {
          this.#say({ type: 'bye' });
          this.#socket.close();
          setTimeout(() => { this.#socket = this.#open(); }, 100);
          return;
        }
        this.polite = frame.polite === true;
        this.on.seated?.();
        if (frame.peers?.[0] !== undefined) this.#meet(frame.peers[0]);
        break;
      case 'joined':
        if (frame.peer !== undefined) this.#meet(frame.peer);
        break;
      case 'left':
      case 'bye':
        if ((frame.peer ?? frame.from) === this.#other) this.end();
        break;
      case 'description':
        if (peer && frame.from === this.#other && frame.description) await this.#description(peer, frame.description);
        break;
      case 'candidate':
        if (peer && frame.from === this.#other) await this.#candidate(peer, frame.candidate ?? null);
        break;
      default:
        console.error(`signaling: ${JSON.stringify(frame)}`);
    }
  }

  #say(frame: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ to: this.#other || undefined, ...frame }));
  }

  #meet(other: string): void {
    if (this.#other !== '') return;
    this.#other = other;
    this.on.met?.();
    const peer = new FarPeer();
    this.#peers.set(0, peer);
    const { connection } = peer;
    // The channel that connect() of the driver wants, and ours.
    // Held, with a listener: Firefox's collector of garbage would close it in the middle of a case.
    this.#data = connection.createDataChannel('data', { negotiated: true, id: 0 });
    this.#data.onclose = () => { this.#data = undefined; };
    const control = connection.createDataChannel('control', { negotiated: true, id: 1000 });
    control.onmessage = ({ data }: MessageEvent<string>) => {
      this.#command(control, data).catch((error: unknown) => console.error(error));
    };
    control.onclose = () => this.end();
    connection.onicecandidate = ({ candidate }) => this.#say({ type: 'candidate', candidate });
    connection.onnegotiationneeded = () => {
      // Chromium, once it has rolled an offer back, now and then gathers no candidates any more. The first offer is the
      // impolite member's, as in both connect().
      if (this.polite && connection.remoteDescription === null) return;
      this.#makingOffer = true;
      this.#offering = connection.setLocalDescription().then(
        () => this.#say({ type: 'description', description: connection.localDescription }),
        (error: unknown) => console.error(error),
      ).finally(() => { this.#makingOffer = false; });
    };
    connection.addEventListener('connectionstatechange', () => {
      if (connection.connectionState === 'failed') this.end();
    });
  }

  // W3C 10.7, perfect negotiation.
  async #description({ connection }: FarPeer, description: RTCSessionDescriptionInit): Promise<void> {
    const collision = description.type === 'offer' && (this.#makingOffer || connection.signalingState !== 'stable');
    this.#ignoreOffer = !this.polite && collision;
    if (this.#ignoreOffer) return;
    // Chromium gathers no candidates any more if an offer is applied while one of its own is in the making.
    await this.#offering;
    await connection.setRemoteDescription(description);
    if (description.type !== 'offer') return;
    await connection.setLocalDescription();
    this.#say({ type: 'description', description: connection.localDescription });
  }

  async #candidate({ connection }: FarPeer, candidate: RTCIceCandidateInit | null): Promise<void> {
    try {
      await connection.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      if (!this.#ignoreOffer) throw error;
    }
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#say({ type: 'bye' });
    this.#socket.close();
    for (const { connection } of this.#peers.values()) connection.close();
    this.#ended();
  }

  async #command(control: RTCDataChannel, line: string): Promise<void> {
    const fields = new Fields(line);
    const answer = new URLSearchParams({ n: fields.text('n') });
    try {
      const values = await this.#run(fields);
      answer.set('ok', '1');
      for (const [name, value] of Object.entries(values)) {
        if (value !== undefined && value !== null) answer.set(name, String(value));
      }
    } catch (error) {
      answer.set('error', String(error));
    }
    if (control.readyState === 'open') control.send(answer.toString());
  }

  #peer(fields: Fields): FarPeer {
    const peer = this.#peers.get(fields.number('p'));
    if (!peer) throw new Error(`no connection ${fields.number('p')}`);
    return peer;
  }

  #channel(fields: Fields): WatchedChannel {
    const channel = this.#channels.get(fields.number('c'));
    if (!channel) throw new Error(`no channel ${fields.number('c')}`);
    return channel;
  }

  async #run(fields: Fields): Promise<Answer> {
    const verb = fields.text('do');
    switch (verb) {
      case 'hello': return { agent: navigator.userAgent };
      case 'role': return { polite: this.polite };
      case 'peer': return this.#makePeer(fields);
      case 'local': return this.#local(this.#peer(fields));
      case 'remote': return this.#remote(this.#peer(fields), fields);
      case 'add': return this.#add(this.#peer(fields), fields);
      case 'candidate': return this.#nextCandidate(this.#peer(fields));
      case 'state': return this.#state(this.#peer(fields));
      case 'restart':
        this.#peer(fields).connection.restartIce();
        return {};
      case 'restarted': return this.#restarted(this.#peer(fields), fields.text('from'));
      case 'create': return this.#create(this.#peer(fields), fields);
      case 'adopt': return this.#adopt(this.#peer(fields), fields);
      case 'watch':
        this.#channel(fields).watch(fields);
        return {};
      case 'attributes': return this.#attributes(this.#channel(fields));
      case 'send': return this.#send(this.#channel(fields), fields);
      case 'say':
        this.#channel(fields).say(fields.text('text'));
        return {};
      case 'take': return this.#take(this.#channel(fields));
      case 'report': return this.#report(this.#channel(fields), fields);
      case 'close':
        this.#channel(fields).close();
        return {};
      case 'forget': return this.#forget(fields);
      case 'join': return this.#join(fields.text('room'));
      case 'package': return this.#package(fields.text('room'));
      case 'vanish':
        location.replace('about:blank');
        return new Promise(() => undefined);
      default: throw new Error(`no verb ${verb}`);
    }
  }

  #makePeer(fields: Fields): Answer {
    this.#peers.set(fields.number('p'), new FarPeer());
    return {};
  }

  async #local({ connection }: FarPeer): Promise<Answer> {
    await connection.setLocalDescription();
    return { type: connection.localDescription?.type, sdp: connection.localDescription?.sdp };
  }

  async #remote({ connection }: FarPeer, fields: Fields): Promise<Answer> {
    await connection.setRemoteDescription({ type: fields.text('type') as RTCSdpType, sdp: fields.text('sdp') });
    return {};
  }

  async #add({ connection }: FarPeer, fields: Fields): Promise<Answer> {
    await connection.addIceCandidate({
      candidate: fields.text('candidate'),
      sdpMid: fields.has('mid') ? fields.text('mid') : null,
      sdpMLineIndex: fields.has('index') ? fields.number('index') : null,
    });
    return {};
  }

  async #nextCandidate(peer: FarPeer): Promise<Answer> {
    await peer.changes.until(() => peer.candidates.length > 0);
    const candidate = peer.candidates.shift();
    return { candidate: candidate?.candidate ?? '', mid: candidate?.sdpMid, index: candidate?.sdpMLineIndex };
  }

  #state({ connection }: FarPeer): Answer {
    return {
      connection: connection.connectionState, ice: connection.iceConnectionState, signaling: connection.signalingState,
      ufrag: remoteFragment(connection),
    };
  }

  async #restarted(peer: FarPeer, from: string): Promise<Answer> {
    const { connection, changes } = peer;
    await changes.until(() => remoteFragment(connection) !== from && connection.signalingState === 'stable'
      && ['connected', 'completed'].includes(connection.iceConnectionState));
    return this.#state(peer);
  }

  #create({ connection }: FarPeer, fields: Fields): Answer {
    const init: RTCDataChannelInit = { protocol: fields.text('protocol'), ordered: fields.flag('ordered', true) };
    if (fields.has('retransmits')) init.maxRetransmits = fields.number('retransmits');
    if (fields.has('lifetime')) init.maxPacketLifeTime = fields.number('lifetime');
    if (fields.flag('negotiated')) Object.assign(init, { negotiated: true, id: fields.number('id') });
    const watched = new WatchedChannel(connection.createDataChannel(fields.text('label'), init));
    watched.watch(fields);
    this.#channels.set(fields.number('c'), watched);
    return {};
  }

  async #adopt(peer: FarPeer, fields: Fields): Promise<Answer> {
    const many = fields.number('channels', 1);
    await peer.changes.until(() => peer.incoming.length >= many);
    // Chromium announces a channel before its network thread has heard that it is open, and loses what is sent until then
    // (the first of 30 messages, or all, in 3 of 3,000 channels that sent at once). The thread that announces tells it next
    // thing, and answers this after that.
    await peer.connection.getStats();
    for (const [at, watched] of peer.incoming.splice(0, many).entries()) {
      watched.watch(fields);
      this.#channels.set(fields.number('c') + at, watched);
    }
    return {};
  }

  async #attributes({ channel, changes }: WatchedChannel): Promise<Answer> {
    await changes.until(() => channel.readyState !== 'connecting');
    return {
      label: channel.label, protocol: channel.protocol, ordered: channel.ordered, negotiated: channel.negotiated,
      retransmits: channel.maxRetransmits, lifetime: channel.maxPacketLifeTime, id: channel.id, state: channel.readyState,
    };
  }

  /** Answers before it is done: what follows is for the driver to see. */
  #send(watched: WatchedChannel, fields: Fields): Answer {
    const connection = this.#peers.get(fields.number('p'))?.connection;
    watched.sendMany(fields).then(
      () => {
        if (fields.text('then') === 'close') watched.close();
        if (fields.text('then') === 'pcclose') connection?.close();
      },
      (error: unknown) => console.error(error),
    );
    return {};
  }

  async #take(watched: WatchedChannel): Promise<Answer> {
    await watched.changes.until(() => watched.kept.length > 0);
    const data = watched.kept.shift() ?? '';
    if (typeof data !== 'string') return { type: 'binary', size: data.byteLength };
    return { type: 'text', size: new TextEncoder().encode(data).length, text: data };
  }

  async #report(watched: WatchedChannel, fields: Fields): Promise<Answer> {
    await watched.changes.until(() => {
      const closed = watched.channel.readyState === 'closed';
      if (fields.flag('closed')) return closed;
      if (fields.flag('opened')) return watched.channel.readyState !== 'connecting';
      return closed || watched.count >= fields.number('count');
    });
    return watched.report();
  }

  async #forget(fields: Fields): Promise<Answer> {
    for (let at = 0; at < fields.number('channels', 1); at += 1) {
      const number = fields.number('c') + at;
      const watched = this.#channels.get(number);
      if (watched) await watched.changes.until(() => watched.channel.readyState === 'closed');
      this.#channels.delete(number);
    }
    return {};
  }

  #join(room: string): Answer {
    new Session(this.url, room, { second: true });
    return {};
  }

  async #package(room: string): Promise<Answer> {
    const part = (await import('./package_end.js')) as { echoIn: (url: string, room: string) => Promise<void> };
    part.echoIn(this.url, room).catch((error: unknown) => console.error(error));
    return {};
  }
}

/** Sits in room `prefix`-`number`, and when the driver has come there, for the next meeting, in the one after. */
function sit(url: string, prefix: string, number: number): void {
  new Session(url, `${prefix}-${number}`, {
    seated: () => { document.documentElement.dataset['seat'] = String(number); },
    met: () => sit(url, prefix, number + 1),
  });
}

const parameters = new URLSearchParams(location.search);
if (parameters.has('framed')) {
  ({ wrapFramed } = (await import('./package_end.js')) as { wrapFramed: (channel: RTCDataChannel) => FramedEnd });
}
sit(`ws://${location.host}/ws`, parameters.get('prefix') ?? 'conformance', Number(parameters.get('number') ?? 0));
