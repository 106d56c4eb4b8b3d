// SPDX-License-Identifier: MIT
import { WdcError, describe } from '../error.js';
import type { ErrorCode } from '../error_codes.js';
import { detailOf, nameOf, numberOf, reasonOf } from './errors.js';
import { EventSource, type HostEvent } from './event_source.js';
import type { Instance } from './instance.js';
import { isChromium } from './is_chromium.js';
import type { Timer } from './ledger.js';
import { bytesOf, utf8Length } from './memory.js';
import { PeerWatch } from './peer_watch.js';
import { signalingRound } from './signaling_round.js';
import { StallWatch } from './stall_watch.js';
import { Table } from './table.js';
import type { AdoptOptions, DirectReader, DirectSender } from './types.js';

const messageTypes = ['message'] as const;
const otherTypes = ['open', 'bufferedamountlow', 'closing', 'close', 'error'] as const;
const states: readonly string[] = ['connecting', 'open', 'closing', 'closed'];
const kDefaultDisconnectedTimeout = 10_000;
/**
 * Chromium drops messages that arrive while its side of a new channel is still opening if the close arrives then, too (seen
 * for 23 of 25 channels that were closed in the turn of their first send). A pause before such a close lets it open.
 */
const kNewChannelMs = 1_000;
const kPauseBeforeCloseMs = 20;
/**
 * Chromium (156) announces a channel of the other side as open a little before it is, up to half a millisecond in what was seen; a
 * second `open` event may tell then. What is sent in between is lost, without a word: in 1 of 400 channels that sent at once, in 1
 * of 2,000 that did so after a timer of 0 ms, in none of 4,000 that answered a message. Its signaling thread announces the channel
 * and then has the network thread open it, so a round of the signaling thread tells (none lost in 32,000, where 3 were without, and
 * a quarter of a millisecond later); where the connection is not known, a pause has to do. A channel that was open when it was
 * wrapped may be such a one. Until then it may say "connecting" again, even with its first message (1 of some 500,000), and throw.
 */
const kAnnouncedTooEarlyMs = 20;
/** The SCTP cause "User-Initiated Abort" (RFC 9260 section 3.3.10.12): the other side closed its connection. */
const kUserInitiatedAbort = 12;

/**
 * Channels that any instance of this page has wrapped, also those that have been released since. Found by a registered
 * symbol, because every bundle of this source has variables of its own.
 */
export const wrapped = ((globalThis as Record<symbol, unknown>)[Symbol.for('webrtc-data-channel.wrapped')] ??=
  new WeakSet()) as WeakSet<RTCDataChannel>;

/** The end of a channel that the browser does not tell, or not like this. */
interface EndEvent extends HostEvent {
  readonly type: 'wdc-end';
  readonly code: ErrorCode | undefined;
  readonly detail: string;
}

const endEvent = (code?: ErrorCode, detail = ''): EndEvent => ({ type: 'wdc-end', code, detail });

/** What a message event is to C++. Asking the event itself again would cost as much as all the rest of the way. */
interface MessageArrived extends HostEvent {
  readonly type: 'message';
  readonly data: ArrayBuffer | string;
}

/** One RTCDataChannel. Its messages have a listener of their own: they need not be asked for their type. */
class Channel extends EventSource {
  // As C++ has been told: the browser may be ahead of it.
  state: number;
  #listening = true;
  #error: { code: ErrorCode; detail: string } | undefined;
  /** What closed first: the channel, by this side or the other, or the connection below it. */
  #closedFirst: 'here' | 'there' | 'connection' | undefined;
  #watch: PeerWatch | undefined;
  readonly #stallWatch: StallWatch;
  #openedAt = performance.now();
  #hasSent = false;
  #closeTimer: Timer | undefined;
  /** While nothing may be sent yet. */
  #sendsHeld = false;
  #holdTimer: Timer | undefined;
  /** Messages that came before `open`; undefined once it is open. */
  #beforeOpen: MessageArrived[] | undefined;
  // A function: of an object the browser would look up handleEvent for every message.
  readonly #messages = (event: Event): void => this.#handleMessage(event);
  readonly #others: EventListenerObject = { handleEvent: (event) => this.#handleOther(event) };
  /** The largest message that C++ takes in its memory; -1: none. */
  #largestSmall = -1;
  #directReader: DirectReader | undefined;
  #directSender: DirectSender | undefined;
  /** What it said; 0: to be asked again. C++ has no message as long as none has gone there since. */
  #directLimit = 0;

