// SPDX-License-Identifier: MIT
// Made by scripts/generate-error-codes.mjs from include/wdc/error_codes.inc: change that one.

/** Every error code: its stable name, its number and what it says. */
export const errorCodes = {
  cancelled: { number: 1, sentence: 'the operation was cancelled' },
  timed_out: { number: 2, sentence: 'the operation did not finish in time' },
  invalid_argument: { number: 3, sentence: 'an argument is out of its range' },
  invalid_state: { number: 4, sentence: 'the object is not in a state that allows this' },
  not_open: { number: 5, sentence: 'the channel is not open yet' },
  closed: { number: 6, sentence: 'the channel is closing or closed' },
  message_too_large: { number: 7, sentence: 'the message exceeds the peer\'s limit' },
  send_queue_full: { number: 8, sentence: 'too many sends are waiting' },
  would_block: { number: 9, sentence: 'nothing can be done right now without waiting' },
  receive_overflow: { number: 10, sentence: 'messages arrived faster than they were read' },
  already_wrapped: { number: 11, sentence: 'the channel is wrapped already' },
  consumer_busy: { number: 12, sentence: 'the channel has a reader already' },
  aborted: { number: 13, sentence: 'the channel was aborted' },
  peer_lost: { number: 14, sentence: 'the peer does not answer any more' },
  connection_closed: { number: 15, sentence: 'the connection below the channel was closed' },
  transport_error: { number: 16, sentence: 'the transport reported an error' },
  negotiation_failed: { number: 17, sentence: 'the session description or candidate was refused' },
  unsupported: { number: 18, sentence: 'this platform does not offer that' },
  wasm_trapped: { number: 19, sentence: 'the WebAssembly module failed and its channels with it' },
  wasm_blocked: { number: 20, sentence: 'WebAssembly is blocked by the page\'s Content-Security-Policy' },
  wrong_thread: { number: 21, sentence: 'called from a thread that does not own the object' },
  out_of_memory: { number: 22, sentence: 'memory is exhausted' },
  loop_closed: { number: 23, sentence: 'the event loop is gone' },
  post_queue_full: { number: 24, sentence: 'too many posted functions are waiting' },
  protocol_error: { number: 25, sentence: 'the other side broke the protocol of framed mode' },
  superseded: { number: 26, sentence: 'a newer message took this one\'s place' },
  stopped: { number: 27, sentence: 'the receiver does not want the message' },
  unread: { number: 28, sentence: 'the other side closed without having read everything' },
  signaling_unreachable: { number: 40, sentence: 'the signaling server cannot be reached' },
  signaling_lost: { number: 41, sentence: 'the signaling connection was lost' },
  signaling_malformed: { number: 42, sentence: 'a signaling message is malformed' },
  signaling_too_large: { number: 43, sentence: 'a signaling message is too large' },
  signaling_refused: { number: 44, sentence: 'the signaling server refused the request' },
  room_full: { number: 45, sentence: 'the room has its two members already' },
  rate_limited: { number: 46, sentence: 'too many signaling messages in a short time' },
} as const;

/** The stable name of an error. */
export type ErrorCode = keyof typeof errorCodes;
