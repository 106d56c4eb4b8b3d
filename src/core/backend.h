// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "wdc/data_channel.h"
#include "wdc/error.h"
#include "wdc/event_loop.h"
#include "wdc/message.h"
#include "wdc/options.h"
#include "wdc/peer_connection.h"

// The seam between the platform-neutral core and a home (browser, native, the tests' fake), as a specification.
//
// Calls go down (core -> backend), events go up (backend -> core). All on the loop's thread, but Backend::wake().
//
// 1. A backend never calls up from inside a call down. What a call causes is reported later, from the backend's own
// turn.
// 2. An event handler of the core never runs user code and never destroys the backend object that reports the event: it
//    records, queues, and asks for a pump. So a backend may report several events in a row without looking back.
// 3. After a backend object is destroyed, no event of it arrives any more; what it held is released.
// 4. Nothing here throws.

namespace wdc::core {

class Loop;

/// What a channel reports. RFC 8831 section 6; W3C RTCDataChannel section 6.2 for the order of events.
class ChannelEvents {
 public:
  /// The channel can send from now on. At most once. `id` is known from here on.
  virtual void on_open() = 0;
  /// A message, in the channel's order. May arrive while connecting is about to end (before on_open) and while closing.
  virtual void on_message(Message&& message) = 0;
  /// The same, and who waits for the message is resumed before this returns: a third of what the core takes for a
  /// message goes with the queue otherwise. REQUIRES: nothing else of the library is on the stack; the channel may be
  /// gone afterwards. Not virtual: what a backend reports to is always a Channel.
  void on_message_directly(Message&& message);
  /// buffered_amount() fell from above the low mark to it or below.
  virtual void on_buffered_amount_low() = 0;
  /// The buffer has not moved for long and may be empty without the transport having told: one more message may go,
  /// which brings it to tell. Optional, at most once between two on_buffered_amount_low().
  virtual void on_stalled() = 0;
  /// The other side has begun to close: nothing more can be sent. Optional; on_closed follows.
  virtual void on_closing() = 0;
  /// The end, exactly once, and nothing follows it. No value: a clean close by either side. Otherwise what broke:
  /// transport_error, connection_closed, peer_lost.
  virtual void on_closed(std::optional<Error> error) = 0;

 protected:
  ~ChannelEvents() = default;
};

/// What never changes about a channel.
struct ChannelInfo {
  std::string label{};
  std::string protocol{};
  bool ordered = true;
  bool negotiated = false;
  std::optional<std::uint16_t> max_retransmits{};
  std::optional<std::chrono::milliseconds> max_packet_life_time{};
};

/// One data channel of a home. Created connecting or open; destroying it abandons the channel: it is closed below if it
/// is not yet, and its memory and handlers are released.
class ChannelBackend {
 public:
  virtual ~ChannelBackend() = default;

  /// Called once, before any event is reported. Events that happened before are reported afterwards, none is lost.
  virtual void set_events(ChannelEvents& events) = 0;
  [[nodiscard]] virtual const ChannelInfo& info() const = 0;
  [[nodiscard]] virtual std::optional<std::uint16_t> id() const = 0;
  /// The state at creation; later states are told by events.
  [[nodiscard]] virtual ReadyState initial_state() const = 0;

  /// Hands a message to the transport, whole or not at all. `bytes` are taken before it returns. The core checked size
  /// and state. Errors: would_block (the transport's own buffer is full; on_buffered_amount_low will follow),
  /// invalid_argument (text that is not UTF-8), message_too_large, transport_error.
  [[nodiscard]] virtual Result<void> send(std::span<const std::byte> bytes, MessageType type) = 0;
  /// Same for a message that may still be a handle of this very home: forwarded without fetching its bytes. Takes the
  /// message only on success.
  [[nodiscard]] virtual Result<void> send(Message& message) = 0;

  /// Bytes accepted and not yet on the network. May be costly: the core calls it only when its own upper estimate says
  /// full.
  [[nodiscard]] virtual std::uint64_t buffered_amount() const = 0;
  virtual void set_buffered_amount_low_threshold(std::uint64_t bytes) = 0;
  /// 0: not known yet.
  [[nodiscard]] virtual std::uint64_t max_message_size() const = 0;

  /// Delivers what is buffered, then closes; on_closed follows. Idempotent.
  virtual void close() = 0;
  /// Closes, dropping what is buffered where the home can; on_closed follows. Idempotent.
  virtual void abort() = 0;
};

/// Number of an operation in flight; chosen by the core, unique within a connection.
using OperationId = std::uint32_t;

class PeerEvents {
 public:
  /// The end of an operation that was started; exactly once each, unless the connection is destroyed first.
  virtual void on_description(OperationId operation, Result<SessionDescription> result) = 0;
  virtual void on_applied(OperationId operation, Result<void> result) = 0;
  virtual void on_negotiation_needed() = 0;
  virtual void on_ice_candidate(IceCandidate candidate) = 0;
  virtual void on_connection_state(ConnectionState state) = 0;
  virtual void on_ice_connection_state(IceConnectionState state) = 0;
  virtual void on_ice_gathering_state(IceGatheringState state) = 0;
  virtual void on_signaling_state(SignalingState state) = 0;
  virtual void on_data_channel(std::unique_ptr<ChannelBackend> channel) = 0;