  constructor(
    instance: Instance, readonly channel: RTCDataChannel, private readonly connection?: RTCPeerConnection,
    private readonly onRelease?: () => void,
  ) {
    super(instance);
    this.#stallWatch = new StallWatch(instance.ledger, channel, () => this.arrived({ type: 'wdc-stalled' }));
    wrapped.add(channel);
    this.state = states.indexOf(channel.readyState);
    if (this.state === 0) this.#beforeOpen = [];
    if (this.state === 1 && isChromium) this.#holdSends();
    channel.binaryType = 'arraybuffer';
    instance.ledger.listen(channel, messageTypes, this.#messages);
    instance.ledger.listen(channel, otherTypes, this.#others);
  }

  #holdSends(): void {
    this.#sendsHeld = true;
    if (this.connection) void signalingRound(this.connection).then(() => this.#endHold());
    else this.#endHoldLater();
  }

  #endHoldLater(): void {
    this.#holdTimer ??= this.instance.ledger.setTimer(() => {
      this.#holdTimer = undefined;
      this.#endHold();
    }, kAnnouncedTooEarlyMs);
  }

  /** It is open, or will be in a moment: a message has arrived, or what was waited for is over. */
  #endHold(): void {
    if (!this.#sendsHeld) return;
    if (this.channel.readyState === 'connecting') {
      this.#endHoldLater();
      return;
    }
    this.#dropHold();
    this.arrived({ type: 'wdc-sendable' });
  }

  #dropHold(): void {
    this.#sendsHeld = false;
    if (this.#holdTimer !== undefined) this.instance.ledger.clearTimer(this.#holdTimer);
    this.#holdTimer = undefined;
  }

  watch(connection: RTCPeerConnection, timeout: number): void {
    this.#watch = new PeerWatch(this.instance.ledger, connection, timeout, (detail) => {
      this.#closeBelow();
      this.#end(endEvent('peer_lost', detail));
    });
  }

  /** Messages of at most `largestSmall` bytes, unless it is 0, may go where C++ says (Instance.smallPlace). */
  startWith(context: number, largestSmall: number): void {
    this.#largestSmall = largestSmall === 0 ? -1 : largestSmall;
    this.start(context);
  }

  #handleMessage(event: Event): void {
    const { data } = event as MessageEvent<ArrayBuffer | string>;
    if (this.#sendsHeld) this.#endHold();
    if (this.#directReader && this.#passDirectly(data, this.#directReader)) return;
    if (!this.started || this.#beforeOpen || !this.instance.enter()) {
      this.#messageWaits({ type: 'message', data });
      return;
    }
    // What deliver() does, without an object for it.
    try {
      this.#tellMessage(data);
    } catch (error) {
      this.instance.die(error);
      return;
    }
    this.instance.leave();
  }

  sendDirectly(sender: DirectSender): void {
    this.#directSender = sender;
  }

  /** Undefined: all messages go to C++ from now on. */
  readDirectly(reader: DirectReader | undefined): void {
    this.#directReader = reader;
    this.#directLimit = 0;
  }

  /**
   * False: it has to go to C++. In Firefox the way through there and back took 0.7 us a message, beside the 5 that its page's thread
   * works for one of 64 bytes without it (CPU time of that thread, medians of 15 runs by turns).
   */
  #passDirectly(data: ArrayBuffer | string, reader: DirectReader): boolean {
    if (this.instance.isIdle && (this.#directLimit > 0 || this.#canBeDirect(reader))) {
      const size = typeof data === 'string' ? utf8Length(data) : data.byteLength;
      if (size <= this.#directLimit && reader.message(data, size)) return true;
    }
    this.#directLimit = 0;
    reader.settle();
    return false;
  }

  #canBeDirect(reader: DirectReader): boolean {
    if (!this.started || this.#beforeOpen) return false;
    this.#directLimit = reader.limit();
    return this.#directLimit > 0;
  }

  // To a worker that got the channel, Chromium tells what has arrived before it tells that the channel is open.
  #messageWaits(message: MessageArrived): void {
    if (this.#beforeOpen) this.#beforeOpen.push(message);
    else this.arrived(message);
  }

  #handleOther(event: Event): void {
    this.#directSender?.settle();
    if (event.type === 'error') {
      const { error } = event as RTCErrorEvent;
      if (this.#closedFirst !== 'there' || !isOfChannel(error)) this.#error ??= causeOf(error);
      return; // `close` follows
    }
    const held = this.#beforeOpen ?? [];
    this.#beforeOpen = undefined;
    if (event.type === 'open') this.arrived(event);
    for (const message of held) this.arrived(message);
    if (event.type === 'open') return;
    if (event.type === 'closing' || event.type === 'close') this.#noteWhatClosed();
    if (event.type === 'close') this.#end(this.#closeEvent());
    else this.arrived(event);
  }

  protected override tell(event: HostEvent): void {
    const { exports } = this.instance;
    switch (event.type) {
      case 'message':
        this.#tellMessage((event as MessageArrived).data);
        return;
      case 'open':
        if (this.state !== 0) return; // it was open when it was wrapped
        this.state = 1;
        this.#openedAt = performance.now();
        exports.wdc_channel_open(this.context);
        return;
      case 'bufferedamountlow':
        this.#stallWatch.reset();
        exports.wdc_channel_low(this.context);
        return;
      case 'wdc-sendable':
        exports.wdc_channel_low(this.context);
        return;
      case 'wdc-stalled':
        exports.wdc_channel_stalled(this.context);
        return;
      case 'closing':
        if (this.state >= 2) return;
        this.state = 2;
        exports.wdc_channel_closing(this.context);
        return;
      default: {
        const { code, detail } = event as EndEvent;
        this.state = 3;
        exports.wdc_channel_closed(
          this.context, code ? numberOf(code) : 0, detail === '' ? 0 : this.instance.putText(detail),
        );
      }
    }
  }

  #tellMessage(data: ArrayBuffer | string): void {
    const { instance } = this;
    const { exports, slots, smallPlace } = instance;
    let nextPlace: number;
    if (typeof data === 'string') {
      nextPlace = exports.wdc_channel_message(this.context, slots.put(data), utf8Length(data), 1);
    } else {
      const size = data.byteLength;
      if (smallPlace !== 0 && size <= this.#largestSmall) {
        instance.memory.put(data, smallPlace, size);
        nextPlace = exports.wdc_channel_small(this.context, size);
      } else {
        nextPlace = exports.wdc_channel_message(this.context, slots.put(data), size, 0);
      }
    }
    if (this.#largestSmall >= 0) instance.smallPlace = nextPlace >>> 0;
  }

  /** What waits in the browser. */
  get bufferedAmount(): number {
    const { bufferedAmount } = this.channel;
    if (this.#listening) this.#stallWatch.look(bufferedAmount);
    return bufferedAmount;
  }

  get maxMessageSize(): number {
    const size = this.connection?.sctp?.maxMessageSize ?? 0;
    return Math.min(size, Number.MAX_SAFE_INTEGER); // Infinity: the peer sets no limit
  }

  sendBytes(view: Uint8Array): number {
    if (this.#sendsHeld) return this.#notYet();
    try {
      this.channel.send(this.instance.memory.sendable(view));
      this.#hasSent = true;
      return 0;
    } catch (error) {
      return this.#sendFailed(error, view.length);
    }
  }

  sendText(text: string): number {
    if (this.#sendsHeld) return this.#notYet();
    try {
      this.channel.send(text);
      this.#hasSent = true;
      return 0;
    } catch (error) {
      return this.#sendFailed(error, utf8Length(text));
    }
  }

  #notYet(): number {
    return this.instance.lastError.fail('would_block', 'the browser is still opening the channel');
  }

  close(): void {
    this.#closedFirst ??= 'here';
    if (this.#hasSent && performance.now() - this.#openedAt < kNewChannelMs) this.#closeAfterPause();
    else this.channel.close();
    // Nothing was sent yet, and of a channel that never opened browsers may tell no end.
    if (this.state === 0) this.#endLater(endEvent());
  }

  #closeAfterPause(): void {
    this.#closeTimer = this.instance.ledger.setTimer(() => {
      this.#closeTimer = undefined;
      this.channel.close();
    }, kPauseBeforeCloseMs);
  }

  abort(): void {
    this.#closeBelow();
    this.#endLater(endEvent());
  }

  /** Forgets the channel without closing it. */
  detach(): void {
    this.released = true;
    this.#detach();
    wrapped.delete(this.channel);
    this.onRelease?.();
  }

  /** The connection below was closed by C++. */
  connectionClosed(): void {
    this.#endLater(endEvent('connection_closed'));
  }

  release(): void {
    this.released = true;
    this.#detach();
    this.#closeBelow();
    this.onRelease?.();
  }

  #closeBelow(): void {
    if (this.channel.readyState !== 'closed') this.channel.close();
  }

  #detach(): void {
    this.#watch?.stop();
    this.#watch = undefined;
    this.#stallWatch.reset();
    if (this.#closeTimer !== undefined) this.instance.ledger.clearTimer(this.#closeTimer);
    this.#closeTimer = undefined;
    this.#dropHold();
    if (!this.#listening) return;
    this.#listening = false;
    this.instance.ledger.unlisten(this.channel, messageTypes, this.#messages);
    this.instance.ledger.unlisten(this.channel, otherTypes, this.#others);
  }

  #end(event: EndEvent): void {
    if (!this.#listening) return;
    this.#detach();
    this.arrived(event);
  }

  #endLater(event: EndEvent): void {
    if (!this.#listening) return;
    this.#detach();
    this.arrivesLater(event);
  }

  #closeEvent(): EndEvent {
    if (this.connection?.connectionState === 'failed') return endEvent('peer_lost', 'the connection failed');
    if (this.#error) return endEvent(this.#error.code, this.#error.detail);
    return endEvent(this.#closedFirst === 'connection' ? 'connection_closed' : undefined);
  }

  // Firefox tells no error when the other side closes its connection: `closing`, the ends of the transports and `close` come at
  // once, in any order. But of a side that closes its channel first, `closing` always comes before those. So a clean close is
  // never taken for a broken one; a broken one may look clean, there.
  #noteWhatClosed(): void {
    const { connection } = this;
    const closed = connection?.signalingState === 'closed' || connection?.sctp?.state === 'closed'
      || connection?.sctp?.transport.state === 'closed';
    this.#closedFirst ??= closed ? 'connection' : 'there';
  }

  #sendFailed(error: unknown, size: number): number {
    const { lastError } = this.instance;
    const limit = this.maxMessageSize;
    switch (nameOf(error)) {
      case 'TypeError': // W3C RTCDataChannel send, step 4: larger than the transport's maxMessageSize
        return limit > 0
          ? lastError.fail('message_too_large', '', size, limit)
          : lastError.fail('message_too_large', `${size} bytes`);
      case 'OperationError':
        return lastError.fail('would_block', reasonOf(error));
      case 'InvalidStateError':
        if (this.channel.readyState !== 'connecting') return lastError.fail('closed');
        if (this.state === 0) return lastError.fail('not_open');
        this.#holdSends();
        return this.#notYet();
      default:
        return lastError.fail('transport_error', reasonOf(error));
    }
  }
}

/**
 * Of this channel, not of what is below it. Chromium tells it between `closing` and `close` where a send() met the other side's
 * close() (on 117 of 600 channels on which sends went on): its message is lost as any after that close.
 */
function isOfChannel(error: RTCError | undefined): boolean {
  return error?.errorDetail === 'data-channel-failure';
}

function causeOf(error: RTCError | undefined): { code: ErrorCode; detail: string } {
  if (error === undefined) return { code: 'transport_error', detail: '' };
  const { errorDetail, message, sctpCauseCode } = error;
  // Chromium says it in the text only where it makes the error itself.
  if (sctpCauseCode === kUserInitiatedAbort || /user-initiated abort/i.test(message)) {
    return { code: 'connection_closed', detail: message };
  }
  const cause = typeof sctpCauseCode === 'number' ? `, SCTP cause ${sctpCauseCode}` : '';
  return { code: 'transport_error', detail: `${message} (${errorDetail}${cause})` };
}

/** The channels of an instance: adopted from JavaScript, created by C++, or come in. */
export class Channels {
  readonly #table = new Table<Channel>();

  constructor(private readonly instance: Instance) {
    instance.own(this);
  }

  get count(): number {
    return this.#table.size;
  }

  adopt(channel: RTCDataChannel, { peerConnection, disconnectedTimeout }: AdoptOptions = {}): number {
    if (this.instance.dead) throw this.instance.dead;
    // Not instanceof: a channel of a frame is one, too.
    if (Object.prototype.toString.call(channel) !== '[object RTCDataChannel]') {
      throw new WdcError('invalid_argument', `expected an RTCDataChannel, got ${describe(channel)}`);
    }
    const timeout = disconnectedTimeout ?? kDefaultDisconnectedTimeout;
    if (!(timeout >= 1)) {
      throw new WdcError('invalid_argument', `disconnectedTimeout must be at least 1 ms, got ${String(timeout)}`);
    }
    if (wrapped.has(channel)) throw new WdcError('already_wrapped');
    if (channel.readyState === 'closed') throw new WdcError('closed', 'the RTCDataChannel is closed already');
    const entry = new Channel(this.instance, channel, peerConnection);
    if (peerConnection) entry.watch(peerConnection, timeout);
    return this.#table.put(entry);
  }

  /** A channel of a connection that C++ has. `onRelease` may not run before this has returned. */
  add(channel: RTCDataChannel, connection: RTCPeerConnection, onRelease: () => void): number {
    return this.#table.put(new Channel(this.instance, channel, connection, onRelease));
  }

  find(number: number): Channel | undefined {
    return this.#table.get(number);
  }

  get(number: number): Channel {
    const channel = this.#table.get(number);
    if (channel === undefined) throw new WebAssembly.RuntimeError(`no channel ${number}`);
    return channel;
  }

  releaseOne(number: number): void {
    this.#table.take(number)?.release();
  }

  release(): void {
    for (const channel of this.#table.values()) channel.release();
    this.#table.clear();
  }

  imports(): WebAssembly.ModuleImports {
    const { memory, slots, lastError } = this.instance;
    const at = (number: number): RTCDataChannel => this.get(number).channel;
    return {
      channel_adopt: (channel: number, options: number) => {
        const [value, optional] = [slots.take(channel), slots.take(options)];
        try {
          return this.adopt(value as RTCDataChannel, optional as AdoptOptions | undefined);
        } catch (error) {
          if (error instanceof WdcError) return lastError.fail(error.code, detailOf(error));
          return lastError.fail('invalid_argument', reasonOf(error));
        }
      },
      channel_detach: (number: number) => {
        const entry = this.get(number);
        if (this.instance.hasQueued(entry)) return lastError.fail('invalid_state', 'an event of the channel is on its way');
        this.#table.take(number);
        entry.detach();
        return slots.put(entry.channel);
      },
      channel_start: (number: number, context: number, largestSmall: number) =>
        this.get(number).startWith(context, largestSmall),
      channel_ready_state: (number: number) => this.get(number).state,
      channel_label: (number: number) => slots.put(at(number).label),
      channel_protocol: (number: number) => slots.put(at(number).protocol),
      channel_ordered: (number: number) => Number(at(number).ordered),
      channel_negotiated: (number: number) => Number(at(number).negotiated),
      channel_id: (number: number) => at(number).id ?? -1,
      channel_max_retransmits: (number: number) => at(number).maxRetransmits ?? -1,
      channel_max_packet_life_time: (number: number) => at(number).maxPacketLifeTime ?? -1,
      channel_max_message_size: (number: number) => this.get(number).maxMessageSize,
      channel_buffered_amount: (number: number) => this.get(number).bufferedAmount,
      channel_set_low_threshold: (number: number, bytes: number) => {
        at(number).bufferedAmountLowThreshold = Math.min(bytes, 2 ** 32 - 1);
      },
      channel_send_bytes: (number: number, pointer: number, length: number) =>
        this.get(number).sendBytes(memory.sent(pointer, length)),
      channel_send_text: (number: number, pointer: number, length: number) => {
        const text = memory.text(pointer, length);
        return text === undefined
          ? lastError.fail('invalid_argument', 'the text is not UTF-8')
          : this.get(number).sendText(text);
      },
      channel_send_slot: (number: number, slot: number) => {
        const value = slots.get(slot);
        const channel = this.get(number);
        const result = typeof value === 'string' ? channel.sendText(value) : channel.sendBytes(bytesOf(value));
        if (result === 0) slots.take(slot);
        return result;
      },
      channel_close: (number: number) => this.get(number).close(),
      channel_abort: (number: number) => this.get(number).abort(),
      channel_release: (number: number) => this.releaseOne(number),
    };
  }
}
