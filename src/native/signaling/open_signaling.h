// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "src/core/backend.h"

namespace boost::asio {
class io_context;
}

namespace wdc::native::signaling {

struct Options {
  /// For wss://: certificates in PEM to trust instead of the system's.
  std::string trusted_pem{};
  /// For the name, the connection, TLS and the upgrade together.
  std::chrono::milliseconds connect_time{10'000};
  /// A server that is silent so long is gone; it is pinged before. Ours sends something every 10 s.
  std::chrono::milliseconds silence{30'000};
};

/// A place in a room of a server (ws://, wss://), or of this process (broadcast:). Frames and the end are reported
/// from handlers of `context`. Errors: invalid_argument.
[[nodiscard]] Result<std::unique_ptr<core::SignalingBackend>> open_signaling(boost::asio::io_context& context,
                                                                             std::string_view url,
                                                                             std::string_view room,
                                                                             const Options& options = {});

/// Its two carriers.
[[nodiscard]] Result<std::unique_ptr<core::SignalingBackend>> open_web_socket(boost::asio::io_context& context,
                                                                              std::string_view url,
                                                                              std::string_view room,
                                                                              const Options& options);
[[nodiscard]] std::unique_ptr<core::SignalingBackend> open_local_room(boost::asio::io_context& context,
                                                                      std::string_view room);

}  // namespace wdc::native::signaling
