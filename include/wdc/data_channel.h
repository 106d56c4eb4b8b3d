// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "wdc/error.h"
#include "wdc/event_loop.h"
#include "wdc/message.h"
#include "wdc/options.h"

namespace wdc {

class DataChannel;
class MessageStream;

namespace core {
class Channel;

/// A counted reference to a channel's state: held by its handle, its stream, its pending operations and its loop.
class ChannelReference {
 public:
  ChannelReference() noexcept = default;
  explicit ChannelReference(Channel* channel) noexcept;
  ChannelReference(const ChannelReference& other) noexcept : ChannelReference(other.channel_) {}
  ChannelReference(ChannelReference&& other) noexcept : channel_(std::exchange(other.channel_, nullptr)) {}
  ChannelReference& operator=(ChannelReference other) noexcept {
    std::swap(channel_, other.channel_);
    return *this;
  }
  ~ChannelReference();
  [[nodiscard]] Channel* get() const noexcept { return channel_; }
  [[nodiscard]] Channel* operator->() const noexcept { return channel_; }
  [[nodiscard]] explicit operator bool() const noexcept { return channel_ != nullptr; }

 private:
  Channel* channel_ = nullptr;
};

/// A wait node that knows its channel.
struct ChannelWaiter : detail::WaitNode {
  ChannelReference channel;
};

}  // namespace core

namespace detail {
template <class Caller>
void prepare(WaitNode& node, std::coroutine_handle<Caller> caller) noexcept {
  node.handle = caller;
  if constexpr (requires { caller.promise().context; }) node.context = caller.promise().context;
  node.resume = &resume_coroutine;
}
}  // namespace detail

/// W3C RTCDataChannelState.
enum class ReadyState : std::uint8_t { connecting, open, closing, closed };

/// Counted since the channel was made. Bytes are payload.
struct DataChannelStats {
  std::uint64_t messages_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t messages_dropped = 0;  ///< by the receive policy or discard_received
  std::uint64_t bytes_dropped = 0;
  std::size_t receive_queue_messages = 0;
  std::size_t receive_queue_bytes = 0;
  std::size_t send_queue_operations = 0;  ///< sends that wait right now
  std::uint64_t send_waits = 0;           ///< sends that had to wait
  std::uint64_t stalls = 0;               ///< messages sent past the high mark because the buffer did not move
};

/// One send in progress; made by DataChannel::send*(), finished by co_await.
///
/// Ends when the transport accepted the message, waiting while more than send_high_water_mark bytes are buffered; sends
/// keep the order of their co_await. Errors: not_open, closed, message_too_large, send_queue_full, invalid_argument
/// (text that is not UTF-8), aborted, peer_lost, connection_closed, transport_error, loop_closed. Cancel safety:
/// destroyed before it was accepted it sends nothing, after that everything. No allocation.
class [[nodiscard]] SendOperation {
 public:
  /// Only before it is awaited.
  SendOperation(SendOperation&& other) noexcept;
  ~SendOperation();

  [[nodiscard]] bool await_ready();
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] Result<void> await_resume() noexcept { return std::move(result_); }

 private:
  friend class DataChannel;
  friend class core::Channel;
  struct Waiter : core::ChannelWaiter {
    SendOperation* operation = nullptr;
  };
  SendOperation(core::ChannelReference channel, std::span<const std::byte> bytes, MessageType type) noexcept;
  SendOperation(core::ChannelReference channel, Message&& message) noexcept;
  void enqueue() noexcept;

  Waiter waiter_;
  std::span<const std::byte> bytes_;  // borrowed until the end, unless message_ is used
  Message message_;
  MessageType type_ = MessageType::binary;
  bool owns_message_ = false;
  bool counted_ = false;  // among the channel's waiting sends
  Result<void> result_;
};

/// Waits for the channel to open. Ends at once if it is open; errors as of SendOperation once it can no longer open.
class [[nodiscard]] OpenOperation {
 public:
  OpenOperation(OpenOperation&& other) noexcept;

  [[nodiscard]] bool await_ready() const noexcept;
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] Result<void> await_resume() noexcept;

 private:
  friend class DataChannel;
  explicit OpenOperation(core::ChannelReference channel) noexcept;
  void enqueue() noexcept;
  core::ChannelWaiter waiter_;
};

/// A close in progress. Its first step happens when close() is called, so destroying the operation does not take it
/// back: the channel goes on closing in the background.
class [[nodiscard]] CloseOperation {
 public:
  CloseOperation(CloseOperation&& other) noexcept;

  [[nodiscard]] bool await_ready() const noexcept;
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] Result<void> await_resume() noexcept;

 private:
  friend class DataChannel;
  explicit CloseOperation(core::ChannelReference channel) noexcept;
  void enqueue() noexcept;
  core::ChannelWaiter waiter_;
};

/// The next message; made by MessageStream::next(). Destroying it loses nothing: the message stays for the next call.
class [[nodiscard]] NextOperation {
 public:
  NextOperation(NextOperation&& other) noexcept;
  ~NextOperation();

  [[nodiscard]] bool await_ready() const noexcept;
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] std::optional<Message> await_resume();

 private:
  friend class MessageStream;
  explicit NextOperation(core::ChannelReference channel) noexcept;
  void enqueue() noexcept;
  core::ChannelWaiter waiter_;
};

