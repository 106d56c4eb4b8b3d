// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>
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
    ++used_;
    if (!free_.empty()) {
      const Index index = free_.back();
      free_.pop_back();
      return index;
    }
    if (next_ == pages_.size() * kPageSize) {  // twice as many, so that this is rare
      for (std::size_t more = pages_.empty() ? 1 : pages_.size(); more > 0; --more)
        pages_.push_back(std::make_unique<T[]>(kPageSize));
    }
    return next_++;
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
  static constexpr Index kPageSize = 64;
  std::vector<std::unique_ptr<T[]>> pages_;
  std::vector<Index> free_;
  Index next_ = 0;
  std::size_t used_ = 0;
};

}  // namespace wdc::sctp
