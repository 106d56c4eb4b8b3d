// SPDX-License-Identifier: MIT
import { W3cPeer } from './w3c_peer.mjs';

globalThis.W3cPeer = W3cPeer;