 protected:
  ~PeerEvents() = default;
};

/// One peer connection of a home. Destroying it closes it at once and releases everything.
class PeerBackend {
 public:
  virtual ~PeerBackend() = default;

  virtual void set_events(PeerEvents& events) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<ChannelBackend>> create_data_channel(
      std::string_view label, const DataChannelOptions& options) = 0;
  virtual void create_offer(OperationId operation) = 0;
  virtual void create_answer(OperationId operation) = 0;
  /// W3C setLocalDescription without an argument; gives the description.
  virtual void set_local_description(OperationId operation) = 0;
  virtual void set_local_description(OperationId operation, const SessionDescription& description) = 0;
  virtual void set_remote_description(OperationId operation, const SessionDescription& description) = 0;
  virtual void add_ice_candidate(OperationId operation, const IceCandidate& candidate) = 0;
  virtual void restart_ice() = 0;
  /// Closes now. The connection's channels report on_closed(connection_closed) from the backend's next turn.
  virtual void close() = 0;
};

/// Frames of docs/wire/signaling.md as values; a home turns them into JSON and back.
namespace signaling {
struct Welcome {
  std::string you;
  bool polite = false;
  std::optional<std::string> peer{};  ///< the other member, if it is there already
};
struct Joined {
  std::string peer;
};
struct Left {
  std::string peer;
};
struct Description {
  std::string from;  ///< empty when sending
  SessionDescription description;
};
struct Candidate {
  std::string from;
  IceCandidate candidate;
};
struct Bye {
  std::string from;
};
struct Refused {
  Error error;  ///< the server's error frame
};
using Frame = std::variant<Welcome, Joined, Left, Description, Candidate, Bye, Refused>;
}  // namespace signaling

class SignalingEvents {
 public:
  virtual void on_frame(signaling::Frame frame) = 0;
  /// The end, once: signaling_unreachable, signaling_lost, or what the server said. Nothing follows.
  virtual void on_signaling_closed(Error error) = 0;

 protected:
  ~SignalingEvents() = default;
};

/// The way to the other member of a room. Destroying it leaves the room.
class SignalingBackend {
 public:
  virtual ~SignalingBackend() = default;
  virtual void set_events(SignalingEvents& events) = 0;
  /// Description, Candidate or Bye.
  virtual void send(const signaling::Frame& frame) = 0;
};

/// What the loop needs of a platform.
class Backend {
 public:
  virtual ~Backend() = default;

  /// The loop above, once, before anything else: for homes that pump it themselves.
  virtual void attach(Loop& /*loop*/) {}
  [[nodiscard]] virtual TimePoint now() const = 0;
  /// The loop must be pumped (Loop::pump) soon, from the backend's own turn at depth zero. Cheap, idempotent.
  virtual void request_pump() = 0;
  /// Loop::end_turn() must be called once what runs now has ended, and all that follows from it in the same turn of the
  /// platform: in a browser in a later task (never a timer, which may be late, nor a microtask, which comes before
  /// other work of the same turn). Cheap, idempotent. A home whose pump is its turn need not do more: there the loop
  /// calls end_turn() itself, at the end of each pump.
  virtual void request_turn_end() { request_pump(); }
  /// The loop must be pumped at `deadline` at the latest; replaces the one before; nullopt: no timer is armed.
  virtual void set_deadline(std::optional<TimePoint> deadline) = 0;
  /// From any thread: request_pump() for the loop's thread.
  virtual void wake() noexcept = 0;
  /// True where the platform runs the loop itself (the browser): EventLoop::run() returns at once.
  [[nodiscard]] virtual bool driven_by_host() const noexcept = 0;
  /// Waits for events, wake() or the deadline and reports the events; with `may_wait` false only looks. Returns false
  /// if nothing can ever happen any more (no deadline, nothing open). Not called where driven_by_host().
  virtual bool turn(bool may_wait) = 0;
  /// False on a thread other than the one this belongs to. Asked only where a program can have several.
  [[nodiscard]] virtual bool on_owning_thread() const noexcept { return true; }
  /// A line for the person who runs the program: why run_main() failed. A home without an error output drops it.
  virtual void report(std::string_view /*text*/) {}

  [[nodiscard]] virtual Result<std::unique_ptr<PeerBackend>> create_peer(const PeerConnectionOptions& options) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<SignalingBackend>> open_signaling(std::string_view url,
                                                                                 std::string_view room) = 0;
};

/// This platform's own backend; defined by exactly one home at link time.
[[nodiscard]] std::unique_ptr<Backend> make_default_backend();

}  // namespace wdc::core
