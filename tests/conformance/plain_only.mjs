// SPDX-License-Identifier: MIT

/** Cases about what framed mode has otherwise; its own tests are in package_framed.ts. */
export const plainOnly = [
  'what was unread when the far end closed can still be read', // there the far end's close waits for the reader
  'one send too many is send_queue_full, and those that wait go on', // the frame that is being made takes one more
  'try_send does not overtake sends that wait', // and so it never comes to that
  'receive overflow closes the channel with an error after what was queued', // the sender waits: nothing can overflow
  'receive overflow by bytes closes the channel too',
  'drop_oldest keeps the newest',
  'drop_newest keeps the oldest',
];
