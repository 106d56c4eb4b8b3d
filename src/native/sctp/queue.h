// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace wdc::sctp {

/// First in, first out, in a ring that grows in large steps and is then used again.
template <class T>
class Queue {
 public:
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }
  void push(T value) {
    if (count_ == slots_.size()) grow();
    slots_[(first_ + count_) & (slots_.size() - 1)] = std::move(value);
    ++count_;
  }
  [[nodiscard]] T& front() {
    assert(count_ > 0);
    return slots_[first_];
  }
  [[nodiscard]] T pop() {
    assert(count_ > 0);
    T value = std::move(slots_[first_]);
    first_ = (first_ + 1) & (slots_.size() - 1);
    --count_;
    return value;
  }
  void clear() {
    while (!empty()) static_cast<void>(pop());
  }
  /// Room for so many at once.
  void reserve(std::size_t count) {
    if (slots_.size() < count) grow_to(std::bit_ceil(count));
  }

 private:
  void grow() { grow_to(slots_.empty() ? 16 : slots_.size() * 4); }
  void grow_to(std::size_t size) {
    std::vector<T> larger(size);
    for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move(slots_[(first_ + i) & (slots_.size() - 1)]);
    slots_ = std::move(larger);
    first_ = 0;
  }

  std::vector<T> slots_;  // a power of two of them, or none
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace wdc::sctp
