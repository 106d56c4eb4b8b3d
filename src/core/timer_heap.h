// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wdc/event_loop.h"

namespace wdc::core {

/// Armed timers by deadline, those of one deadline in the order they were armed. A binary heap of nodes that live in
/// their owners; allocates only when more timers are armed than ever before.
class TimerHeap {
 public:
  void push(detail::TimerNode& timer, Loop& loop, TimePoint deadline);
  void remove(detail::TimerNode& timer) noexcept;
  /// Takes the first timer out if its deadline is `now` or earlier.
  [[nodiscard]] detail::TimerNode* pop_due(TimePoint now) noexcept;
  [[nodiscard]] std::optional<TimePoint> deadline() const noexcept;
  /// Disarms all.
  void clear() noexcept;

 private:
  [[nodiscard]] static bool before(const detail::TimerNode& a, const detail::TimerNode& b) noexcept;
  void place(detail::TimerNode& timer, std::size_t index) noexcept;
  void sift_up(detail::TimerNode& timer, std::size_t index) noexcept;
  void sift_down(detail::TimerNode& timer, std::size_t index) noexcept;

  std::vector<detail::TimerNode*> nodes_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace wdc::core
