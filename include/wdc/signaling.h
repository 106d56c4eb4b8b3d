// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "wdc/data_channel.h"
#include "wdc/error.h"
#include "wdc/event_loop.h"
#include "wdc/peer_connection.h"

namespace wdc {

struct ConnectOptions {
  PeerConnectionOptions peer = {};
  /// Both members must use the same label and protocol: the channel is negotiated with the id below.
  std::string label = "data";
  DataChannelOptions channel = {};  ///< `negotiated` and `id` are set by connect()
  /// How long to wait for the other member and the connection, at least 1 ms; nullopt: without limit.
  std::optional<std::chrono::milliseconds> timeout = {};
};

namespace core {
class SignalingSession;

struct SignalingSessionDeleter {
  void operator()(SignalingSession* session) const noexcept;
};
using SignalingSessionPointer = std::unique_ptr<SignalingSession, SignalingSessionDeleter>;
}  // namespace core

/// A connection made by connect(): owns the PeerConnection, and the negotiation that goes on in the background (late
/// candidates, restarts). Destroying it ends the negotiation and closes the connection; close the channel first.
class Connection {
 public:
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;
  ~Connection() = default;

  [[nodiscard]] PeerConnection& peer() noexcept;
  /// How the signaling itself fares: success while it works; after the two are connected its loss does not hurt them.
  [[nodiscard]] Result<void> signaling_state() const;

 private:
  friend class core::SignalingSession;
  Connection(core::SignalingSessionPointer session, DataChannel open_channel) noexcept;
  core::SignalingSessionPointer session_;

 public:
  /// The open channel. May be moved out.
  DataChannel channel;  // last: told to close before the connection goes
};

/// A connection in the making; see connect(). It begins when awaited; destroying it leaves the room and closes what
/// there is.
class [[nodiscard]] ConnectOperation {
 public:
  /// Only before it is awaited.
  ConnectOperation(ConnectOperation&& other) noexcept = default;
  ~ConnectOperation() = default;

  [[nodiscard]] bool await_ready();
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter(), caller);
  }
  [[nodiscard]] Result<Connection> await_resume();

 private:
  friend ConnectOperation connect(EventLoop& loop, std::string url, std::string room, ConnectOptions options);
  explicit ConnectOperation(core::SignalingSessionPointer session) noexcept;
  [[nodiscard]] detail::WaitNode& waiter() noexcept;
  core::SignalingSessionPointer session_;
};

/// Meets the other member of `room` at `url` and gives a ready channel. W3C "perfect negotiation" inside: both sides do
/// the same, glare is resolved by the roles that the room assigns. docs/wire/signaling.md has the frames.
///
/// `url`: "ws://host:port/ws", "wss://...", or "broadcast:" for tabs of one browser without any server (browser home
/// only). `room`: 1 to 64 of [A-Za-z0-9_-]. Errors: invalid_argument, unsupported, timed_out, signaling_*, room_full,
/// rate_limited, negotiation_failed, peer_lost, loop_closed. Destroying the operation leaves the room.
///
/// Before the channel is open, a lost signaling connection is made again, once a second for up to 25 s, and the other
/// member is met anew; afterwards the two do not need the room, and signaling_state() tells of its loss.
[[nodiscard]] ConnectOperation connect(EventLoop& loop, std::string url, std::string room, ConnectOptions options);
/// With the default options. (Not a default argument: GCC 12 destroys such a temporary of an await's expression twice.)
[[nodiscard]] ConnectOperation connect(EventLoop& loop, std::string url, std::string room);

}  // namespace wdc
