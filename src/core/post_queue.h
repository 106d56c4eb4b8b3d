// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "wdc/error.h"
#include "wdc/event_loop.h"

namespace wdc::core {

/// Functions on their way from any thread to the loop's: many writers, one reader, no lock. Writers push onto a stack
/// with one compare-and-swap; the reader takes the whole stack and turns it round, so functions run in the order they
/// came.
class PostQueue {
 public:
  /// Functions that may wait at once: what a burst from a busy producer needs, at about 64 bytes each.
  static constexpr std::size_t kLimit = 65'536;

  PostQueue() = default;
  PostQueue(const PostQueue&) = delete;
  PostQueue& operator=(const PostQueue&) = delete;
  ~PostQueue() { clear(); }

  /// From any thread. True if the reader has to be woken: nothing was waiting for it before.
  [[nodiscard]] Result<bool> push(std::unique_ptr<detail::Posted> function) noexcept;
  /// Loop's thread. The oldest function, or null.
  [[nodiscard]] std::unique_ptr<detail::Posted> pop() noexcept;
  [[nodiscard]] bool empty() const noexcept;
  void clear() noexcept;

 private:
  void take_pushed() noexcept;

  std::atomic<detail::Posted*> pushed_{nullptr};  // newest first
  std::atomic<std::size_t> count_{0};
  detail::Posted* taken_ = nullptr;  // oldest first; the reader's own
};

}  // namespace wdc::core
