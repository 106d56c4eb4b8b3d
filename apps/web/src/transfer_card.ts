// SPDX-License-Identifier: MIT
import { formatBytes, formatDuration, formatRate, formatRemaining } from './format.js';
import { RatePlot } from './rate_plot.js';
import type { Transfer } from './transfer.js';

export interface CardActions {
  accept(transfer: Transfer): void;
  /** Undefined where the browser cannot write to a file of the user's choice. */
  acceptToDisk?(transfer: Transfer): void;
  decline(transfer: Transfer): void;
  cancel(transfer: Transfer): void;
  sendAgain(transfer: Transfer): void;
  remove(transfer: Transfer): void;
}

// From here on a browser's own storage may become the limit.
const largeFile = 512e6;

function element<K extends keyof HTMLElementTagNameMap>(
  name: K, className: string, text = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.className = className;
  if (text !== '') made.textContent = text;
  return made;
}

function button(text: string, className: string, action: () => void): HTMLButtonElement {
  const made = element('button', `button ${className}`.trim(), text);
  made.type = 'button';
  made.addEventListener('click', action);
  return made;
}

/** The ending in capitals, or a dash: what stands on the file's mark. */
function markOf(name: string): string {
  const ending = /\.([a-z0-9]{1,4})$/i.exec(name)?.[1];
  return ending === undefined ? '–' : ending.toUpperCase();
}

function titleOf(transfer: Transfer): string {
  const outgoing = transfer.direction === 'outgoing';
  switch (transfer.state) {
    case 'queued': return 'next in line';
    case 'offering': return 'waiting for the other side to accept';
    case 'offered': return 'offered by the other side';
    case 'active': return outgoing ? 'sending' : 'receiving';
    case 'done': return outgoing ? 'sent' : 'received';
    case 'failed': return outgoing ? 'not sent' : 'not received';
  }
}

/** Groups of eight digits can be compared by eye. */
function hashElement(sha256: string): HTMLElement {
  const code = element('code', 'hash-digits');
  for (const group of sha256.match(/.{1,8}/g) ?? []) code.append(element('span', '', group));
  return code;
}

/** One file as the user sees it. Texts of the other side only ever become text nodes. */
export class TransferCard {
  readonly element = element('article', 'card transfer');
  readonly #transfer: Transfer;
  readonly #actions: CardActions;
  readonly #facts = element('p', 'file-facts');
  readonly #buttons = element('div', 'actions');
  readonly #body = element('div', 'transfer-body');
  readonly #progress = element('progress', 'bar');
  readonly #percent = element('span', 'percent');
  readonly #amount = element('span', 'amount');
  readonly #plot = new RatePlot();
  readonly #stats = new Map<string, HTMLElement>();
  #shownState = '';

