// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "wdc/data_channel.h"
#include "wdc/error.h"
#include "wdc/event_loop.h"
#include "wdc/peer_connection.h"
#include "wdc/task.h"

namespace wdc {

struct ConnectOptions {
  PeerConnectionOptions peer;
  /// Both members must use the same label and protocol: the channel is negotiated with the id below.
  std::string label = "data";
  DataChannelOptions channel;  ///< `negotiated` and `id` are set by connect()
  /// How long to wait for the other member and the connection; nullopt: without limit.
  std::optional<std::chrono::milliseconds> timeout;
};

namespace core {
class SignalingSession;
}

/// A connection made by connect(): owns the PeerConnection, and the negotiation that goes on in the background (late
/// candidates, restarts). Destroying it ends the negotiation and closes the connection; close the channel first.
class Connection {
 public:
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  [[nodiscard]] PeerConnection& peer() noexcept;
  /// The open channel. May be moved out.
  DataChannel channel;
  /// How the signaling itself fares: success while it works; after the two are connected its loss does not hurt them.
  [[nodiscard]] Result<void> signaling_state() const;

 private:
  friend class core::SignalingSession;
  explicit Connection(std::unique_ptr<core::SignalingSession> session) noexcept;
  std::unique_ptr<core::SignalingSession> session_;
};

/// Meets the other member of `room` at `url` and gives a ready channel. W3C "perfect negotiation" inside: both sides do the
/// same, glare is resolved by the roles that the room assigns. docs/wire/signaling.md has the frames.
///
/// `url`: "ws://host:port/ws", "wss://...", or "broadcast:" for tabs of one browser without any server (browser home only).
/// `room`: 1 to 64 of [A-Za-z0-9_-]. Errors: invalid_argument, unsupported, timed_out, signaling_*, room_full, rate_limited,
/// negotiation_failed, peer_lost. Destroying the task leaves the room.
[[nodiscard]] Task<Result<Connection>> connect(EventLoop& loop, std::string url, std::string room, ConnectOptions options = {});

}  // namespace wdc
