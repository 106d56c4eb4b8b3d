// SPDX-License-Identifier: MIT
#include "src/core/post_queue.h"

#include <utility>

namespace wdc::core {

using detail::Posted;

Result<bool> PostQueue::push(std::unique_ptr<Posted> function) noexcept {
  if (count_.fetch_add(1, std::memory_order_relaxed) >= kLimit) {
    count_.fetch_sub(1, std::memory_order_relaxed);
    return wdc::fail(Errc::post_queue_full, kLimit, kLimit);
  }
  Posted* node = function.release();
  Posted* head = pushed_.load(std::memory_order_relaxed);
  do {
    node->next = head;
  } while (!pushed_.compare_exchange_weak(head, node, std::memory_order_release, std::memory_order_relaxed));
  return head == nullptr;
}

std::unique_ptr<Posted> PostQueue::pop() noexcept {
  if (taken_ == nullptr) take_pushed();
  if (taken_ == nullptr) return nullptr;
  std::unique_ptr<Posted> first(std::exchange(taken_, taken_->next));
  count_.fetch_sub(1, std::memory_order_relaxed);
  return first;
}

bool PostQueue::empty() const noexcept {
  return taken_ == nullptr && pushed_.load(std::memory_order_relaxed) == nullptr;
}

void PostQueue::clear() noexcept {
  while (pop()) {
  }
}

void PostQueue::take_pushed() noexcept {
  Posted* newest = pushed_.exchange(nullptr, std::memory_order_acquire);
  while (newest != nullptr) {
    Posted* older = std::exchange(newest->next, taken_);
    taken_ = std::exchange(newest, older);
  }
}

}  // namespace wdc::core
