// SPDX-License-Identifier: MIT
//
// The native peer against other people's, from npm: libwebrtc, libdatachannel and werift. Theirs sends, ours sends back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe as group, test } from 'node:test';
import { root } from '../../tools/files.mjs';

const program = join(root, 'build', process.env.WDC_PRESET ?? 'native', 'src/native/interop/npm_peer');
const patience = 20_000;

const peers = {
  libwebrtc: async () => (await import('@roamhq/wrtc')).default.RTCPeerConnection,
  libdatachannel: async () => (await import('node-datachannel/polyfill')).RTCPeerConnection,
  werift: async () => (await import('werift')).RTCPeerConnection,
};
// What they have in common: host addresses suffice.
const configuration = { iceServers: [] };

const within = (promise, what) => {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen within ${patience / 1000} s`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

/** Values that are waited for in the order they come. */
class Inbox {
  #values = [];
  #waiting = [];

  put(value) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(value);
    else this.#values.push(value);
  }

  take(what) {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift());
    return within(new Promise((resolve) => { this.#waiting.push(resolve); }), what);
  }
}

const escaped = (text) => text.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
const unescaped = (text) => text.replaceAll('\\n', '\n').replaceAll('\\r', '\r');

/** Our end: the program, and what it says. */
class Ours {
  opened = new Inbox();
  closed = new Inbox();
  errors = '';
  #child = spawn(program, { stdio: ['pipe', 'pipe', 'pipe'] });

  constructor(onSignal) {
    this.ended = once(this.#child, 'exit').then(([code, signal]) => code ?? signal);
    this.#child.stderr.setEncoding('utf8').on('data', (text) => { this.errors += text; });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const [word, ...fields] = line.split('\t').map(unescaped);
      if (word === 'opened') {
        const [number, label, protocol, ordered, retransmits, lifeTime] = fields;
        this.opened.put({ number, label, protocol, ordered: ordered === 'true', retransmits, lifeTime });
      } else if (word === 'closed') {
        this.closed.put({ number: fields[0], code: fields[1] });
      } else {
        onSignal(word, fields);
      }
    });
  }

  write(...fields) {
    this.#child.stdin.write(`${fields.map((field) => escaped(String(field))).join('\t')}\n`);
  }

  async stop() {
    this.#child.stdin.end();
    return within(this.ended, 'the end of our program');
  }
}

/** A channel of theirs. */
class Theirs {
  messages = new Inbox();
  closed;
  opened;

  constructor(channel) {
    this.channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => this.messages.put(typeof data === 'string' ? data : Buffer.from(data));
    this.opened = channel.readyState === 'open' ? Promise.resolve() : new Promise((resolve) => { channel.onopen = resolve; });
    this.closed = new Promise((resolve) => { channel.onclose = resolve; });
  }

  async echo(message) {
    this.channel.send(message);
    assert.deepEqual(await this.messages.take(`the echo of ${message.length}`), message);
  }
}

/** Both ends, connected; `create(label, options)` makes a channel from the side that is said. */
async function connect(name, offerer) {
  const connection = new (await peers[name]())(configuration);
  const incoming = new Inbox();
  connection.ondatachannel = ({ channel }) => incoming.put(new Theirs(channel));
  let remoteIsSet;
  const remote = new Promise((resolve) => { remoteIsSet = resolve; });
  let failed;
  const failure = new Promise((resolve, reject) => { failed = reject; });
  failure.catch(() => undefined);

  async function onSignal(word, fields) {
    if (word === 'description') {
      const [type, sdp] = fields;
      await connection.setRemoteDescription({ type, sdp });
      remoteIsSet();
      if (type !== 'offer') return;
      const answer = await connection.createAnswer();
      await connection.setLocalDescription(answer);
      describe('answer', (connection.localDescription ?? answer).sdp);
    } else if (word === 'candidate' && fields[0] !== '') {
      await remote;
      await connection.addIceCandidate({ candidate: fields[0], sdpMid: fields[1], sdpMLineIndex: 0 });
    }
  }
  const ours = new Ours((word, fields) => onSignal(word, fields).catch(failed));
  // Some name candidates before their description can be had.
  let described;
  const description = new Promise((resolve) => { described = resolve; });
  const describe = (type, sdp) => {
    ours.write('description', type, sdp);
    described();
  };
  connection.onicecandidate = async ({ candidate }) => {
    await description;
    if (candidate?.candidate) ours.write('candidate', candidate.candidate, candidate.sdpMid ?? '0');
  };

  let id = offerer === 'theirs' ? 1 : 0; // of the DTLS server or the client, that is the one who answers
  const fromThem = async (label, options = {}) => {
    // werift knows no number of its own where our INIT comes before it has begun with SCTP.
    id += 2;
    const numbered = name === 'werift' ? { ...options, id } : options;
    const theirs = new Theirs(connection.createDataChannel(label, numbered));
    return { theirs, ready: async () => {
      await within(Promise.race([theirs.opened, failure]), 'their channel opening');
      return { theirs, ours: await ours.opened.take('our channel opening') };
    } };
  };
  const fromUs = async (label, { ordered = true, maxRetransmits = '', maxPacketLifeTime = '' } = {}) => {
    ours.write('create', label, ordered, maxRetransmits, maxPacketLifeTime);
    return { ready: async () => {
      const theirs = await Promise.race([incoming.take('their being told of a channel'), failure]);
      await within(theirs.opened, 'their channel opening');
      return { theirs, ours: await ours.opened.take('our channel opening') };
    } };
  };

  const first = await (offerer === 'theirs' ? fromThem : fromUs)('first');
  if (offerer === 'theirs') {
    const offer = await connection.createOffer();
    await connection.setLocalDescription(offer);
    describe('offer', (connection.localDescription ?? offer).sdp);
  }
  const pair = await first.ready();
  return {
    ours,
    first: pair,
    open: async (side, label, options) => (await (side === 'theirs' ? fromThem : fromUs)(label, options)).ready(),
    async end() {
      await connection.close();
      const status = await ours.stop();
      assert.equal(ours.errors, '');
      assert.equal(status, 0);
    },
  };
}

for (const name of Object.keys(peers)) {
  for (const offerer of ['theirs', 'ours']) {
    group(`${name}, ${offerer === 'ours' ? 'answering' : 'offering'}`, { timeout: 15_000 }, () => {
      let ends;
      after(async () => ends?.end());

      test('meets', async () => {
        ends = await connect(name, offerer);
        assert.equal(ends.first.ours.label, 'first');
      });

      test('carries binary and text of many sizes both ways', async () => {
        const { theirs } = ends.first;
        for (const size of [1, 2, 1000, 1200, 16_384, 65_536]) await theirs.echo(randomBytes(size));
        for (const text of ['a', 'grüße \u{1f30d}', 'nul \0 inside', 'x'.repeat(65_536)]) await theirs.echo(text);
      });

      test('carries bulk of 64 KB with small messages beside it', async () => {
        const { theirs: small } = await ends.open('theirs', 'small');
        const { theirs: bulk } = await ends.open('ours', 'bulk');
        const sent = [];
        for (let index = 0; index < 48; index += 1) {
          sent.push(randomBytes(65_536));
          bulk.channel.send(sent.at(-1));
          await small.echo(Buffer.from(`small ${index}`));
        }
        for (const [index, bytes] of sent.entries()) {
          assert.ok(bytes.equals(await bulk.messages.take(`bulk message ${index}`)), `bulk message ${index} differs`);
        }
      });

      for (const side of ['theirs', 'ours']) {
        for (const options of [
          { ordered: false },
          { ordered: true, maxRetransmits: 0 },
          { ordered: false, maxRetransmits: 3 },
          { ordered: false, maxPacketLifeTime: 500 },
        ]) {
          test(`agrees on ${JSON.stringify(options)} of a channel of ${side}`, async () => {
            const label = `mode ${side}`;
            const { theirs, ours } = await ends.open(side, label, options);
            assert.equal(ours.label, label);
            // werift says either that a channel is unordered or that it has a limit.
            const isLimited = options.maxRetransmits !== undefined || options.maxPacketLifeTime !== undefined;
            if (!(name === 'werift' && side === 'theirs' && isLimited)) assert.equal(ours.ordered, options.ordered);
            assert.equal(ours.retransmits, String(options.maxRetransmits ?? ''));
            assert.equal(ours.lifeTime, String(options.maxPacketLifeTime ?? ''));
            assert.equal(theirs.channel.label, label);
            // node-datachannel calls every channel that it did not make ordered.
            if (!(name === 'libdatachannel' && side === 'ours')) assert.equal(theirs.channel.ordered, options.ordered);
            await theirs.echo(randomBytes(300));
          });
        }

        test(`closes a channel from the side of ${side}`, async () => {
          const { theirs, ours } = await ends.open('theirs', 'closing');
          await theirs.echo('before');
          if (side === 'theirs') theirs.channel.close();
          else ends.ours.write('close', ours.number);
          assert.deepEqual(await ends.ours.closed.take('our being told of the close'), { number: ours.number, code: '' });
          await within(theirs.closed, 'their being told of the close');
          await ends.first.theirs.echo('the others live on');
        });
      }
    });
  }
}
