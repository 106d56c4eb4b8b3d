// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "wdc/message.h"

namespace wdc::browser {

/// The largest message that may come through memory instead of a slot. A copy of this size costs less than a crossing.
inline constexpr std::size_t kLargestSmallMessage = 1'024;

/// Where the host is to put the next small message, room for the largest. Null while so many that came like this exist
/// that further ones are better left outside, because memory never shrinks; and where there is no memory.
[[nodiscard]] const std::byte* small_message_place() noexcept;

/// The message of `size` bytes that the host has put there. REQUIRES: there was a place, and no message was made since.
[[nodiscard]] Message make_small_message(std::size_t size) noexcept;

/// Room for a small message that has come in a slot, if there is some that no message needs at present; else null. So
/// that a reader who falls behind, and gets the rest in slots, finds the memory of those that he has read.
[[nodiscard]] std::byte* take_small_block() noexcept;
void give_small_block(std::byte* block) noexcept;

}  // namespace wdc::browser
