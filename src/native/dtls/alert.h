// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace wdc::dtls {

/// RFC 5246 section 7.2. Those that this room sends, or treats in a way of their own.
enum class AlertDescription : std::uint8_t {
  close_notify = 0,
  handshake_failure = 40,
  bad_certificate = 42,
  internal_error = 80,
  user_canceled = 90,
};

inline constexpr std::uint8_t kAlertWarning = 1;
inline constexpr std::uint8_t kAlertFatal = 2;

}  // namespace wdc::dtls