/// The messages of a channel, in order, as a stream. One at a time per channel; destroying it lets the next consumer
/// in. May outlive the DataChannel.
class [[nodiscard]] MessageStream {
 public:
  MessageStream(MessageStream&& other) noexcept;
  MessageStream& operator=(MessageStream&& other) noexcept;
  ~MessageStream();

  /// The next message, or nullopt at the end, after everything that was queued: see end_reason(). REQUIRES: the stream
  /// is not moved or destroyed while an operation waits, and only one waits at a time (the second ends at once with
  /// nullopt).
  [[nodiscard]] NextOperation next() noexcept;
  /// Why next() gave nullopt: nothing for a clean close from either side; otherwise what broke: consumer_busy, aborted,
  /// receive_overflow, peer_lost, connection_closed, transport_error, loop_closed. Before the end: success.
  [[nodiscard]] Result<void> end_reason() const;

 private:
  friend class DataChannel;
  friend class NextOperation;
  explicit MessageStream(core::ChannelReference channel, bool refused) noexcept;
  core::ChannelReference channel_;
  bool refused_ = false;  // another consumer was there first
};

/// One WebRTC data channel (W3C RTCDataChannel, RFC 8831), the same in the browser and natively. A move-only handle:
/// the owner of the channel. Destroying it without close() closes gracefully in the background within close_timeout:
/// what was accepted is delivered, unread messages are dropped.
///
/// Thread: its loop's.
class DataChannel {
 public:
  /// No channel: operations give Errc::closed.
  DataChannel() noexcept = default;
  DataChannel(DataChannel&&) noexcept = default;
  DataChannel& operator=(DataChannel&& other) noexcept;
  ~DataChannel();

  /// Sends one binary message. `bytes` are borrowed until the operation ends. Zero length is a message too.
  [[nodiscard]] SendOperation send_bytes(std::span<const std::byte> bytes) noexcept;
  /// Sends one text message; `text` is UTF-8, may contain NUL, and is borrowed until the operation ends.
  [[nodiscard]] SendOperation send_text(std::string_view text) noexcept;
  /// Sends a message, also one just received: forwarded without a copy where the home allows it. Takes the message.
  [[nodiscard]] SendOperation send(Message&& message) noexcept;

  /// The same without waiting: Errc::would_block while the buffer is full or other sends wait.
  Result<void> try_send_bytes(std::span<const std::byte> bytes);
  Result<void> try_send_text(std::string_view text);
  /// Takes the message only if it succeeds.
  Result<void> try_send(Message&& message);

  /// The next message without waiting: would_block if there is none yet, consumer_busy while a MessageStream exists,
  /// closed at a clean end, otherwise what broke.
  [[nodiscard]] Result<Message> try_receive();
  /// All messages from here on. If the channel has a consumer already the stream ends at once with consumer_busy.
  [[nodiscard]] MessageStream message_stream() noexcept;

  /// Resumes when the channel is open.
  [[nodiscard]] OpenOperation wait_open() noexcept;

  /// Sends what waits, then closes, and ends when the channel has closed on both sides. No new send is accepted from
  /// the call on; readers still get what is queued, then a clean end. After `timeout` (default:
  /// FlowOptions::close_timeout) the channel is aborted and the result is timed_out. Result: also what broke before
  /// everything was handed over.
  CloseOperation close(std::optional<std::chrono::milliseconds> timeout = std::nullopt);
  /// Resumes when the channel has closed, whoever closed it and why; closes nothing itself. Result: as of close().
  [[nodiscard]] CloseOperation wait_closed() noexcept;
  /// Closes now: sends that wait fail with aborted, unread messages are dropped, readers end with aborted.
  void abort();

  [[nodiscard]] std::string_view label() const noexcept;
  [[nodiscard]] std::string_view protocol() const noexcept;
  [[nodiscard]] std::optional<std::uint16_t> id() const noexcept;  ///< known once the connection's DTLS roles are
  [[nodiscard]] bool ordered() const noexcept;
  [[nodiscard]] std::optional<std::uint16_t> max_retransmits() const noexcept;
  [[nodiscard]] std::optional<std::chrono::milliseconds> max_packet_life_time() const noexcept;
  [[nodiscard]] bool negotiated() const noexcept;
  [[nodiscard]] ReadyState ready_state() const noexcept;
  /// Bytes accepted and not yet handed to the network (W3C bufferedAmount).
  [[nodiscard]] std::uint64_t buffered_amount() const;
  /// Bytes the peer takes in one message (RFC 8841 max-message-size); 0 while unknown, before the connection is up.
  [[nodiscard]] std::uint64_t max_message_size() const;
  [[nodiscard]] DataChannelStats stats() const noexcept;
  /// Why the channel closed; success while it is open and after a clean close.
  [[nodiscard]] Result<void> close_reason() const;

  /// True if there is a channel behind this handle.
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(channel_); }

 private:
  friend class core::Channel;
  explicit DataChannel(core::ChannelReference channel) noexcept : channel_(std::move(channel)) {}
  core::ChannelReference channel_;
};

}  // namespace wdc
