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

}  // namespace wdc::browser
