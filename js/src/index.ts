// SPDX-License-Identifier: MIT
import { connectLedger } from './connect/session.js';
import type { HostCounts } from './host/types.js';
import { existingModule } from './module.js';

export { connect, type ConnectOptions } from './connect/connect.js';
export { errorCodes, type ErrorCode } from './error_codes.js';
export { WdcError, type WdcErrorDetails } from './error.js';
export { incoming, type IncomingChannels, type IncomingOptions } from './incoming.js';
export { IncomingMessage } from './incoming_message.js';
export type { ChannelStats, Delivery } from './module_channel.js';
export type { ChannelOptions, FlowOptions, FramedOptions } from './options.js';
export type { Bytes, FramedSendData, SendData } from './payload.js';
export type { ChannelIterator, Disposer, IncomingMessageIterator, Message, MessageIterator, ReadOptions } from './readers.js';
export { receiveChannel, transferTo, type TransferOptions, type TransferTarget } from './transfer.js';
export { WasmDataChannel, type CloseOptions, type FlushOptions, type SendOptions } from './wasm_data_channel.js';
export { WebRtcDataChannel } from './web_rtc_data_channel.js';
export type { HostCounts } from './host/types.js';

/**
 * What the package holds at this moment, for tests of leaks: all zeros once every channel has closed. A channel's last
 * traces go in the microtasks after its `closed` has settled.
 */
export function counts(): HostCounts {
  const counted = existingModule()?.host.counts() ?? { channels: 0, peers: 0, pipes: 0, slots: 0, handlers: 0, timers: 0 };
  counted.handlers += connectLedger.handlers;
  counted.timers += connectLedger.timers;
  return counted;
}
