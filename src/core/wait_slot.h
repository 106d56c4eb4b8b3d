// SPDX-License-Identifier: MIT
#pragma once

#include "src/core/loop.h"
#include "wdc/event_loop.h"

namespace wdc::core {

/// Room for one waiting operation. It keeps the slot until it has been resumed or destroyed, so that another one cannot
/// take what it was woken for.
class WaitSlot {
 public:
  [[nodiscard]] bool taken_by_other(const detail::WaitNode& node) const noexcept {
    return owner_ != nullptr && owner_ != &node;
  }
  void wait(detail::WaitNode& node) noexcept {
    owner_ = &node;
    waiting_.push_back(node);
  }
  void leave(const detail::WaitNode& node) noexcept {
    if (owner_ == &node) owner_ = nullptr;
  }
  void wake(Loop& loop) noexcept {
    if (auto* node = waiting_.front()) loop.make_ready(*node);
  }
  [[nodiscard]] detail::WaitNode* waiting() noexcept { return waiting_.front(); }

 private:
  detail::WaitList waiting_;
  const detail::WaitNode* owner_ = nullptr;
};

}  // namespace wdc::core
