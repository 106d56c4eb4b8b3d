// SPDX-License-Identifier: MIT
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "wdc/data_channel.h"
#include "wdc/error.h"
#include "wdc/event_loop.h"
#include "wdc/options.h"

namespace wdc {

class PeerConnection;

namespace core {
class Peer;

/// A counted reference to a connection's state.
class PeerReference {
 public:
  PeerReference() noexcept = default;
  explicit PeerReference(Peer* peer) noexcept;
  PeerReference(const PeerReference& other) noexcept : PeerReference(other.peer_) {}
  PeerReference(PeerReference&& other) noexcept : peer_(std::exchange(other.peer_, nullptr)) {}
  PeerReference& operator=(PeerReference other) noexcept {
    std::swap(peer_, other.peer_);
    return *this;
  }
  ~PeerReference();
  [[nodiscard]] Peer* get() const noexcept { return peer_; }
  [[nodiscard]] Peer* operator->() const noexcept { return peer_; }
  [[nodiscard]] explicit operator bool() const noexcept { return peer_ != nullptr; }

 private:
  Peer* peer_ = nullptr;
};

struct PeerWaiter : detail::WaitNode {
  PeerReference peer;
};

}  // namespace core

enum class SdpType : std::uint8_t { offer, pranswer, answer, rollback };

/// W3C RTCSessionDescription.
struct SessionDescription {
  SdpType type = SdpType::offer;
  std::string sdp{};  ///< empty for rollback
};

/// W3C RTCIceCandidate. An empty `candidate` means the end of candidates.
struct IceCandidate {
  std::string candidate{};
  std::optional<std::string> sdp_mid{};
  std::optional<std::uint16_t> sdp_m_line_index{};
  std::optional<std::string> username_fragment{};
};

enum class ConnectionState : std::uint8_t { new_, connecting, connected, disconnected, failed, closed };
enum class IceConnectionState : std::uint8_t { new_, checking, connected, completed, disconnected, failed, closed };
enum class IceGatheringState : std::uint8_t { new_, gathering, complete };
enum class SignalingState : std::uint8_t {
  stable,
  have_local_offer,
  have_remote_offer,
  have_local_pranswer,
  have_remote_pranswer,
  closed
};

/// The names of the W3C specification, e.g. "have-local-offer".
[[nodiscard]] std::string_view name(SdpType value) noexcept;
[[nodiscard]] std::string_view name(ReadyState value) noexcept;
[[nodiscard]] std::string_view name(ConnectionState value) noexcept;
[[nodiscard]] std::string_view name(IceConnectionState value) noexcept;
[[nodiscard]] std::string_view name(IceGatheringState value) noexcept;
[[nodiscard]] std::string_view name(SignalingState value) noexcept;

/// W3C `negotiationneeded`: an offer should be made.
struct NegotiationNeeded {};
/// What a signaling channel has to know of, in order.
using NegotiationEvent = std::variant<NegotiationNeeded, IceCandidate>;

/// An offer or an answer in the making. Destroying it forgets the result.
class [[nodiscard]] DescriptionOperation {
 public:
  DescriptionOperation(DescriptionOperation&& other) noexcept;
  ~DescriptionOperation();
  [[nodiscard]] bool await_ready();
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] Result<SessionDescription> await_resume() { return std::move(*result_); }

 private:
  friend class PeerConnection;
  friend class core::Peer;
  enum class Kind : std::uint8_t { create_offer, create_answer, set_local_implicit };
  DescriptionOperation(core::PeerReference peer, Kind kind) noexcept;
  void enqueue() noexcept;
  core::PeerWaiter waiter_;
  Kind kind_;
  std::uint32_t operation_ = 0;
  std::optional<Result<SessionDescription>> result_;
};

/// A description or candidate being applied. It starts when awaited; destroying it later does not take it back.
class [[nodiscard]] ApplyOperation {
 public:
  ApplyOperation(ApplyOperation&& other) noexcept;
  ~ApplyOperation();
  [[nodiscard]] bool await_ready();
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] Result<void> await_resume() { return std::move(*result_); }

 private:
  friend class PeerConnection;
  friend class core::Peer;
  using Argument = std::variant<std::pair<bool, SessionDescription>, IceCandidate>;  // pair: is it the local one
  ApplyOperation(core::PeerReference peer, Argument argument) noexcept;
  void enqueue() noexcept;
  core::PeerWaiter waiter_;
  Argument argument_;
  std::uint32_t operation_ = 0;
  std::optional<Result<void>> result_;
};

