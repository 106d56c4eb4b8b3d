// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "src/core/message_access.h"
#include "src/native/sctp/buffer_pool.h"
#include "src/native/sctp/payload.h"

namespace wdc::native {

/// Who is told that a user has done with a message: its connection's receive window, while there is one.
class WindowAccount {
 public:
  using Consumed = void (*)(void* owner, std::size_t bytes) noexcept;
  WindowAccount(void* owner, Consumed tell) : owner_(owner), consumed_(tell) {}
  void add_reference() noexcept { ++references_; }
  void drop_reference() noexcept {
    if (--references_ == 0) delete this;
  }
  /// The connection is gone.
  void close() noexcept { consumed_ = nullptr; }
  void consumed(std::size_t bytes) noexcept {
    if (consumed_ != nullptr) consumed_(owner_, bytes);
  }

 private:
  ~WindowAccount() = default;
  void* owner_;
  Consumed consumed_;
  std::size_t references_ = 1;
};

/// The memory of one loop's messages: what came, and what waits to be acknowledged. Lives as long as any of them.
class MessageMemory final : public core::MessageSource {
 public:
  MessageMemory() = default;

  [[nodiscard]] sctp::BufferPool& buffers() { return buffers_; }
  /// A received message. `charge` is told to the account when the user has destroyed it. REQUIRES: size() > 0.
  [[nodiscard]] Message make(sctp::Buffer&& buffer, MessageType type, WindowAccount& account, std::size_t charge);
  /// A copy that lives until the peer has acknowledged it. Keeps this alive.
  [[nodiscard]] sctp::Payload copy(std::span<const std::byte> bytes);

  const std::byte* materialise(std::uintptr_t& token, std::size_t size) override;
  void release(std::uintptr_t token, std::size_t size, bool materialised) noexcept override;

 private:
  struct Node {
    sctp::Buffer buffer;
    WindowAccount* account = nullptr;
    std::size_t charge = 0;
    MessageMemory* memory = nullptr;  // of a payload
    Node* next_free = nullptr;
  };

  ~MessageMemory() override = default;
  void destroy() noexcept override { delete this; }
  [[nodiscard]] Node* take_node();
  void give_back(Node* node) noexcept;

  sctp::BufferPool buffers_;
  std::vector<std::unique_ptr<Node[]>> pages_;
  Node* free_ = nullptr;
  std::size_t nodes_ = 0;
  std::size_t nodes_in_use_ = 0;
};

}  // namespace wdc::native
