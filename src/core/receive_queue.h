// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "wdc/message.h"
#include "wdc/options.h"

namespace wdc::core {

/// Unread messages, first in, first out. A ring that doubles up to the limit and is then reused: no allocation once
/// warm.
class ReceiveQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t messages() const noexcept { return count_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  void push(Message&& message);
  /// Lets `message` be the only one for as long as it takes to call a reader: what it pops then has never been in the
  /// ring. REQUIRES: empty; keep_lent() follows while `message` is there.
  void lend(Message& message) {
    if (capacity_ == 0) grow();  // the ring is wanted sooner or later: better while a program warms up
    lent_ = &message;
    count_ = 1;
    bytes_ = message.size();
  }
  /// Puts a lent message that nobody has popped into the ring.
  void keep_lent() {
    if (lent_ != nullptr) [[unlikely]]
      take_lent();
  }
  /// Nothing if it is empty.
  [[nodiscard]] std::optional<Message> pop() noexcept;
  /// Drops the messages, and the ring with them.
  void clear() noexcept;

 private:
  void grow();
  void take_lent();

  Message* lent_ = nullptr;
  std::unique_ptr<Message[]> ring_;
  std::size_t capacity_ = 0;  // a power of two, or 0
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace wdc::core
