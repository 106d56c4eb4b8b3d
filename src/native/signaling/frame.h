// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "src/core/backend.h"

namespace wdc::native::signaling {

/// The largest frame unless the server says otherwise (docs/wire/signaling.md).
inline constexpr std::size_t kDefaultMaxFrame = 65'536;

/// What a text said.
struct ParsedFrame {
  /// Empty for what concerns nobody: the end of the peer's candidates, a member's frame without its sender.
  std::optional<core::signaling::Frame> frame;
  std::size_t max_frame = kDefaultMaxFrame;  // of a welcome
};

/// The frame of a text; the error says what is wrong with it.
[[nodiscard]] std::expected<ParsedFrame, std::string> parse_frame(std::string_view text);

/// The text of a description, a candidate or a bye to a member.
[[nodiscard]] std::string write_frame(const core::signaling::Frame& frame, std::string_view to);

/// What an error frame says, by its code.
[[nodiscard]] Error error_of(std::string_view code, std::string message);
/// What a close code of the format says (4000 to 4099); empty for any other.
[[nodiscard]] std::optional<Error> error_of_close(std::uint16_t code);

}  // namespace wdc::native::signaling