  constructor(transfer: Transfer, actions: CardActions) {
    this.#transfer = transfer;
    this.#actions = actions;
    const title = element('h3', 'file-name', transfer.name);
    title.dir = 'auto';
    title.title = transfer.name;
    this.element.setAttribute('aria-label', transfer.name);
    const mark = element('span', 'file-mark', markOf(transfer.name));
    mark.setAttribute('aria-hidden', 'true');
    const head = element('div', 'transfer-head');
    const texts = element('div', 'file-texts');
    texts.append(title, this.#facts);
    head.append(mark, texts, this.#buttons);
    this.#progress.max = Math.max(transfer.size, 1);
    this.#progress.setAttribute('aria-label', `Progress of ${transfer.name}`);
    this.element.append(head, this.#body);
    this.update();
  }

  /** Draws what has changed; cheap enough for every tick of the clock. */
  update(): void {
    const { state } = this.#transfer;
    if (state !== this.#shownState) {
      this.#shownState = state;
      this.element.dataset['transfer'] = state;
      this.element.dataset['direction'] = this.#transfer.direction;
      this.#buildButtons();
      this.#buildBody();
      this.#facts.textContent = `${formatBytes(this.#transfer.size)} · ${titleOf(this.#transfer)}`;
    }
    if (state === 'active') this.#updateNumbers();
  }

  #buildButtons(): void {
    const transfer = this.#transfer;
    const actions = this.#actions;
    // The focus would fall back to the page's top with the button that had it.
    const hadFocus = this.element.contains(document.activeElement);
    this.#buttons.replaceChildren();
    switch (transfer.state) {
      case 'queued':
        this.#buttons.append(button('Remove', 'quiet', () => actions.cancel(transfer)));
        break;
      case 'offered': {
        const accept = button('Accept', 'primary', () => actions.accept(transfer));
        accept.id = 'accept';
        this.#buttons.append(accept);
        if (actions.acceptToDisk !== undefined && transfer.size >= largeFile) {
          this.#buttons.append(button('Save to disk…', '', () => actions.acceptToDisk?.(transfer)));
        }
        const decline = button('Decline', 'quiet', () => actions.decline(transfer));
        decline.id = 'decline';
        this.#buttons.append(decline);
        break;
      }
      case 'offering':
      case 'active': {
        const cancel = button('Cancel', 'quiet', () => actions.cancel(transfer));
        cancel.className += ' cancel';
        cancel.setAttribute('aria-label', `Cancel ${transfer.name}`);
        this.#buttons.append(cancel);
        break;
      }
      case 'done':
        if (transfer.download !== undefined) this.#buttons.append(this.#downloadLink(transfer.download));
        break;
      case 'failed':
        if (transfer.file !== undefined) {
          this.#buttons.append(button('Send again', '', () => actions.sendAgain(transfer)));
        }
        this.#buttons.append(button('Remove', 'quiet', () => actions.remove(transfer)));
        break;
    }
    if (hadFocus) {
      this.element.tabIndex = -1;
      this.element.focus({ preventScroll: true });
    }
  }

  #downloadLink(url: string): HTMLAnchorElement {
    // The name belongs to the latest one.
    document.getElementById('download')?.removeAttribute('id');
    const link = element('a', 'button primary', 'Download');
    link.id = 'download';
    link.href = url;
    link.download = this.#transfer.name;
    return link;
  }

  #buildBody(): void {
    const transfer = this.#transfer;
    this.#body.replaceChildren();
    if (transfer.state === 'active') {
      const numbers = element('p', 'numbers');
      numbers.append(this.#percent, this.#amount);
      this.#body.append(this.#progress, numbers, this.#plot.element, this.#statList('Now', 'Average', 'Remaining'));
    } else if (transfer.state === 'done') {
      this.#buildDone();
    } else if (transfer.state === 'failed') {
      const [, sentence = ''] = /^[a-z_]+: (.*)$/s.exec(transfer.error ?? '') ?? [];
      this.#body.append(element('p', 'failure', sentence || (transfer.error ?? '')));
    }
  }

  #buildDone(): void {
    const transfer = this.#transfer;
    this.#plot.draw(transfer.meter);
    if (transfer.size > 0) {
      this.#body.append(this.#plot.element, this.#statList('Average', 'Time'));
      this.#setStat('Average', formatRate(transfer.meter.average));
      this.#setStat('Time', formatDuration(transfer.meter.elapsed));
    }
    const hash = element('div', 'hash');
    const verdict = element('p', 'verdict');
    verdict.append(element('span', 'check'), 'SHA-256 is the same on both ends');
    hash.append(verdict, hashElement(transfer.sha256 ?? ''));
    this.#body.append(hash);
    if (transfer.savedToDisk === true) this.#body.append(element('p', 'saved', 'Saved to the file you chose.'));
  }

  #statList(...names: string[]): HTMLElement {
    const list = element('dl', 'stats');
    this.#stats.clear();
    for (const name of names) {
      const value = element('dd', '', '–');
      const group = element('div', '');
      group.append(element('dt', '', name), value);
      list.append(group);
      this.#stats.set(name, value);
    }
    return list;
  }

  #setStat(name: string, text: string): void {
    const value = this.#stats.get(name);
    if (value !== undefined && value.textContent !== text) value.textContent = text;
  }

  #updateNumbers(): void {
    const { bytes, size, meter } = this.#transfer;
    this.#progress.value = bytes;
    this.#percent.textContent = `${size > 0 ? Math.floor((100 * bytes) / size) : 0} %`;
    this.#amount.textContent = `${formatBytes(bytes)} of ${formatBytes(size)}`;
    this.#plot.draw(meter);
    this.#setStat('Now', formatRate(meter.current));
    this.#setStat('Average', formatRate(meter.average));
    this.#setStat('Remaining', meter.current > 0 ? formatRemaining((size - bytes) / meter.current) : '–');
  }
}
