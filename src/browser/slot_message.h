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

}  // namespace wdc::browser
