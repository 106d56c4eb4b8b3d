// SPDX-License-Identifier: MIT
import type { Answer, AppEvents, AppModule, Direction, StopReason } from './app_module.js';
import { noticeFor } from './connection_notice.js';
import { BlobSink, DiskSink } from './file_sink.js';
import { FileSource } from './file_source.js';
import { formatBytes } from './format.js';
import { RateMeter } from './rate_meter.js';
import { isRoom, newRoom, signalingUrl } from './room.js';
import { TransferCard, type CardActions } from './transfer_card.js';
import { hasEnded, incomingTransfer, outgoingTransfer, type Transfer } from './transfer.js';

const tickMilliseconds = 100;
const keptCards = 30;
// The server frees the place of a page that was lost within this time (docs/wire/signaling.md, "Drops and reconnects").
const rejoinMilliseconds = 25_000;
const maxFileBytes = 2 ** 40;

function byId<T extends HTMLElement>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return found;
}

/** Chromium's; not in TypeScript's own library. */
type SavePicker = (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
const savePicker = (window as { showSaveFilePicker?: SavePicker }).showSaveFilePicker?.bind(window);

const stopTexts: Record<StopReason, { byPeer: string; here: string }> = {
  declined: { byPeer: 'The other side declined the file.', here: 'You declined the file.' },
  cancelled: { byPeer: 'The other side cancelled.', here: 'You cancelled.' },
  read_failed: { byPeer: 'The other side could not read the file.', here: 'The file cannot be read, or has changed.' },
  write_failed: { byPeer: 'The other side has no room for the file.', here: 'There is no room for the file.' },
  hash_mismatch: {
    byPeer: 'The file arrived damaged: its SHA-256 is different.',
    here: 'The file arrived damaged: its SHA-256 is different.',
  },
};

/** What the user sees and does. The module decides what is true; this draws it, and keeps files' bytes. */
export class Page implements AppEvents {
  module: AppModule | undefined;

  readonly #room: string;
  #phase: 'waiting' | 'ready' | 'ended' = 'waiting';
  #endReason = '';
  #transfers: Transfer[] = [];
  readonly #cards = new Map<Transfer, TransferCard>();
  /** The one that data-state tells of: the last that changed, those under way before those that ended. */
  #focus: Transfer | undefined;
  #rejoinUntil = 0;
  #announcedQuarter = 0;

  readonly #root = document.documentElement;
  readonly #invite = byId('invite', HTMLElement);
  readonly #notice = byId('notice', HTMLElement);
  readonly #reconnect = byId('reconnect', HTMLButtonElement);
  readonly #drop = byId('drop', HTMLElement);
  readonly #input = byId('file-input', HTMLInputElement);
  readonly #live = byId('live', HTMLElement);
  readonly #list = byId('transfers', HTMLElement);

  readonly #actions: CardActions = {
    accept: (transfer) => this.#accept(transfer),
    ...(savePicker && { acceptToDisk: (transfer: Transfer) => void this.#acceptToDisk(transfer, savePicker) }),
    decline: () => this.module?.cancel('incoming', 'declined'),
    cancel: (transfer) => this.#cancel(transfer),
    sendAgain: (transfer) => {
      if (transfer.file !== undefined) this.#enqueue([transfer.file]);
      this.#remove(transfer);
    },
    remove: (transfer) => this.#remove(transfer),
  };

  constructor() {
    const wanted = new URLSearchParams(location.search).get('room');
    this.#room = wanted ?? newRoom();
    if (wanted === null) history.replaceState(null, '', `?room=${this.#room}`);
    byId('room', HTMLElement).textContent = this.#room;
    this.#bindInvitation();
    this.#bindFiles();
    this.#reconnect.addEventListener('click', () => this.join());
    window.addEventListener('pagehide', () => this.module?.stop());
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) this.join();
    });
    setInterval(() => this.#tick(), tickMilliseconds);
    this.#draw();
  }

  /** Goes to the room and waits there; also after an end. */
  join(): void {
    this.#focus = undefined;
    if (isRoom(this.#room)) this.module?.start(signalingUrl(), this.#room);
    else this.ended('bad_room: the name of the room is not valid');
  }

  // What the module tells.

  waiting(): void {
    this.#phase = 'waiting';
    this.#draw();
  }

  ready(): void {
    this.#phase = 'ready';
    this.#rejoinUntil = 0;
    this.#announce('Connected to the other side.');
    this.#draw();
    this.#offerNext();
  }

  ended(reason: string): void {
    const wasReady = this.#phase === 'ready';
    const broken = this.#transfers.filter((transfer) => !hasEnded(transfer) && transfer.state !== 'queued');
    for (const transfer of broken) this.#fail(transfer, reason, `${noticeFor(reason).title}.`);
    // A room that was left without a word is full until the server has noticed.
    const mayRejoin = reason.startsWith('room_full:') && performance.now() < this.#rejoinUntil;
    if (mayRejoin || (wasReady && broken.length === 0 && /^(closed|connection_closed|peer_lost|transport_error):/.test(reason))) {
      if (wasReady) this.#rejoinUntil = performance.now() + rejoinMilliseconds;
      if (wasReady) this.#announce('The other side has left.');
      this.#phase = 'waiting';
      setTimeout(() => {
        if (this.#phase === 'waiting') this.join();
      }, mayRejoin ? 1000 : 0);
    } else {
      if (wasReady) this.#rejoinUntil = performance.now() + rejoinMilliseconds;
      this.#phase = 'ended';
      this.#endReason = reason;
    }
    this.#draw();
  }

  offered(name: string, type: string, size: number): void {
    this.#add(incomingTransfer(name, type, size));
    this.#announce(`The other side wants to send you ${name}, ${formatBytes(size)}.`);
  }

  accepted(): void {
    const transfer = this.#underWay('outgoing');
    if (transfer !== undefined) this.#begin(transfer);
  }

  stopped(direction: Direction, reason: StopReason, byPeer: boolean): void {
    const transfer = this.#underWay(direction);
    if (transfer === undefined) return;
    if (reason === 'declined' && !byPeer) {
      this.#remove(transfer);
    } else {
      this.#fail(transfer, reason, stopTexts[reason][byPeer ? 'byPeer' : 'here']);
    }
    this.#offerNext();
  }

  done(direction: Direction, sha256: string): void {
    const transfer = this.#underWay(direction);
    if (transfer === undefined) return;
    transfer.bytes = transfer.size;
    transfer.meter.finish(performance.now(), transfer.size);
    transfer.sha256 = sha256;
    transfer.state = 'done';
    if (transfer.sink !== undefined) {
      const blob = transfer.sink.result();
      if (blob === undefined) transfer.savedToDisk = true;
      else transfer.download = URL.createObjectURL(blob);
    }
    delete transfer.file;
    this.#release(transfer);
    this.#announce(`${transfer.name} ${direction === 'outgoing' ? 'was sent' : 'has arrived'}. SHA-256 is the same on both ends.`);
    this.#changed(transfer);
    this.#offerNext();
  }

  read(offset: number, target: Uint8Array): Answer {
    return this.#underWay('outgoing')?.source?.read(offset, target) ?? 'failed';
  }

  write(id: number, bytes: Uint8Array): Answer {
    const transfer = this.#underWay('incoming');
    this.#incomingId = id;
    return transfer?.sink?.write(bytes) ?? 'failed';
  }

  #incomingId = 0;

  /** The module is gone for good. */
  died(reason: Error): void {
    this.ended(/^[a-z_]+:/.test(reason.message) ? reason.message : `wasm_trapped: ${reason.message}`);
  }

  // Transfers.

  #underWay(direction: Direction): Transfer | undefined {
    return this.#transfers.find(
      (transfer) => transfer.direction === direction && !hasEnded(transfer) && transfer.state !== 'queued',
    );
  }

  #enqueue(files: Iterable<File>): void {
    for (const file of files) {
      const transfer = outgoingTransfer(file);
      this.#add(transfer);
      if (file.size > maxFileBytes) this.#fail(transfer, 'too_large', 'Files of more than 1 TiB cannot be sent.');
    }
    this.#offerNext();
  }

  /** In a turn of its own: the module must not be called while it calls. */
  #offerNext(): void {
    queueMicrotask(() => {
      if (this.#phase !== 'ready' || this.#underWay('outgoing') !== undefined) return;
      const next = this.#transfers.find((transfer) => transfer.state === 'queued');
      if (next?.file === undefined || this.module === undefined) return;
      next.state = 'offering';
      next.source = new FileSource(next.file, () => this.module?.readable());
      if (this.module.offer(next.size, next.name, next.type)) this.#changed(next);
      else this.#fail(next, 'not_connected', 'The file could not be offered.');
    });
  }

  #accept(transfer: Transfer): void {
    transfer.sink = new BlobSink();
    this.#begin(transfer);
    this.module?.accept();
  }

  async #acceptToDisk(transfer: Transfer, pick: SavePicker): Promise<void> {
    let stream: FileSystemWritableFileStream;
    try {
      stream = await (await pick({ suggestedName: transfer.name })).createWritable();
    } catch {
      return; // The user closed the dialog: the offer stands.
    }
    if (transfer.state !== 'offered') return void stream.abort();
    transfer.sink = new DiskSink(
      stream,
      transfer.size,
      (bytes) => this.module?.putAway(this.#incomingId, bytes),
      () => this.module?.cancel('incoming', 'write_failed'),
    );
    this.#begin(transfer);
    this.module?.accept();
  }

  #cancel(transfer: Transfer): void {
    if (transfer.state === 'queued') this.#remove(transfer);
    else this.module?.cancel(transfer.direction, 'cancelled');
  }

  #begin(transfer: Transfer): void {
    transfer.state = 'active';
    transfer.meter = new RateMeter(performance.now());
    this.#announcedQuarter = 0;
    this.#announce(`${transfer.direction === 'outgoing' ? 'Sending' : 'Receiving'} ${transfer.name}.`);
    this.#changed(transfer);
  }

  #fail(transfer: Transfer, code: string, sentence: string): void {
    const [shortCode = code] = code.split(':', 1);
    transfer.state = 'failed';
    transfer.error = `${shortCode}: ${sentence}`;
    transfer.sink?.discard();
    this.#release(transfer);
    this.#announce(`${transfer.name}: ${sentence}`);
    this.#changed(transfer);
  }

  #release(transfer: Transfer): void {
    delete transfer.source;
    delete transfer.sink;
  }

  #add(transfer: Transfer): void {
    this.#transfers.push(transfer);
    const card = new TransferCard(transfer, this.#actions);
    this.#cards.set(transfer, card);
    this.#list.prepend(card.element);
    const ended = this.#transfers.filter(hasEnded);
    for (const old of ended.slice(0, Math.max(0, ended.length - keptCards))) this.#remove(old);
    this.#changed(transfer);
  }

  #remove(transfer: Transfer): void {
    if (transfer.download !== undefined) URL.revokeObjectURL(transfer.download);
    this.#transfers = this.#transfers.filter((other) => other !== transfer);
    this.#cards.get(transfer)?.element.remove();
    this.#cards.delete(transfer);
    if (this.#focus === transfer) this.#focus = undefined;
    this.#draw();
  }

  #changed(transfer: Transfer): void {
    const others = this.#transfers.filter((other) => other !== transfer && !hasEnded(other) && other.state !== 'queued');
    if (transfer.state !== 'queued') this.#focus = hasEnded(transfer) ? (others.at(-1) ?? transfer) : transfer;
    this.#cards.get(transfer)?.update();
    this.#draw();
  }

  // Drawing.

  #tick(): void {
    const active = this.#transfers.filter((transfer) => transfer.state === 'active');
    for (const transfer of active) {
      transfer.bytes = this.module?.progress(transfer.direction) ?? transfer.bytes;
      transfer.meter.add(performance.now(), transfer.bytes);
      this.#cards.get(transfer)?.update();
    }
    if (active.length > 0) {
      this.#announceQuarter();
      this.#drawState();
    }
  }

  #draw(): void {
    this.#invite.hidden = this.#phase !== 'waiting';
    this.#notice.hidden = this.#phase !== 'ended';
    this.#drop.hidden = this.#phase !== 'ready';
    this.#drop.classList.toggle('compact', this.#transfers.length > 0);
    byId('transfers-section', HTMLElement).hidden = this.#transfers.length === 0;
    byId('status-text', HTMLElement).textContent =
      { waiting: 'Waiting', ready: 'Connected', ended: 'Offline' }[this.#phase];
    byId('status', HTMLElement).dataset['phase'] = this.#phase;
    if (this.#phase === 'ended') {
      const { title, text } = noticeFor(this.#endReason);
      byId('notice-title', HTMLElement).textContent = title;
      byId('notice-text', HTMLElement).textContent = text;
      byId('notice-detail', HTMLElement).textContent = this.#endReason;
      this.#reconnect.textContent = this.#endReason.startsWith('room_full:') ? 'Try again' : 'Reconnect';
      this.#reconnect.hidden = /^(bad_room|wasm_|unsupported)/.test(this.#endReason);
      byId('new-room', HTMLElement).hidden = !/^(room_full|bad_room):/.test(this.#endReason);
    }
    this.#drawState();
  }

  /** What automation reads: apps/web/README.md. The state is written last. */
  #drawState(): void {
    const { dataset } = this.#root;
    const focus = this.#focus;
    const set = (name: string, value: string | undefined): void => {
      if (value === undefined) this.#root.removeAttribute(`data-${name}`);
      else if (dataset[name] !== value) dataset[name] = value;
    };
    set('bytes', focus && String(focus.bytes));
    set('total', focus && String(focus.size));
    set('sha256', focus?.sha256);
    const state = this.#stateName();
    set('error', state === 'failed' ? (this.#phase === 'ended' ? this.#endReason : focus?.error) : undefined);
    set('state', state);
    const percent = focus?.state === 'active' && focus.size > 0 ? `${Math.floor((100 * focus.bytes) / focus.size)} % · ` : '';
    const title = `${percent}Send a file`;
    if (document.title !== title) document.title = title;
  }

  #stateName(): string {
    if (this.#phase === 'ended') return 'failed';
    const focus = this.#focus;
    if (focus === undefined || focus.state === 'queued') return this.#phase === 'ready' ? 'connected' : 'waiting';
    if (focus.state === 'active') return focus.direction === 'outgoing' ? 'sending' : 'receiving';
    return focus.state;
  }

  #announce(text: string): void {
    this.#live.textContent = text;
  }

  #announceQuarter(): void {
    const focus = this.#focus;
    if (focus?.state !== 'active' || focus.size === 0) return;
    const quarter = Math.floor((4 * focus.bytes) / focus.size);
    if (quarter <= this.#announcedQuarter || quarter > 3) return;
    this.#announcedQuarter = quarter;
    this.#announce(`${quarter * 25} percent of ${focus.name}.`);
  }

  // What the user does.

  #bindInvitation(): void {
    const link = byId('link', HTMLInputElement);
    const copy = byId('copy', HTMLButtonElement);
    link.value = `${location.origin}${location.pathname}?room=${encodeURIComponent(this.#room)}`;
    link.addEventListener('focus', () => link.select());
    copy.addEventListener('click', () => {
      void navigator.clipboard.writeText(link.value).then(
        () => {
          copy.textContent = 'Copied';
          this.#announce('Link copied.');
          setTimeout(() => (copy.textContent = 'Copy link'), 2000);
        },
        () => link.select(), // Not allowed: the text is ready to be copied by hand.
      );
    });
  }

  #bindFiles(): void {
    this.#input.addEventListener('change', () => {
      this.#enqueue(this.#input.files ?? []);
      this.#input.value = ''; // The same file may be chosen again.
    });
    const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    let depth = 0; // dragenter and dragleave come for every element on the way
    const highlight = (): void => void this.#root.classList.toggle('dragging', depth > 0 && this.#phase === 'ready');
    document.addEventListener('dragenter', (event) => {
      if (carriesFiles(event)) depth += 1;
      highlight();
    });
    document.addEventListener('dragleave', (event) => {
      if (carriesFiles(event)) depth = Math.max(0, depth - 1);
      highlight();
    });
    document.addEventListener('dragover', (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = this.#phase === 'ready' ? 'copy' : 'none';
    });
    document.addEventListener('drop', (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      depth = 0;
      highlight();
      if (this.#phase === 'ready') this.#enqueue(filesOf(event.dataTransfer));
    });
    document.addEventListener('paste', (event) => {
      const files = event.clipboardData?.files;
      if (files !== undefined && files.length > 0 && this.#phase === 'ready') this.#enqueue(files);
    });
  }
}

/** The dropped files; folders, which look like files that cannot be read, are left out. */
function filesOf(data: DataTransfer | null): File[] {
  return Array.from(data?.items ?? []).flatMap((item) => {
    const file = item.kind === 'file' && item.webkitGetAsEntry()?.isDirectory !== true ? item.getAsFile() : null;
    return file === null ? [] : [file];
  });
}
