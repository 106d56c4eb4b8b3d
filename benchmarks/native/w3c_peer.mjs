// SPDX-License-Identifier: MIT
//
// An end of ./bench native-browser by W3C's interface, the browser's own or libwebrtc's in Node. Descriptions hold all
// candidates.

// What waits in a sender: deeper in Node than in a page, as in npm_peers.mjs.
const isNode = globalThis.setImmediate !== undefined;
const highMark = isNode ? 4 * 2 ** 20 : 2 ** 20;
const lowMark = highMark / 4;
const fill = 0x5a;

export class W3cPeer {
  #connection;
  #channel;
  #size;
  #messages = 0;
  #wanted;
  opened;

  constructor(RTCPeerConnection, { isSender, isOfferer, size }) {
    this.#size = size;
    this.#connection = new RTCPeerConnection({ iceServers: [] });
    this.opened = new Promise((resolve) => {
      const take = (channel) => {
        this.#channel = channel;
        channel.binaryType = 'arraybuffer';
        channel.onmessage = ({ data }) => this.#count(data.byteLength);
        const open = () => {
          resolve();
          if (isSender) this.#fill();
        };
        if (channel.readyState === 'open') open();
        else channel.onopen = open;
      };
      if (isOfferer) take(this.#connection.createDataChannel('bench'));
      else this.#connection.ondatachannel = ({ channel }) => take(channel);
    });
  }

  async offer() {
    return this.#describe(await this.#connection.createOffer());
  }

  async answer(sdp) {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp });
    return this.#describe(await this.#connection.createAnswer());
  }

  async accept(sdp) {
    await this.#connection.setRemoteDescription({ type: 'answer', sdp });
  }

  /** { messages, at }: the state after the next message, and its time in milliseconds. */
  mark() {
    return new Promise((resolve) => { this.#wanted = resolve; });
  }

  async #describe(description) {
    const gathered = new Promise((resolve) => {
      this.#connection.onicegatheringstatechange = () => {
        if (this.#connection.iceGatheringState === 'complete') resolve();
      };
    });
    await this.#connection.setLocalDescription(description);
    await gathered;
    return this.#connection.localDescription.sdp;
  }

  #count(length) {
    if (length !== this.#size) throw new Error(`a message of ${length} bytes`);
    this.#messages += 1;
    this.#wanted?.({ messages: this.#messages, at: performance.timeOrigin + performance.now() });
    this.#wanted = undefined;
  }

  #fill() {
    const bytes = new Uint8Array(this.#size).fill(fill);
    const pump = () => {
      while (this.#channel.readyState === 'open' && this.#channel.bufferedAmount < highMark) this.#channel.send(bytes);
    };
    this.#channel.bufferedAmountLowThreshold = lowMark;
    this.#channel.onbufferedamountlow = pump;
    // libwebrtc in Node does not always say that it wants more.
    if (isNode) {
      setInterval(() => { if (this.#channel.bufferedAmount <= lowMark) pump(); }, 1);
    }
    pump();
  }
}