/// Waits for one of the connection's events; see the functions that return it. Destroying it loses nothing.
template <class T>
class [[nodiscard]] PeerEventOperation {
 public:
  PeerEventOperation(PeerEventOperation&& other) noexcept;
  ~PeerEventOperation();
  [[nodiscard]] bool await_ready() const noexcept;
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] T await_resume();

 private:
  friend class PeerConnection;
  explicit PeerEventOperation(core::PeerReference peer) noexcept;
  void enqueue() noexcept;
  core::PeerWaiter waiter_;
};

/// A W3C RTCPeerConnection for data channels: a move-only handle. Destroying it closes the connection at once; close
/// channels first to have their data delivered.
///
/// Thread: its loop's.
class PeerConnection {
 public:
  /// No connection: operations give Errc::connection_closed.
  PeerConnection() noexcept = default;
  PeerConnection(PeerConnection&&) noexcept = default;
  PeerConnection& operator=(PeerConnection&& other) noexcept;
  ~PeerConnection();

  /// Errors: invalid_argument (a server URL, a limit out of range), unsupported, loop_closed.
  [[nodiscard]] static Result<PeerConnection> create(EventLoop& loop, PeerConnectionOptions options = {});

  /// Creates a channel; it opens when the connection does, see DataChannel::wait_open(). Errors: invalid_argument
  /// (label or protocol over 65,535 bytes, both reliability limits, id out of range or without negotiated, a flow
  /// option out of its range), invalid_state (id in use), connection_closed.
  [[nodiscard]] Result<DataChannel> create_data_channel(std::string_view label, DataChannelOptions options = {});

  /// W3C createOffer / createAnswer. Errors: negotiation_failed with the browser's reason, connection_closed.
  [[nodiscard]] DescriptionOperation create_offer() noexcept;
  [[nodiscard]] DescriptionOperation create_answer() noexcept;
  /// W3C setLocalDescription() without an argument: makes and applies the fitting offer or answer, and gives it to be
  /// sent.
  [[nodiscard]] DescriptionOperation set_local_description() noexcept;
  [[nodiscard]] ApplyOperation set_local_description(SessionDescription description) noexcept;
  [[nodiscard]] ApplyOperation set_remote_description(SessionDescription description) noexcept;
  [[nodiscard]] ApplyOperation add_ice_candidate(IceCandidate candidate) noexcept;

  /// The next event for the signaling channel (one waiter at a time); nullopt when the connection has closed.
  [[nodiscard]] PeerEventOperation<std::optional<NegotiationEvent>> next_negotiation_event() noexcept;
  /// The next channel the other side created, in order (one waiter at a time); nullopt when the connection has closed.
  [[nodiscard]] PeerEventOperation<std::optional<DataChannel>> accept_data_channel() noexcept;
  /// Resumes when connection_state() has changed since the last call (one waiter at a time), with the state now.
  [[nodiscard]] PeerEventOperation<ConnectionState> next_connection_state() noexcept;

  [[nodiscard]] ConnectionState connection_state() const noexcept;
  [[nodiscard]] IceConnectionState ice_connection_state() const noexcept;
  [[nodiscard]] IceGatheringState ice_gathering_state() const noexcept;
  [[nodiscard]] SignalingState signaling_state() const noexcept;
  /// Channels of the other side that were closed because PeerConnectionOptions::incoming_channels waited already.
  [[nodiscard]] std::uint64_t incoming_channels_refused() const noexcept;

  /// W3C restartIce(): the next offer gathers anew; a NegotiationNeeded event follows.
  void restart_ice();
  /// Closes the connection and everything on it, at once (channels end with Errc::connection_closed unless closed
  /// before).
  void close();

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(peer_); }

 private:
  explicit PeerConnection(core::PeerReference peer) noexcept : peer_(std::move(peer)) {}
  core::PeerReference peer_;
};

}  // namespace wdc
