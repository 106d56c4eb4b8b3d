// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace wdc {

namespace core {

class MessageAccess;

/// Where the bytes of a message live until someone looks: the host's slot table in the browser, a pooled buffer
/// natively. Reference-counted (single-threaded) so that messages may outlive the loop that delivered them.
class MessageSource {
 public:
  MessageSource() = default;
  MessageSource(const MessageSource&) = delete;
  MessageSource& operator=(const MessageSource&) = delete;

  /// Makes the bytes of `token` readable. May change `token` (a slot becomes a pooled buffer). The result stays valid
  /// until release(token). Null on memory exhaustion.
  virtual const std::byte* materialise(std::uintptr_t& token, std::size_t size) = 0;
  /// Gives the token back. Called exactly once a message, unless the message was forwarded.
  virtual void release(std::uintptr_t token, std::size_t size, bool materialised) noexcept = 0;

  void add_reference() noexcept { ++references_; }
  void drop_reference() noexcept {
    if (--references_ == 0) destroy();
  }

 protected:
  virtual ~MessageSource() = default;
  /// The last reference is gone.
  virtual void destroy() noexcept = 0;

 private:
  std::size_t references_ = 1;
};

}  // namespace core

enum class MessageType : std::uint8_t { binary, text };

/// One message of a data channel, move-only. Owns its bytes; a received message may still hold them outside of linear
/// memory until bytes() or text() is first called ("messages are handles until someone looks").
///
/// Thread: the one of the loop that delivered it. May outlive the channel and the loop.
class Message {
 public:
  /// An empty binary message.
  Message() noexcept = default;
  Message(Message&& other) noexcept;
  Message& operator=(Message&& other) noexcept;
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message();

  /// A binary message with a copy of `bytes`.
  [[nodiscard]] static Message binary(std::span<const std::byte> bytes);
  /// A text message with a copy of `text`. REQUIRES: valid UTF-8 (checked when sent); NUL bytes are ordinary text.
  [[nodiscard]] static Message text(std::string_view text);
  /// A message of `size` zeroed bytes to be filled through writable_bytes(): the way to send without an extra copy.
  /// Empty if memory is exhausted, as are the messages of binary() and text().
  [[nodiscard]] static Message with_size(std::size_t size, MessageType type = MessageType::binary);

  [[nodiscard]] MessageType type() const noexcept { return type_; }
  [[nodiscard]] bool is_text() const noexcept { return type_ == MessageType::text; }
  /// In bytes (UTF-8 for text). Costs nothing: the bytes are not fetched.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// The bytes, fetched (copied once) on the first call. Valid until the message is destroyed, moved from or sent.
  /// Empty if memory is exhausted.
  [[nodiscard]] std::span<const std::byte> bytes() const;
  /// The same bytes as text, with an explicit length: may contain NUL.
  [[nodiscard]] std::string_view as_text() const;
  /// Writable bytes of a message made by with_size(), binary() or text(); of a received one after fetching it.
  [[nodiscard]] std::span<std::byte> writable_bytes();

 private:
  friend class core::MessageAccess;
  void reset() noexcept;

  mutable const std::byte* data_ = nullptr;  // null until materialised
  core::MessageSource* source_ = nullptr;    // null: empty message
  mutable std::uintptr_t token_ = 0;
  std::size_t size_ = 0;
  MessageType type_ = MessageType::binary;
};

}  // namespace wdc
