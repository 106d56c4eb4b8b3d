// SPDX-License-Identifier: MIT
#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <utility>

#include "wdc/data_channel.h"
#include "wdc/error.h"
#include "wdc/message.h"

namespace wdc {

class IncomingMessage;
class IncomingStream;

namespace core::framed {
class Framing;
class Incoming;
}  // namespace core::framed

/// The next piece of a message; made by IncomingMessage::next_part(). Destroying it loses nothing.
class [[nodiscard]] PartOperation {
 public:
  PartOperation(PartOperation&& other) noexcept;
  ~PartOperation();

  [[nodiscard]] bool await_ready() const noexcept;
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] std::optional<Message> await_resume();

 private:
  friend class IncomingMessage;
  explicit PartOperation(IncomingMessage& message) noexcept : message_(&message) {}
  void enqueue() noexcept;
  core::ChannelWaiter waiter_;
  IncomingMessage* message_;
};

/// The whole message; made by IncomingMessage::whole(). Destroying it stops nothing: whole() may be called again.
class [[nodiscard]] WholeOperation {
 public:
  WholeOperation(WholeOperation&& other) noexcept;
  ~WholeOperation();

  [[nodiscard]] bool await_ready() const noexcept;
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] Result<Message> await_resume();

 private:
  friend class IncomingMessage;
  explicit WholeOperation(IncomingMessage& message) noexcept : message_(&message) {}
  void enqueue() noexcept;
  core::ChannelWaiter waiter_;
  IncomingMessage* message_;
};

/// A message of a framed channel that may still be on its way: read it in parts while they come, in little memory
/// whatever its size, or whole. Any number may be read side by side; one that is not read holds no other up. Destroying
/// it before its end is stop(). May outlive the DataChannel. REQUIRES: not moved or destroyed while an operation waits,
/// and only one waits at a time.
class [[nodiscard]] IncomingMessage {
 public:
  IncomingMessage(IncomingMessage&& other) noexcept;
  IncomingMessage& operator=(IncomingMessage&& other) noexcept;
  ~IncomingMessage();

  [[nodiscard]] MessageType type() const noexcept { return type_; }
  /// In bytes, if its sender knew it at the start. A claim of the sender's until the end has come.
  [[nodiscard]] std::optional<std::uint64_t> size() const noexcept { return size_; }

  /// The next bytes in order, as many as came in one frame (up to 256 KiB), or nullopt at the end: see
  /// end_reason(). A part of a text may end inside a character.
  [[nodiscard]] PartOperation next_part() noexcept { return PartOperation(*this); }
  /// The part without waiting: would_block if there is none yet, closed at the good end, otherwise what broke.
  [[nodiscard]] Result<Message> try_next_part();
  /// Everything from the first byte that was not read yet. Errors: message_too_large (FramedOptions::max_message_size;
  /// its sender is told the same), and those of end_reason().
  [[nodiscard]] WholeOperation whole() noexcept { return WholeOperation(*this); }
  /// The rest is not wanted: its sender stops, and its send gives `stopped`.
  void stop() noexcept;
  /// Success before the end and at a good end; otherwise cancelled (the sender gave the message up), stopped (by
  /// this side), message_too_large, or what broke the channel.
  [[nodiscard]] Result<void> end_reason() const;

 private:
  friend class IncomingStream;
  friend class IncomingOperation;
  friend class PartOperation;
  friend class WholeOperation;
  friend class core::framed::Framing;
  IncomingMessage(core::ChannelReference channel, core::framed::Incoming& incoming) noexcept;
  explicit IncomingMessage(Message&& message) noexcept;

  core::ChannelReference channel_;
  core::framed::Incoming* incoming_ = nullptr;  // null: it is message_, or nothing
  Message message_;                             // came whole, in one frame
  bool unread_ = false;                         // message_ was not given out
  MessageType type_ = MessageType::binary;
  std::optional<std::uint64_t> size_;
};

/// The next message that has begun; made by IncomingStream::next(). Destroying it loses nothing.
class [[nodiscard]] IncomingOperation {
 public:
  IncomingOperation(IncomingOperation&& other) noexcept;
  ~IncomingOperation();

  [[nodiscard]] bool await_ready() const noexcept;
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(waiter_, caller);
    enqueue();
  }
  [[nodiscard]] std::optional<IncomingMessage> await_resume();

 private:
  friend class IncomingStream;
  explicit IncomingOperation(core::ChannelReference channel) noexcept;
  void enqueue() noexcept;
  core::ChannelWaiter waiter_;
};

/// The messages of a framed channel as they begin, in the order of their starts: what MessageStream is for whole
/// messages, with the same rules. A channel has one of the two at a time.
class [[nodiscard]] IncomingStream {
 public:
  IncomingStream(IncomingStream&& other) noexcept;
  IncomingStream& operator=(IncomingStream&& other) noexcept;
  ~IncomingStream();

  [[nodiscard]] IncomingOperation next() noexcept;
  /// As MessageStream::end_reason(); also unsupported: the channel is not framed.
  [[nodiscard]] Result<void> end_reason() const;

 private:
  friend class DataChannel;
  explicit IncomingStream(core::ChannelReference channel, std::optional<Errc> refused) noexcept;
  core::ChannelReference channel_;
  std::optional<Errc> refused_;
};

}  // namespace wdc
