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
#include "wdc/send_options.h"

namespace wdc {

class DataChannel;
class IncomingStream;
class MessageStream;

namespace core {
class Channel;

namespace framed {
class Framing;
class Scheduler;
class Sender;
struct OutgoingSlot;
}  // namespace framed

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

namespace framed {

/// A message that waits or is on its way in framed mode; inside its SendOperation.
struct Outgoing : ChannelWaiter {
  SendOperation* operation = nullptr;
  std::span<const std::byte> bytes;  // in memory, unless it comes from a source
  ByteSource* source = nullptr;
  std::uint64_t size = 0;              // of a source: kUnknownSize if that does not know
  std::uint64_t offset = 0;            // bytes that were encoded
  std::uint64_t sequence = 0;          // in the order of the sends
  OutgoingSlot* slot = nullptr;        // once it has started in parts
  std::optional<std::uint64_t> key{};  // waiting messages of one key: the last one counts
  MessageType type = MessageType::binary;
  Priority priority = Priority::low;
  bool in_memory = true;  // see ByteSource
  bool parked = false;    // cannot go on before its source or its credit says so

  static constexpr std::uint64_t kUnknownSize = ~std::uint64_t{0};
};

}  // namespace framed
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
  std::uint64_t frames_sent = 0;          ///< of framed mode, control frames among them
  std::uint64_t frames_received = 0;
};

/// Where the bytes are that a framed channel has sent or still has to: the three add up to all that its sends have
/// given it. Payload, counted since the channel was made.
struct Delivery {
  std::uint64_t acknowledged = 0;  ///< the other side's user has taken them: next() has returned them
  std::uint64_t in_doubt = 0;      ///< sent, and nothing was heard of them yet
  std::uint64_t unsent = 0;        ///< not sent yet, or taken back, or known to have been thrown away unread
};

/// How far flush() goes.
enum class FlushTo : std::uint8_t {
  transport,  ///< everything that was accepted is with the transport, nothing waits in the channel
  peer,       ///< the other side's user has taken everything
};

/// One send in progress; made by DataChannel::send*(), finished by co_await.
///
/// Ends when the transport accepted the message, waiting while more than send_high_water_mark bytes are buffered; sends
/// keep the order of their co_await. Errors: not_open, closed, message_too_large, send_queue_full, invalid_argument
/// (text that is not UTF-8), aborted, peer_lost, connection_closed, transport_error, loop_closed. Cancel safety:
/// destroyed before it was accepted it sends nothing, after that everything. No allocation.
///
/// On a framed channel a message is accepted when its last byte is in a frame; one that goes in parts and is destroyed
/// before is given up on both sides. Errors there also: timed_out and superseded (SendOptions), stopped (by the
/// receiver), protocol_error, what a ByteSource gave.
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
  friend class ByteSource;
  friend class DataChannel;
  friend class core::Channel;
  friend class core::framed::Framing;
  struct Deadline : detail::TimerNode {
    SendOperation* operation = nullptr;
  };
  SendOperation(core::ChannelReference channel, std::span<const std::byte> bytes, MessageType type,
                const SendOptions& options) noexcept;
  SendOperation(core::ChannelReference channel, Message&& message, const SendOptions& options) noexcept;
  SendOperation(core::ChannelReference channel, ByteSource& source, MessageType type,
                const SendOptions& options) noexcept;
  void enqueue() noexcept;

  core::framed::Outgoing waiter_;
  std::span<const std::byte> bytes_;  // borrowed until the end, unless message_ is used
  Message message_;
  MessageType type_ = MessageType::binary;
  bool owns_message_ = false;
  bool counted_ = false;  // among the channel's waiting sends
  Result<void> result_;
  SendOptions options_;
  Deadline deadline_;
};

/// A flush in progress; made by DataChannel::flush(). Destroying it changes nothing for what is sent. Errors:
/// unsupported, closed, and what broke the channel.
class [[nodiscard]] FlushOperation {
 public:
  FlushOperation(FlushOperation&& other) noexcept;
  ~FlushOperation();

  [[nodiscard]] bool await_ready();
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] Result<void> await_resume() noexcept { return std::move(result_); }

 private:
  friend class DataChannel;
  friend class core::framed::Framing;
  struct Waiter : core::ChannelWaiter {
    FlushOperation* operation = nullptr;
  };
  FlushOperation(core::ChannelReference channel, FlushTo goal) noexcept;
  void enqueue() noexcept;

  Waiter waiter_;
  FlushTo goal_;
  std::uint64_t sequence_ = 0;  // sends before this one are meant
  std::uint64_t messages_ = 0;  // once they are in frames: how many were, in batches
  std::uint64_t parts_ = 0;     // and in parts
  bool in_frames_ = false;
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
  [[nodiscard]] SendOperation send_bytes(std::span<const std::byte> bytes, const SendOptions& options = {}) noexcept;
  /// Sends one text message; `text` is UTF-8, may contain NUL, and is borrowed until the operation ends.
  [[nodiscard]] SendOperation send_text(std::string_view text, const SendOptions& options = {}) noexcept;
  /// Sends a message, also one just received: forwarded without a copy where the home allows it. Takes the message.
  [[nodiscard]] SendOperation send(Message&& message, const SendOptions& options = {}) noexcept;
  /// Sends one message of any size whose bytes come from `source`, which is borrowed until the operation ends. Framed
  /// channels only: unsupported on others, and with batches_only. Text has to be UTF-8 as a whole; it is not checked.
  [[nodiscard]] SendOperation send_from(ByteSource& source, MessageType type = MessageType::binary,
                                        const SendOptions& options = {}) noexcept;

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

  /// The messages of a framed channel as they begin, to be read in parts; wdc/incoming_message.h. Ends at once with
  /// consumer_busy, or unsupported on other channels.
  [[nodiscard]] IncomingStream incoming_messages() noexcept;

  /// Resumes when the channel is open.
  [[nodiscard]] OpenOperation wait_open() noexcept;
  /// Sends what is collected for the present turn's end now, and ends when everything sent before it is where `goal`
  /// says. Framed channels only: unsupported on others; FlushTo::peer also with batches_only.
  [[nodiscard]] FlushOperation flush(FlushTo goal = FlushTo::transport) noexcept;

  /// Sends what waits, then closes, and ends when the channel has closed on both sides. No new send is accepted from
  /// the call on; readers still get what is queued, then a clean end. After `timeout` (default:
  /// FlowOptions::close_timeout) the channel is aborted and the result is timed_out. Result: also what broke before
  /// everything was handed over. On a framed channel success means that the other side's user has taken everything;
  /// `unread` that it closed without; delivery() then has the numbers.
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
  /// True for a channel whose protocol names framed mode (docs/framed.md).
  [[nodiscard]] bool framed() const noexcept;
  /// What became of the bytes that were sent; also after the channel's end. All zero unless framed(), and with
  /// batches_only, where nothing is ever acknowledged, only in_doubt and unsent.
  [[nodiscard]] Delivery delivery() const noexcept;
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
