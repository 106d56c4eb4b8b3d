// SPDX-License-Identifier: MIT
#include "src/core/timer_heap.h"

namespace wdc::core {

using detail::TimerNode;

void TimerHeap::push(TimerNode& timer, Loop& loop, TimePoint deadline) {
  timer.loop_ = &loop;
  timer.deadline_ = deadline;
  timer.sequence_ = next_sequence_++;
  nodes_.push_back(&timer);
  sift_up(timer, nodes_.size() - 1);
}

void TimerHeap::remove(TimerNode& timer) noexcept {
  const std::size_t hole = timer.index_;
  TimerNode& last = *nodes_.back();
  nodes_.pop_back();
  timer.loop_ = nullptr;
  if (&last == &timer) return;
  if (hole > 0 && before(last, *nodes_[(hole - 1) / 2]))
    sift_up(last, hole);
  else
    sift_down(last, hole);
}

TimerNode* TimerHeap::pop_due(TimePoint now) noexcept {
  if (nodes_.empty() || nodes_.front()->deadline_ > now) return nullptr;
  TimerNode* first = nodes_.front();
  remove(*first);
  return first;
}

std::optional<TimePoint> TimerHeap::deadline() const noexcept {
  if (nodes_.empty()) return std::nullopt;
  return nodes_.front()->deadline_;
}

void TimerHeap::clear() noexcept {
  for (TimerNode* timer : nodes_) timer->loop_ = nullptr;
  nodes_.clear();
}

bool TimerHeap::before(const TimerNode& a, const TimerNode& b) noexcept {
  return a.deadline_ != b.deadline_ ? a.deadline_ < b.deadline_ : a.sequence_ < b.sequence_;
}

void TimerHeap::place(TimerNode& timer, std::size_t index) noexcept {
  nodes_[index] = &timer;
  timer.index_ = index;
}

void TimerHeap::sift_up(TimerNode& timer, std::size_t index) noexcept {
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!before(timer, *nodes_[parent])) break;
    place(*nodes_[parent], index);
    index = parent;
  }
  place(timer, index);
}

void TimerHeap::sift_down(TimerNode& timer, std::size_t index) noexcept {
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= nodes_.size()) break;
    if (child + 1 < nodes_.size() && before(*nodes_[child + 1], *nodes_[child])) ++child;
    if (!before(*nodes_[child], timer)) break;
    place(*nodes_[child], index);
    index = child;
  }
  place(timer, index);
}

}  // namespace wdc::core
