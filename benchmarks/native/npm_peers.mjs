// SPDX-License-Identifier: MIT
//
// npm_peers.mjs LIBRARY KIND JSON: what peers_bench measures, with other people's peers from npm; prints figures as JSON
// for ./bench native. LIBRARY is libdatachannel or libwebrtc, KIND one of bulk, pingpong, setup, memory.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median, quantile } from '../support/statistics.mjs';

const fill = 0x5a;
// What may wait in a sender: deep enough that it never runs dry between two turns of JavaScript.
const highMark = 4 * 2 ** 20;
const lowMark = 2 ** 20;

/** libdatachannel by its own interface, as its polyfill costs more. */
async function libDataChannel(kind) {
  const { default: library } = await import('node-datachannel');
  // On loopback's address alone it is the fastest, but takes a second to connect.
  const address = kind === 'setup' || kind === 'memory' ? {} : { bindAddress: '127.0.0.1' };
  return (tell) => {
    const connection = new library.PeerConnection('bench', { iceServers: [], maxMessageSize: 2 ** 24, ...address });
    connection.onLocalDescription((sdp, type) => tell({ sdp, type }));
    connection.onLocalCandidate((candidate, mid) => tell({ candidate, mid }));
    const adapt = (channel) => ({
      send: (bytes) => channel.sendMessageBinary(bytes),
      onOpen: (call) => channel.onOpen(call),
      onMessage: (call) => channel.onMessage((message) => call(message.length)),
      // The library says when it wants more; small messages it may take faster than JavaScript has them.
      fill(bytes, limit) {
        let isScheduled = false;
        const pump = () => {
          for (let sent = 0; sent < 4_096 && channel.bufferedAmount() < limit; sent += 1) channel.sendMessageBinary(bytes);
          if (isScheduled || channel.bufferedAmount() >= limit) return;
          isScheduled = true;
          setImmediate(() => { isScheduled = false; pump(); });
        };
        channel.setBufferedAmountLowThreshold(lowMark);
        channel.onBufferedAmountLow(pump);
        pump();
      },
    });
    return {
      take(signal) {
        if (signal.type) connection.setRemoteDescription(signal.sdp, signal.type);
        else connection.addRemoteCandidate(signal.candidate, signal.mid);
      },
      create: () => adapt(connection.createDataChannel('bench')), // offers by itself
      onChannel: (call) => connection.onDataChannel((channel) => call(adapt(channel))),
      close: () => connection.close(),
    };
  };
}

async function libWebRtc() {
  const { default: library } = await import('@roamhq/wrtc');
  return (tell) => {
    const connection = new library.RTCPeerConnection({ iceServers: [] });
    connection.onicecandidate = ({ candidate }) => { if (candidate) tell({ candidate: candidate.toJSON() }); };
    const describe = async (description) => {
      await connection.setLocalDescription(description);
      tell({ type: description.type, sdp: description.sdp });
    };
    const adapt = (channel) => {
      channel.binaryType = 'arraybuffer';
      return {
        send: (bytes) => channel.send(bytes),
        onOpen: (call) => { channel.onopen = call; },
        onMessage: (call) => { channel.onmessage = ({ data }) => call(data.byteLength); },
        // bufferedAmount moves between turns only, and `bufferedamountlow` does not always come.
        fill(bytes, limit) {
          const most = Math.min(256, Math.max(1, Math.floor(limit / bytes.length)));
          const pump = () => {
            for (let sent = 0; sent < most && channel.bufferedAmount < limit; sent += 1) channel.send(bytes);
            setImmediate(pump);
          };
          pump();
        },
      };
    };
    return {
      async take(signal) {
        if (signal.type) await connection.setRemoteDescription(signal);
        else await connection.addIceCandidate(signal.candidate);
        if (signal.type === 'offer') await describe(await connection.createAnswer());
      },
      create() {
        const channel = connection.createDataChannel('bench');
        connection.createOffer().then(describe);
        return adapt(channel);
      },
      onChannel: (call) => { connection.ondatachannel = ({ channel }) => call(adapt(channel)); },
      close: () => connection.close(),
    };
  };
}

const libraries = { libdatachannel: libDataChannel, libwebrtc: libWebRtc };
const now = () => performance.timeOrigin + performance.now();
const cpu = () => (({ user, system }) => (user + system) / 1e6)(process.cpuUsage());
const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

