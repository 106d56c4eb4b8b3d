// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
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
    if (4 * ++used_ > 3 * places()) reserve(places() + 1);
    if (!free_.empty()) {
      const Index index = free_.back();
      free_.pop_back();
      return index;
    }
    return next_++;
  }
  /// Room for so many at once, and for giving them back.
  void reserve(std::size_t count) {
    while (places() < count) pages_.push_back(std::make_unique<T[]>(std::max(places(), kFirstPage)));
    free_.reserve(places());
  }
  void give_back(Index index) {
    assert(used_ > 0);
    --used_;
    free_.push_back(index);
  }
  [[nodiscard]] T& operator[](Index index) { return const_cast<T&>(std::as_const(*this)[index]); }
  [[nodiscard]] const T& operator[](Index index) const {
    const auto page = static_cast<std::size_t>(std::bit_width(index / kFirstPage));
    return pages_[page][index - places_in(page)];
  }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  static constexpr std::size_t kFirstPage = 16;
  /// In so many pages: every later one is as large as all before it.
  [[nodiscard]] static std::size_t places_in(std::size_t pages) { return pages == 0 ? 0 : kFirstPage << (pages - 1); }
  [[nodiscard]] std::size_t places() const { return places_in(pages_.size()); }

  std::vector<std::unique_ptr<T[]>> pages_;  // doubling, so that a burst of any length needs few of them
  std::vector<Index> free_;
  Index next_ = 0;
  std::size_t used_ = 0;
};

}  // namespace wdc::sctp
