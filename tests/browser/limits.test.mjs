// SPDX-License-Identifier: MIT
//
// What docs/limits.md says of this browser, measured on plain RTCDataChannels: the library is not involved. A row that fails has
// changed in the browser, and may let the library drop something.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { browserName, emptyPage, launch, openPage, root, serve } from './support/browser.mjs';

/** In the page: how to find out, by row. Each gives the cell's text. */
const measures = `
  const pair = async (init) => {
    const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
    const candidates = [];
    a.onicecandidate = ({ candidate }) => {
      if (candidate) candidates.push(candidate.candidate);
      b.addIceCandidate(candidate ?? undefined).catch(() => undefined);
    };
    b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate ?? undefined).catch(() => undefined);
    const near = a.createDataChannel('near', init);
    const binaryType = near.binaryType;
    near.binaryType = 'arraybuffer';
    const far = new Promise((resolve) => {
      b.ondatachannel = ({ channel }) => {
        channel.binaryType = 'arraybuffer';
        channel.received = [];
        channel.onmessage = ({ data }) => channel.received.push(data);
        resolve(channel);
      };
    });
    const open = new Promise((resolve) => { near.onopen = resolve; });
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription);
    await b.setLocalDescription();
    await a.setRemoteDescription(b.localDescription);
    const both = { a, b, near, far: await far, candidates, binaryType };
    await open;
    return both;
  };
  const event = (target, name) => new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));
  const end = ({ a, b }) => { a.close(); b.close(); };
  const number = (value) => value.toLocaleString('en-US');
  const until = async (condition) => { while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5)); };

  globalThis.measures = {
    async 'largest message'() {
      const both = await pair();
      const text = number(both.a.sctp.maxMessageSize) + ' bytes';
      end(both);
      return text;
    },
    async 'one byte more, on \`send\`'() {
      const both = await pair();
      const { maxMessageSize } = both.a.sctp;
      if (maxMessageSize > 1e8) {
        end(both);
        return 'not tried';
      }
      let name;
      try { both.near.send(new Uint8Array(maxMessageSize + 1)); } catch (error) { ({ name } = error); }
      const text = \`\${name}, channel \${both.near.readyState}\`;
      end(both);
      return text;
    },
    async 'buffered before \`send\` throws'() {
      const both = await pair();
      const piece = new Uint8Array(256 * 1024 - 64);
      let name;
      for (let sent = 0; sent < 80 && name === undefined; sent += 1) {
        try { both.near.send(piece); } catch (error) { ({ name } = error); }
      }
      const mebibytes = both.near.bufferedAmount / 2 ** 20;
      const state = both.near.readyState;
      end(both);
      if (name === undefined) return 'none met';
      return mebibytes > 15 && mebibytes < 17 ? \`16 MiB: \${name}, channel \${state}\` : \`\${mebibytes} MiB\`;
    },
    async '\`binaryType\` of a new channel'() {
      const both = await pair();
      const text = both.binaryType;
      end(both);
      return text;
    },
    async 'addresses in host candidates'() {
      const both = await pair();
      await until(() => both.candidates.some((line) => line.includes(' typ host')));
      const hosts = both.candidates.filter((line) => line.includes(' typ host'));
      const hidden = hosts.every((line) => line.split(' ')[4].endsWith('.local'));
      end(both);
      return hidden ? 'hidden: \`.local\` names' : hosts.join();
    },
    async 'text sent right after a Blob of 200 KB arrives'() {
      const both = await pair();
      both.near.send(new Blob([new Uint8Array(200_000)]));
      both.near.send('text');
      await until(() => both.far.received.length === 2);
      const text = both.far.received[0] === 'text' ? 'before it' : 'after it';
      end(both);
      return text;
    },
    async '\`send\` while \`closing\`'() {
      const both = await pair();
      both.near.close();
      const state = both.near.readyState;
      let name = 'no error, nothing arrives';
      try { both.near.send('late'); } catch (error) { ({ name } = error); }
      await until(() => both.far.readyState === 'closed');
      const arrived = both.far.received.length;
      end(both);
      return state === 'closing' && arrived === 0 ? name : \`\${state}, \${arrived} arrived\`;
    },
    async 'a connection that the other side has closed looks like'() {
      const both = await pair();
      let error = 'a clean close';
      both.far.onerror = (failure) => { error = \`an error: \${failure.error.name}\`; };
      const closed = event(both.far, 'close');
      both.a.close();
      await closed;
      end(both);
      return error;
    },
    async '\`close()\` of the channel with 1 MB buffered'() {
      const both = await pair();
      for (let index = 0; index < 1000; index += 1) both.near.send(new Uint8Array(1000));
      both.near.close();
      await event(both.far, 'close');
      const arrived = both.far.received.length;
      end(both);
      return arrived === 1000 ? 'delivers it' : \`delivers \${arrived} of 1000\`;
    },
    async '\`close()\` of the connection with 1 MB buffered'() {
      const both = await pair();
      for (let index = 0; index < 1000; index += 1) both.near.send(new Uint8Array(1000));
      const closed = event(both.far, 'close');
      both.a.close();
      await closed;
      const arrived = both.far.received.length;
      end(both);
      return arrived < 1000 ? 'loses it' : 'delivers it';
    },
    async 'a view on shared memory'() {
      const both = await pair();
      let name = 'is sent';
      try { both.near.send(new Uint8Array(new SharedArrayBuffer(8))); } catch (error) { ({ name } = error); }
      end(both);
      return name;
    },
    async '\`RTCPeerConnection\` in workers'() {
      const source = URL.createObjectURL(new Blob(['postMessage(typeof RTCPeerConnection)']));
      const worker = new Worker(source);
      const { data } = await event(worker, 'message');
      worker.terminate();
      return data === 'undefined' ? 'none' : 'there';
    },
  };
`;

describe(`docs/limits.md in ${browserName}`, { timeout: 120_000 }, () => {
  let browser;
  let server;
  let page;
  let rows;
  let readme;

  before(async () => {
    const text = await readFile(join(root, 'docs/limits.md'), 'utf8');
    const [, ...lines] = /^<!-- measured -->\n([^]*?)\n\n/m.exec(text)[1].split('\n').filter((line) => !line.startsWith('|---'));
    const column = browserName === 'chromium' ? 1 : 2;
    readme = await readFile(join(root, 'README.md'), 'utf8');
    rows = new Map(lines.map((line) => line.slice(2, -2).split(' | ')).map((cells) => [cells[0], cells[column]]));
    browser = await launch();
    server = await serve({ '/': { ...emptyPage, text: `${emptyPage.text}<script>${measures}</script>` } }, { isolated: true });
    ({ page } = await openPage(browser, `${server.origin}/`));
  });

  after(async () => {
    await browser?.close();
    await server?.close();
  });

  test('each row of its table holds, and is all that is measured', async (t) => {
    const names = await page.evaluate(() => Object.keys(globalThis.measures));
    assert.deepEqual(names, [...rows.keys()]);
    for (const name of names) {
      await t.test(name, { timeout: 20_000 }, async () => {
        assert.equal(await page.evaluate((which) => globalThis.measures[which](), name), rows.get(name));
      });
    }
  });

  test('the README tells the same', () => {
    const told = (row) => new RegExp(`^\\| ${row}[^|]*\\| ([^|]*) \\| ([^|]*) \\|`, 'm').exec(readme)[browserName === 'chromium' ? 1 : 2];
    assert.equal(told('largest message'), rows.get('largest message'));
    assert.equal(told('buffered before `send` throws'), rows.get('buffered before `send` throws').split(':')[0]);
  });
});
