// SPDX-License-Identifier: MIT
//
// The far end of the conformance suite in a browser of its own, so that it can be frozen and killed.
import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processesBelow, signal, stopProcesses } from '../../support/processes.mjs';
import { bundle, launch, openPage, root } from './browser.mjs';

const pages = join(root, 'tests/browser');

/** The script of a part that could not be made: the cases that want it say why. */
const failing = (error) => `throw new Error(${JSON.stringify(String(error.message))});`;

/** What the server has to serve: `names`.html with their scripts, and the part that the far end loads when asked. */
export async function makePages(folder, names) {
  await mkdir(folder, { recursive: true });
  for (const name of names) {
    await copyFile(join(pages, `${name}.html`), join(folder, `${name}.html`));
  }
  for (const name of names) await writeFile(join(folder, scriptOf(name)), await bundlePage(name));
  await writeFile(join(folder, 'package_end.js'), await bundlePage('package_end').catch(failing));
}

const scriptOf = (name) => (name === 'conformance' ? 'conformance_page.js' : `${name}.js`);
const bundlePage = (name) =>
  bundle(join(pages, scriptOf(name).replace('.js', '.ts')), { target: 'es2022', external: ['./package_end.js'] });

/** The far end: a browser with one page. */
export class FarEnd {
  #origin;
  #parameters;
  #browser;
  #opened;
  #frozen = [];
  #killed = false;

  /** Its rooms are `roomPrefix`-0 and so on; `more`: further parameters of its page. */
  constructor(origin, roomPrefix, more = '') {
    this.#origin = origin;
    this.#parameters = `prefix=${roomPrefix}${more}`;
  }

  /** A fresh page, in a fresh browser if there is none. */
  async start(seat) {
    if (this.#killed) await this.#bury();
    else await this.#opened?.close();
    this.#browser ??= await launch();
    this.#opened = await openPage(this.#browser, `${this.#origin}/far_end.html?${this.#parameters}&number=${seat}`);
    await this.seated(seat);
  }

  /** Waits until it sits in the room of that number. */
  async seated(seat) {
    const { page, text } = this.#opened;
    try {
      await page.waitForFunction((number) => document.documentElement.dataset.seat === String(number), { timeout: 10_000 }, seat);
    } catch (error) {
      throw new Error(`the far end does not sit in room ${seat}: ${error.message}\n${text.join('\n')}`);
    }
  }

  /** What its page wrote since the last time. */
  takeText() {
    return this.#opened ? [...this.#opened.errors.splice(0), ...this.#opened.text.splice(0)] : [];
  }

  async freeze() {
    this.#frozen = await processesBelow(this.#browser.process().pid, /./);
    await stopProcesses(this.#frozen);
  }

  thaw() {
    for (const pid of this.#frozen.splice(0)) signal(pid, 'SIGCONT');
  }

  /** Kills what runs the page. The rest of the browser may still say goodbye in its name: Firefox does. */
  async killPage() {
    const renderers = await processesBelow(this.#browser.process().pid, /--type=renderer|-contentproc.* tab\s*$/);
    assert.notEqual(renderers.length, 0, 'the far end has a process to kill');
    for (const pid of renderers) signal(pid, 'SIGKILL');
    this.#killed = true;
  }

  /** Kills everything, first stopped, so that nothing says goodbye. */
  async killAll() {
    await this.freeze();
    for (const pid of this.#frozen.splice(0)) signal(pid, 'SIGKILL');
    this.#killed = true;
  }

  async #bury() {
    for (const pid of await processesBelow(this.#browser.process().pid, /./)) signal(pid, 'SIGKILL');
    await this.#browser.disconnect();
    this.#browser = undefined;
    this.#killed = false;
  }

  async stop() {
    this.thaw();
    await this.#browser?.close();
  }
}
