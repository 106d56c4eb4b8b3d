// SPDX-License-Identifier: MIT

/** What a module exports for the host: docs/wire/host.md. Those whose imports it does not use are absent. */
export interface ModuleExports {
  memory: WebAssembly.Memory;
  _initialize?: () => void;
  __main_void?: () => number;
  wdc_pump: () => void;
  wdc_turn_end: () => void;
  wdc_channel_open: (context: number) => void;
  wdc_channel_message: (context: number, slot: number, size: number, isText: number) => number;
  wdc_channel_small: (context: number, size: number) => number;
  wdc_channel_low: (context: number) => void;
  wdc_channel_stalled: (context: number) => void;
  wdc_channel_closing: (context: number) => void;
  wdc_channel_closed: (context: number, code: number, detail: number) => void;
  wdc_peer_description: (context: number, operation: number, code: number, type: number, slot: number) => void;
  wdc_peer_applied: (context: number, operation: number, code: number, slot: number) => void;
  wdc_peer_negotiation_needed: (context: number) => void;
  wdc_peer_candidate: (context: number, candidate: number, mid: number, line: number, fragment: number) => void;
  wdc_peer_state: (context: number, which: number, value: number) => void;
  wdc_peer_channel: (context: number, channel: number) => void;
  wdc_pipe_welcome: (context: number, you: number, polite: number, peer: number) => void;
  wdc_pipe_joined: (context: number, peer: number) => void;
  wdc_pipe_left: (context: number, peer: number) => void;
  wdc_pipe_description: (context: number, from: number, type: number, sdp: number) => void;
  wdc_pipe_candidate: (
    context: number, from: number, candidate: number, mid: number, line: number, fragment: number,
  ) => void;
  wdc_pipe_bye: (context: number, from: number) => void;
  wdc_pipe_closed: (context: number, code: number, detail: number) => void;
}
