// SPDX-License-Identifier: MIT
//
// How a page tells a worker of a connection, over a real MessageChannel. The connection is a table: Node has none.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { load } from './support/load.mjs';

const { ConnectionFeed, ConnectionMirror } = await load('connection_mirror.ts');

class Connection extends EventTarget {
  connectionState = 'new';
  signalingState = 'stable';
  remoteDescription = null;
  sctp = null;
  listeners = 0;

  addEventListener(...args) {
    this.listeners += 1;
    super.addEventListener(...args);
  }

  removeEventListener(...args) {
    this.listeners -= 1;
    super.removeEventListener(...args);
  }

  become(state, event) {
    Object.assign(this, state);
    this.dispatchEvent(new Event(event));
  }
}

const transport = (maxMessageSize) => Object.assign(new EventTarget(), {
  state: 'connecting', maxMessageSize, transport: Object.assign(new EventTarget(), { state: 'new' }),
});

function mirrored(connection) {
  const feed = new ConnectionFeed(connection);
  return { feed, mirror: new ConnectionMirror(feed.remotePort, feed.state()) };
}

const changed = (mirror) => once(mirror, 'connectionstatechange');

test('a mirror starts as the connection is, and follows it', async () => {
  const connection = new Connection();
  const { mirror } = mirrored(connection);
  assert.deepEqual([mirror.connectionState, mirror.sctp], ['new', null]);
  const sctp = transport(Infinity);
  connection.become({ sctp, signalingState: 'have-local-offer' }, 'signalingstatechange');
  connection.become({ connectionState: 'connecting' }, 'connectionstatechange');
  await changed(mirror);
  assert.equal(mirror.signalingState, 'have-local-offer');
  assert.deepEqual(mirror.sctp, { state: 'connecting', maxMessageSize: 0, transport: { state: 'new' } });

  Object.assign(connection, { remoteDescription: {} });
  Object.assign(sctp, { state: 'connected', maxMessageSize: 262_144 });
  sctp.dispatchEvent(new Event('statechange'));
  connection.become({ connectionState: 'connected' }, 'connectionstatechange');
  await changed(mirror);
  assert.deepEqual(mirror.sctp, { state: 'connected', maxMessageSize: 262_144, transport: { state: 'new' } });

  const lost = changed(mirror);
  connection.become({ connectionState: 'disconnected' }, 'connectionstatechange');
  await lost;
  assert.equal(mirror.connectionState, 'disconnected');
  mirror.stop();
});

test('the page stops telling when the worker stops listening', async () => {
  const connection = new Connection();
  const { feed, mirror } = mirrored(connection);
  assert.equal(connection.listeners, 2);
  mirror.stop();
  while (connection.listeners > 0) await new Promise((resolve) => setImmediate(resolve));
  feed.stop(); // again, and nothing happens
});

for (const connectionState of ['failed', 'closed']) {
  test(`the page stops telling with ${connectionState}, which it tells`, async () => {
    const connection = new Connection();
    const { mirror } = mirrored(connection);
    const told = changed(mirror);
    connection.become({ connectionState }, 'connectionstatechange');
    assert.equal(connection.listeners, 0);
    await told;
    assert.equal(mirror.connectionState, connectionState);
  });
}

test('the page stops telling a worker that has ended', async () => {
  const connection = new Connection();
  const { remotePort } = new ConnectionFeed(connection);
  remotePort.close(); // as the end of its worker does
  while (connection.listeners > 0) await new Promise((resolve) => setImmediate(resolve));
});