/** The answering end, which receives. `tell` and the returned function are the two directions of a wire. */
function answer(makePeer, kind, size, tell) {
  let messages = 0;
  let isMarkWanted = false;
  const peer = makePeer((signal) => tell({ signal }));
  peer.onChannel((channel) => {
    channel.onMessage((length) => {
      if (length !== size) throw new Error(`a message of ${length} bytes`);
      messages += 1;
      if (kind === 'pingpong') channel.send(new Uint8Array(length).fill(fill));
      if (!isMarkWanted) return;
      isMarkWanted = false;
      tell({ mark: { messages, at: now(), cpu: cpu() } });
    });
    tell({ opened: true });
  });
  return (message) => {
    if (message.signal) peer.take(message.signal);
    if (message.mark) isMarkWanted = true;
    if (message.close) peer.close();
  };
}

/** Both ends, connected: the answering one in here too, or in a process of its own. */
async function connect(name, kind, size, ownProcess) {
  const makePeer = await libraries[name](kind);
  let marked;
  let told;
  const opened = new Promise((resolve) => { told = resolve; });
  let tell;
  const start = now();
  const take = (message) => {
    if (message.signal) peer.take(message.signal);
    if (message.opened) told();
    if (message.mark) marked(message.mark);
  };
  let child;
  if (ownProcess) {
    child = fork(fileURLToPath(import.meta.url), [name, kind, JSON.stringify({ size, isAnswerer: true })]);
    child.on('message', take);
    await once(child, 'message');
    tell = (message) => child.send(message);
  } else {
    const far = answer(makePeer, kind, size, (message) => setImmediate(take, message));
    tell = (message) => setImmediate(far, message);
  }
  const peer = makePeer((signal) => tell({ signal }));
  const channel = peer.create();
  await Promise.all([opened, new Promise((resolve) => { channel.onOpen(resolve); })]);
  return {
    channel,
    wall: now() - start,
    async mark() {
      const mark = new Promise((resolve) => { marked = resolve; });
      tell({ mark: true });
      const far = await mark;
      return ownProcess ? { ...far, cpu: far.cpu + cpu() } : far;
    },
    close() {
      tell({ close: true });
      peer.close();
      child?.kill();
    },
  };
}

async function bulk(name, { size, seconds, ownProcess }) {
  const pair = await connect(name, 'bulk', size, ownProcess);
  pair.channel.fill(new Uint8Array(size).fill(fill), Math.max(highMark, 2 * size));
  await pause(500); // slow start, and the compilers of JavaScript
  const start = await pair.mark();
  await pause(seconds * 1e3);
  const end = await pair.mark();
  const spent = (end.at - start.at) / 1e3;
  const messages = end.messages - start.messages;
  pair.close();
  return {
    MBps: messages * size / spent / 1e6, msgs_per_s: messages / spent, cpu_s_per_GB: (end.cpu - start.cpu) / (messages * size) * 1e9,
  };
}

async function pingpong(name, { size, seconds, ownProcess }) {
  const pair = await connect(name, 'pingpong', size, ownProcess);
  const bytes = new Uint8Array(size).fill(fill);
  const times = [];
  const warm = now() + 300;
  const end = warm + seconds * 1e3;
  await new Promise((resolve) => {
    let start = now();
    pair.channel.onMessage(() => {
      const back = now();
      if (start >= warm) times.push((back - start) * 1e3);
      start = back;
      if (start < end) pair.channel.send(bytes);
      else resolve();
    });
    pair.channel.send(bytes);
  });
  pair.close();
  return { round_trips: times.length, p50_us: quantile(times, 0.5), p99_us: quantile(times, 0.99) };
}

async function setup(name, { count }) {
  (await connect(name, 'setup', 0, false)).close(); // what a process does once
  const wall = [];
  const spent = [];
  for (let index = 0; index < count; index += 1) {
    await pause(50); // the last one's end
    const before = cpu();
    const pair = await connect(name, 'setup', 0, false);
    spent.push((cpu() - before) * 1e3);
    wall.push(pair.wall);
    pair.close();
  }
  return { pairs: count, setup_cpu_ms: median(spent), setup_wall_ms: median(wall) };
}

async function memory(name, { count }) {
  const pairs = [];
  const add = async () => { pairs.push(await connect(name, 'memory', 0, false)); };
  for (let index = 0; index < 5; index += 1) await add(); // what a process takes once
  const before = process.memoryUsage.rss();
  for (let index = 0; index < count; index += 1) await add();
  return { peers: 2 * count, peer_KB: (process.memoryUsage.rss() - before) / 1e3 / (2 * count) };
}

const [name, kind, text] = process.argv.slice(2);
const settings = JSON.parse(text);
if (settings.isAnswerer) {
  process.on('message', answer(await libraries[name](kind), kind, settings.size, (message) => process.send?.(message)));
  process.on('disconnect', () => process.exit(0));
  process.send({ ready: true });
} else {
  console.log(JSON.stringify(await { bulk, pingpong, setup, memory }[kind](name, settings)));
  process.exit(0); // neither library ends by itself
}
