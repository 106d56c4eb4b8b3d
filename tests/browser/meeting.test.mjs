// SPDX-License-Identifier: MIT
//
// connect() of the npm package between two pages and more, over the real server and between tabs: package_meeting.ts is what a
// member can be told to do.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from 'ws';
import { startServer } from '../../tools/server.mjs';
import { browserName, bundle, emptyPage, launch, openPage, script, serve } from './support/browser.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const preset = process.env.WDC_SERVER_PRESET ?? 'native';
const zero = { channels: 0, peers: 0, pipes: 0, slots: 0, handlers: 0, timers: 0 };

let browser;
let signaling;
let server;

const call = ({ page: member }, name, ...args) => member.evaluate(
  (which, values) => globalThis.member[which](...values), name, args);

// Tabs of one browser, which hear one another's BroadcastChannels.
async function tabs(count) {
  const first = await openPage(browser, `${server.origin}/`);
  const all = [first];
  while (all.length < count) {
    const other = await first.page.browserContext().newPage();
    other.on('pageerror', (error) => first.errors.push(String(error)));
    await other.goto(`${server.origin}/`, { waitUntil: 'load' });
    all.push({ page: other });
  }
  return { all, errors: first.errors, close: first.close };
}

// Between members and the server: `toMember` is given what the server says, a way to hand on, the member's socket and number.
async function between(toMember) {
  let members = 0;
  const proxy = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => proxy.once('listening', resolve));
  proxy.on('connection', (member, { url }) => {
    const number = members;
    members += 1;
    const upstream = new WebSocket(`${signaling.url.replace('http:', 'ws:')}${url}`);
    const connected = new Promise((resolve) => upstream.once('open', resolve));
    member.on('message', (data) => connected.then(() => upstream.send(String(data))));
    member.on('close', () => connected.then(() => upstream.terminate()));
    upstream.on('message', (data) => toMember(JSON.parse(data), (frame) => member.send(JSON.stringify(frame)), member, number));
    upstream.on('close', () => member.terminate());
    upstream.on('error', () => member.terminate());
  });
  return {
    url: `ws://127.0.0.1:${proxy.address().port}/ws`,
    async close() {
      for (const member of proxy.clients) member.terminate();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

// Each has a room and windows of its own. Three of them wait most of their time: for a browser to notice that a page is gone.
describe(`meeting in ${browserName}`, { concurrency: 3, timeout: 300_000 }, () => {
  before(async () => {
    // The pages come from another origin, and many tests from one address.
    signaling = await startServer({
      directory: file('.'), preset, options: ['--quiet', '--allow-origin', '*', '--upgrades-per-second', '1000'],
    });
    browser = await launch();
    server = await serve({
      '/': { ...emptyPage, text: `${emptyPage.text}<script type="module" src="/package_meeting.js"></script>` },
      '/package_meeting.js': script(await bundle(file('package_meeting.ts'))),
      '/dist/': file('../../js/dist/'),
    }, { isolated: true });
  });

  after(async () => {
    await browser?.close();
    await server?.close();
    await signaling?.stop();
  });

  test('connect() between tabs gives a member up that shows no life for 30 s', { timeout: 90_000 }, async () => {
    const { all: [one, two], errors: uncaught, close } = await tabs(2);
    // A tab that pairs, and is not heard of again.
    const welcomed = two.page.evaluate(() => new Promise((resolve) => {
      const me = '0'.repeat(32);
      const channel = new BroadcastChannel('wdc-signaling-v1:crash');
      channel.onmessage = ({ data }) => {
        const { type, from, to } = JSON.parse(data);
        if (type === 'hello') {
          channel.postMessage(JSON.stringify({ type: 'welcome', version: 1, from: me, to: from, you: from, polite: true, peers: [me] }));
        } else if (type === 'welcome' && to === me) {
          channel.close();
          resolve(true);
        }
      };
    }));
    const first = call(one, 'join', 'broadcast:', 'crash');
    assert.equal(await welcomed, true);
    assert.equal(await call(two, 'join', 'broadcast:', 'crash'), 'room_full');
    let second;
    do second = await call(two, 'join', 'broadcast:', 'crash', { timeoutMs: 20_000 }); while (second === 'room_full');
    assert.deepEqual([await first, second], ['open', 'open']);
    assert.equal(await call(two, 'close'), 'closed');
    assert.deepEqual(uncaught, []);
    await close();
  });

  for (const carrier of ['WebSocket', 'BroadcastChannel']) {
    const url = () => (carrier === 'WebSocket' ? signaling.url.replace('http:', 'ws:').concat('/ws') : 'broadcast:');
    const room = (name) => `${name}-${carrier}`;

    test(`two pages meet over ${carrier}, a third is refused, both restart at once, one closes`, { timeout: 60_000 }, async () => {
      const { all: [one, two, three], errors: uncaught, close } = await tabs(3);
      const options = { label: 'both', protocol: 'p', ordered: false };
      assert.deepEqual(await Promise.all([
        call(one, 'join', url(), room('meet'), options), call(two, 'join', url(), room('meet'), options),
      ]), ['open', 'open']);
      for (const member of [one, two]) {
        assert.deepEqual(await call(member, 'about'), {
          id: 0, label: 'both', negotiated: true, ordered: false, protocol: 'p', connection: 'connected',
        });
      }
      assert.equal(await call(three, 'join', url(), room('meet')), 'room_full');

      await call(one, 'send', 'from one');
      await call(two, 'send', 'from two');
      assert.deepEqual(await call(two, 'received', 1), ['from one']);
      assert.deepEqual(await call(one, 'received', 1), ['from two']);

      await Promise.all([call(one, 'restart'), call(two, 'restart')]);
      await call(one, 'send', 'after the restart');
      assert.deepEqual(await call(two, 'received', 2), ['from one', 'after the restart']);

      await call(two, 'sendMany', 2000, 1000);
      assert.equal(await call(two, 'close'), 'closed');
      assert.equal(await call(one, 'ended'), 'closed');
      assert.equal((await call(one, 'received', 2001)).length, 2001);
      for (const member of [one, two, three]) assert.deepEqual(await call(member, 'settledCounts'), zero);
      assert.deepEqual(uncaught, []);
      await close();
    });

    test(`a member who gives up over ${carrier} makes room for the next`, { timeout: 60_000 }, async () => {
      const { all: [one, two, three], errors: uncaught, close } = await tabs(3);
      assert.equal(await call(one, 'join', url(), room('alone'), { timeoutMs: 300 }), 'timed_out');
      const givingUp = call(one, 'join', url(), room('alone'));
      await call(one, 'cancel', 'enough');
      assert.equal(await givingUp, 'enough');
      assert.deepEqual(await Promise.all([
        call(two, 'join', url(), room('alone')), call(three, 'join', url(), room('alone')),
      ]), ['open', 'open']);
      await call(three, 'send', 'hello');
      assert.deepEqual(await call(two, 'received', 1), ['hello']);
      assert.equal(await call(three, 'close'), 'closed');
      assert.equal(await call(two, 'ended'), 'closed');
      for (const member of [one, two, three]) assert.deepEqual(await call(member, 'settledCounts'), zero);
      // Firefox reports a WebSocket that is closed while it connects, though nobody threw anything.
      assert.deepEqual(uncaught.filter((text) => !text.includes(' ws://')), []);
      await close();
    });

    test(`a page that goes away ends the other one's channel, met over ${carrier}`, { timeout: 60_000 }, async () => {
      const { all: [one, two], close } = await tabs(2);
      await Promise.all([call(one, 'join', url(), room('gone')), call(two, 'join', url(), room('gone'))]);
      const ended = call(one, 'ended');
      await two.page.close();
      assert.match(await ended, /^(connection_closed|peer_lost|transport_error|closed)$/);
      assert.deepEqual(await call(one, 'settledCounts'), zero);
      await close();
    });
  }

  test('an open channel outlives the signaling server', { timeout: 60_000 }, async () => {
    const own = await startServer({ directory: file('.'), preset, options: ['--quiet', '--allow-origin', '*'] });
    const { all: [one, two], close } = await tabs(2);
    const url = `${own.url.replace('http:', 'ws:')}/ws`;
    await Promise.all([call(one, 'join', url, 'outlives'), call(two, 'join', url, 'outlives')]);
    await own.stop();
    await call(one, 'send', 'still here');
    assert.deepEqual(await call(two, 'received', 1), ['still here']);
    assert.equal(await call(two, 'close'), 'closed');
    assert.equal(await call(one, 'ended'), 'closed');
    assert.equal(await call(one, 'join', url, 'outlives'), 'signaling_unreachable');
    await close();
  });

  for (const [dropped, who] of ['impolite', 'polite'].entries()) {
    test(`connect() meets the member again when the ${who} one's signaling drops before the channel is open`, { timeout: 60_000 }, async () => {
      const { all: [one, two], errors: uncaught, close } = await tabs(2);
      let drops = 0;
      let entered;
      const welcome = new Promise((resolve) => {
        entered = resolve;
      });
      const proxy = await between((frame, handOn, member, number) => {
        if (frame.type === 'welcome') entered();
        if (frame.type === 'description' && number === dropped) {
          drops += 1;
          member.terminate();
        } else {
          handOn(frame);
        }
      });
      const options = { timeoutMs: 20_000 };
      const first = call(one, 'join', proxy.url, `drop-${who}`, options);
      await welcome; // the first place is the impolite one's
      const second = call(two, 'join', proxy.url, `drop-${who}`, options);
      assert.deepEqual(await Promise.all([first, second]), ['open', 'open']);
      assert.equal(drops, 1);
      await call(one, 'send', 'met again');
      assert.deepEqual(await call(two, 'received', 1), ['met again']);
      assert.equal(await call(one, 'close'), 'closed');
      assert.equal(await call(two, 'ended'), 'closed');
      for (const member of [one, two]) assert.deepEqual(await call(member, 'settledCounts'), zero);
      assert.deepEqual(uncaught, []);
      await proxy.close();
      await close();
    });
  }

  test('connect() brings up a channel whose other member has left the room already', { timeout: 60_000 }, async () => {
    const { all: [one, two], errors: uncaught, close } = await tabs(2);
    const held = [];
    let entered;
    const welcome = new Promise((resolve) => {
      entered = resolve;
    });
    // To the polite one, who only answers: all the other member says comes at once, with its leave behind it: no channel can be open by then.
    const proxy = await between((frame, handOn, member, number) => {
      if (frame.type === 'welcome') entered();
      if (frame.from === undefined || number === 0) return handOn(frame);
      held.push(frame);
      if (frame.type !== 'candidate' || frame.candidate !== null) return undefined;
      for (const each of held.splice(0)) handOn(each);
      handOn({ type: 'bye', from: frame.from });
      return handOn({ type: 'left', peer: frame.from });
    });
    const options = { timeoutMs: 20_000 };
    const first = call(two, 'join', proxy.url, 'left-first', options);
    await welcome;
    assert.deepEqual(await Promise.all([first, call(one, 'join', proxy.url, 'left-first', options)]), ['open', 'open']);
    await call(two, 'send', 'from outside');
    assert.deepEqual(await call(one, 'received', 1), ['from outside']);
    assert.equal(await call(one, 'close'), 'closed');
    assert.equal(await call(two, 'ended'), 'closed');
    assert.deepEqual(uncaught, []);
    await proxy.close();
    await close();
  });

  test('connect() refuses wrong options at once, as invalid_argument', { timeout: 30_000 }, async () => {
    const { all: [one], close } = await tabs(1);
    for (const options of [
      { receiveQueueBytes: 0 }, { sendHighWaterMark: 1e9 }, { receiveOverflow: 'no' }, { closeTimeoutMs: 0.5 },
      { disconnectedTimeoutMs: 0 }, { disconnectedTimeoutMs: 'long' },
      { rtcConfiguration: { iceServers: [{ urls: 'nonsense' }] } }, { rtcConfiguration: { iceTransportPolicy: 'no' } },
    ]) assert.equal(await call(one, 'join', 'broadcast:', 'nobody', options), 'invalid_argument', JSON.stringify(options));
    assert.deepEqual(await call(one, 'settledCounts'), zero);
    await close();
  });

  test('connect() refuses URLs and names that cannot be', { timeout: 30_000 }, async () => {
    const { all: [one], close } = await tabs(1);
    for (const url of ['http://localhost/ws', 'nonsense', '', 'broadcast:more']) {
      assert.equal(await call(one, 'join', url, 'room'), 'invalid_argument', url);
    }
    assert.equal(await call(one, 'join', 'broadcast:', 'a/b'), 'invalid_argument');
    assert.deepEqual(await call(one, 'settledCounts'), zero);
    await close();
  });
});
