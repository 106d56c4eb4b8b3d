// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "src/browser/host_imports.h"
#include "wdc/message.h"

namespace wdc::browser {

/// A message over a slot; takes it. An empty message needs none.
[[nodiscard]] Message make_slot_message(host::Number slot, std::size_t size, MessageType type) noexcept;

/// The slot behind a message that nobody has looked at; 0 if it has none.
[[nodiscard]] host::Number slot_behind(const Message& message) noexcept;

/// From now on the slot of the message whose bytes were fetched last stays until that message goes, or another's bytes
/// are fetched: for readers in JavaScript, who would have to copy out again what was copied in.
void keep_last_slot() noexcept;
/// The slot that these bytes were fetched from, if it is still there: the caller's from now on. Otherwise 0.
[[nodiscard]] host::Number take_last_slot(const std::byte* bytes) noexcept;

}  // namespace wdc::browser
