// SPDX-License-Identifier: MIT

/** What a channel looks at of the connection below it. */
export interface ConnectionState {
  readonly connectionState: RTCPeerConnectionState;
  readonly signalingState: RTCSignalingState;
  readonly sctp: {
    readonly state: RTCSctpTransportState;
    readonly maxMessageSize: number;
    readonly transport: { readonly state: RTCDtlsTransportState };
  } | null;
}

const connectionEvents = ['connectionstatechange', 'signalingstatechange'] as const;

/** In the page, where connections live: tells a worker how one is, for as long as the worker listens and the connection lives. */
export class ConnectionFeed {
  /** The worker's end. */
  readonly remotePort: MessagePort;
  readonly #connection: RTCPeerConnection;
  readonly #port: MessagePort;
  #sctp: RTCSctpTransport | null = null;

  constructor(connection: RTCPeerConnection) {
    const { port1, port2 } = new MessageChannel();
    this.#connection = connection;
    this.#port = port1;
    this.remotePort = port2;
    port1.onmessage = () => this.stop(); // the one thing a worker says
    port1.addEventListener('close', () => this.stop()); // the worker has ended; not every browser tells
    for (const type of connectionEvents) connection.addEventListener(type, this.#tell);
    this.#listenBelow();
  }

  state(): ConnectionState {
    const { connectionState, signalingState, remoteDescription, sctp } = this.#connection;
    return {
      connectionState,
      signalingState,
      sctp: sctp && {
        state: sctp.state,
        maxMessageSize: remoteDescription ? sctp.maxMessageSize : 0, // before, browsers make one up
        transport: { state: sctp.transport.state },
      },
    };
  }

  stop(): void {
    for (const type of connectionEvents) this.#connection.removeEventListener(type, this.#tell);
    this.#sctp?.removeEventListener('statechange', this.#tell);
    this.#sctp?.transport.removeEventListener('statechange', this.#tell);
    this.#port.close();
  }

  readonly #tell = (): void => {
    this.#listenBelow();
    const state = this.state();
    this.#port.postMessage(state);
    // The last there is to tell: both end the worker's channel.
    if (state.connectionState === 'closed' || state.connectionState === 'failed') this.stop();
  };

  // The transports come with the first description.
  #listenBelow(): void {
    const { sctp } = this.#connection;
    if (this.#sctp || !sctp) return;
    this.#sctp = sctp;
    sctp.addEventListener('statechange', this.#tell);
    sctp.transport.addEventListener('statechange', this.#tell);
  }
}

/** In the worker: the connection as the page last told it. */
export class ConnectionMirror extends EventTarget implements ConnectionState {
  connectionState: RTCPeerConnectionState;
  signalingState: RTCSignalingState;
  sctp: ConnectionState['sctp'];
  readonly #port: MessagePort;

  constructor(port: MessagePort, state: ConnectionState) {
    super();
    this.#port = port;
    ({ connectionState: this.connectionState, signalingState: this.signalingState, sctp: this.sctp } = state);
    port.onmessage = ({ data }: MessageEvent<ConnectionState>) => this.#update(data);
  }

  stop(): void {
    this.#port.postMessage('done');
    this.#port.close();
  }

  #update({ connectionState, signalingState, sctp }: ConnectionState): void {
    const changed = connectionState !== this.connectionState;
    this.connectionState = connectionState;
    this.signalingState = signalingState;
    this.sctp = sctp;
    if (changed) this.dispatchEvent(new Event('connectionstatechange'));
  }
}
