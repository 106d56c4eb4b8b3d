// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';

/**
 * What later steps need is made ahead, at idle priority, while another waits. It is stopped like ninja by Ctrl-C: what
 * it has finished stays, and whoever runs the command again goes on from there. The step itself says what went wrong.
 */
export class Preparation {
  #root;
  #done = new Set();
  #child = null;
  #ended = Promise.resolve();
  #stopped = true;

  constructor(root) {
    this.#root = root;
  }

  /** Goes on with what `steps` need, one command after the other. */
  goOn(steps) {
    const commands = steps.flatMap((step) => step.prepare ?? []);
    this.#stopped = false;
    this.#ended = this.#run(commands.filter((words) => !this.#done.has(words.join(' '))));
  }

  async #run(commands) {
    for (const words of commands) {
      if (this.#stopped) return;
      const exitCode = await new Promise((done) => {
        // Where there is no chrt, there is no preparation.
        this.#child = spawn('chrt', ['--idle', '0', ...words], { cwd: this.#root, stdio: 'ignore', detached: true });
        this.#child.on('error', () => done(127));
        this.#child.on('close', (code, signal) => done(code ?? signal));
      });
      this.#child = null;
      if (exitCode !== 0) return;
      this.#done.add(words.join(' '));
    }
  }

  /** Done when nothing of it runs any more. */
  async stop() {
    this.#stopped = true;
    this.#interrupt();
    // A shell that is about to start its command keeps a signal to itself until that has ended.
    const again = setInterval(() => this.#interrupt(), 1000);
    await this.#ended;
    clearInterval(again);
  }

  #interrupt() {
    try {
      if (this.#child) process.kill(-this.#child.pid, 'SIGINT');
    } catch {
      // It has ended.
    }
  }
}
