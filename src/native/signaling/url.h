// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wdc/error.h"

namespace wdc::native::signaling {

/// Where a room is: ws://host:port/path?query.
struct WebSocketUrl {
  bool is_secure = false;
  std::string host;  // an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string target;  // with room=ROOM and version=1 instead of what the URL had of them

  /// As people write it, without the query.
  [[nodiscard]] std::string text() const;
  /// The Host header.
  [[nodiscard]] std::string authority() const;
};

/// Errors: invalid_argument, which names what is wrong.
[[nodiscard]] Result<WebSocketUrl> parse_web_socket_url(std::string_view url, std::string_view room);

}  // namespace wdc::native::signaling
