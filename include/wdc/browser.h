// SPDX-License-Identifier: MIT
// The browser home's own doors: only in WebAssembly builds. docs/wire/host.md describes the wall to JavaScript.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "wdc/data_channel.h"
#include "wdc/error.h"
#include "wdc/event_loop.h"
#include "wdc/message.h"
#include "wdc/options.h"

namespace wdc::browser {

/// A channel that JavaScript made and the host has adopted (Host.adoptChannel), by its number in the host's table.
enum class HostChannel : std::int32_t {};

/// A JavaScript value in the host's slot table: an ArrayBuffer, a view or a string. Whoever holds the number frees it.
enum class Slot : std::int32_t { none = 0 };

/// Where the bytes of a small message (binary, at most 1 KiB) arrive. Copied at once they cost a reader in C++ less
/// than going to fetch them; a message that goes on to JavaScript is better left there. Larger ones always stay in
/// JavaScript until someone looks, and so does a small one while more than 256 messages that arrived in memory exist:
/// each has 1 KiB, which is kept for later ones.
enum class SmallMessages : std::uint8_t { in_memory, in_slots };

/// The loop of this module instance: one per instance, made on first use, never destroyed.
[[nodiscard]] EventLoop& instance_loop();

/// A DataChannel over an adopted channel; takes the number. Errors: invalid_argument (flow options), loop_closed.
[[nodiscard]] Result<DataChannel> adopt(EventLoop& loop, HostChannel channel, const FlowOptions& flow = {},
                                        SmallMessages small = SmallMessages::in_memory);

/// The same for an RTCDataChannel in a slot; takes both slots. `options`: AdoptOptions as in the host's adoptChannel(),
/// or none. Errors: also invalid_argument, already_wrapped and closed from the host; then the slots are free, too.
[[nodiscard]] Result<DataChannel> adopt(EventLoop& loop, Slot channel, Slot options, const FlowOptions& flow = {});

/// Gives the RTCDataChannel behind `channel` to JavaScript, as a slot; C++ has no part in it any more. JavaScript has
/// to listen to it in the same turn, and misses nothing then. Takes the channel only on success. Errors: closed;
/// invalid_state (messages are unread or on their way, sends wait, or it has a reader).
[[nodiscard]] Result<Slot> release(DataChannel&& channel);

/// A message whose bytes stay in JavaScript; takes the slot. `size` is in bytes (UTF-8 for text).
[[nodiscard]] Message message_from_slot(Slot slot, std::size_t size, MessageType type);

/// Gives a message to JavaScript as a slot: the very ArrayBuffer or string that arrived if it arrived in a slot
/// (SmallMessages) and nobody has looked at it, else a new one with a copy. Takes the message.
[[nodiscard]] Slot to_slot(Message&& message);

}  // namespace wdc::browser
