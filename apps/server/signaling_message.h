// SPDX-License-Identifier: MIT
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "apps/server/room_registry.h"

namespace wdc::server {

inline constexpr int kSignalingVersion = 1;

// The codes of docs/wire/signaling.md, "Errors and close codes". The numbers are the WebSocket close codes.
enum class SignalingError : std::uint16_t {
  malformed = 4001,
  too_large = 4002,
  bad_room = 4003,
  unsupported_version = 4004,
  room_full = 4010,
  too_many_rooms = 4011,
  rate_limited = 4012,
  slow_reader = 4013,
  idle = 4014,
};

[[nodiscard]] std::string_view name_of(SignalingError code);

// A frame that one member sends to the other. What is inside `payload` is checked for its shape only.
struct MemberFrame {
  enum class Type { description, candidate, bye };

  Type type;
  std::optional<MemberId> to;
  boost::json::value payload;  // the description, or the candidate; null for bye

  // As the other member receives it.
  [[nodiscard]] std::string text_from(const MemberId& sender) const;
};

// The error says what is wrong, for the sender; text of the sender in it is escaped.
[[nodiscard]] std::expected<MemberFrame, std::string> parse_member_frame(std::string_view text);

[[nodiscard]] std::string welcome_frame(const MemberId& you, const Seat& seat, std::size_t max_message_bytes);
[[nodiscard]] std::string joined_frame(const MemberId& peer);
[[nodiscard]] std::string left_frame(const MemberId& peer);
[[nodiscard]] std::string error_frame(SignalingError code, std::string_view message);

}  // namespace wdc::server
