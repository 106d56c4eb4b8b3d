// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "wdc/message.h"

namespace wdc::core {

/// How homes make messages and take them apart.
class MessageAccess {
 public:
  /// A message over `token`, which `source` will be asked to release. Adds a reference to `source`. `size` is not 0: an
  /// empty message needs no source, see empty().
  [[nodiscard]] static Message make(MessageSource& source, std::uintptr_t token, std::size_t size,
                                    MessageType type) noexcept {
    Message message;
    source.add_reference();
    message.source_ = &source;
    message.token_ = token;
    message.size_ = size;
    message.type_ = type;
    return message;
  }
  /// The same for bytes that are in memory already; the token is their address.
  [[nodiscard]] static Message make_materialised(MessageSource& source, const std::byte* bytes, std::size_t size,
                                                 MessageType type) noexcept {
    Message message = make(source, reinterpret_cast<std::uintptr_t>(bytes), size, type);
    message.data_ = bytes;
    return message;
  }
  [[nodiscard]] static Message empty(MessageType type) noexcept {
    Message message;
    message.type_ = type;
    return message;
  }
  /// Null for an empty message.
  [[nodiscard]] static MessageSource* source(const Message& message) noexcept { return message.source_; }
  [[nodiscard]] static std::uintptr_t token(const Message& message) noexcept { return message.token_; }
  /// True once the bytes have been fetched into memory.
  [[nodiscard]] static bool materialised(const Message& message) noexcept { return message.data_ != nullptr; }
  /// The home has taken the token: the message becomes empty and its source is not asked to release anything.
  static void forget_token(Message& message) noexcept {
    if (message.source_ != nullptr) message.source_->drop_reference();
    message.source_ = nullptr;
    message.data_ = nullptr;
    message.token_ = 0;
    message.size_ = 0;
  }
};

}  // namespace wdc::core
