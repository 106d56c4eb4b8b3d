// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace wdc::sctp {

/// Objects named by small numbers that stay where they are and are used again.
template <class T>
class Slab {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = std::numeric_limits<Index>::max();

  /// The object keeps whatever it held when it was last given back.
  [[nodiscard]] Index take() {
    // Long before the last one: a load that varies soon needs no memory.
    if (4 * ++used_ > 3 * places()) reserve(std::max(2 * places(), kPageSize));
    if (!free_.empty()) {
      const Index index = free_.back();
      free_.pop_back();
      return index;
    }
    return next_++;
  }
  /// Room for so many at once, and for giving them back.
  void reserve(std::size_t count) {
    while (places() < count) pages_.push_back(std::make_unique<T[]>(kPageSize));
    free_.reserve(places());
  }
  void give_back(Index index) {
    assert(used_ > 0);
    --used_;
    free_.push_back(index);
  }
  [[nodiscard]] T& operator[](Index index) { return pages_[index / kPageSize][index % kPageSize]; }
  [[nodiscard]] const T& operator[](Index index) const { return pages_[index / kPageSize][index % kPageSize]; }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  static constexpr std::size_t kPageSize = 16;
  [[nodiscard]] std::size_t places() const { return pages_.size() * kPageSize; }

  std::vector<std::unique_ptr<T[]>> pages_;
  std::vector<Index> free_;
  Index next_ = 0;
  std::size_t used_ = 0;
};

}  // namespace wdc::sctp
