// SPDX-License-Identifier: MIT
//
// libwebrtc_peer.mjs send|receive SIZE: what browser_peer.cc does, in the same lines, with libwebrtc.
import { createInterface } from 'node:readline';
import library from '@roamhq/wrtc';
import { W3cPeer } from './w3c_peer.mjs';

const [role, size] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${line}\n`);
const cpu = () => (({ user, system }) => (user + system) / 1e6)(process.cpuUsage());
const peer = new W3cPeer(library.RTCPeerConnection, { isSender: role === 'send', isOfferer: true, size: Number(size) });
peer.opened.then(() => say('open'));
createInterface({ input: process.stdin }).on('line', async (line) => {
  if (line.startsWith('answer ')) {
    await peer.accept(line.slice(7).replaceAll('\\n', '\n').replaceAll('\\r', '\r'));
  } else if (line === 'mark') {
    const { messages, at } = role === 'send' ? { messages: 0, at: 0 } : await peer.mark();
    say(`mark ${messages} ${at} ${cpu()}`);
  }
}).on('close', () => process.exit(0));
say(`description ${(await peer.offer()).replaceAll('\n', '\\n').replaceAll('\r', '\\r')}`);
say('gathered');
