// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/native/sctp/numbers.h"

namespace wdc::sctp {

/// One value for each of 65,536 streams, in pages that exist once one of their streams was used.
template <class T>
class PagedArray {
 public:
  [[nodiscard]] T& operator[](StreamId stream) {
    const std::size_t index = stream.value() / kPageSize;
    if (index >= pages_.size()) pages_.resize(index + 1);
    auto& page = pages_[index];
    if (page == nullptr) page = std::make_unique<Page>();
    return (*page)[stream.value() % kPageSize];
  }
  /// Null where no stream of its page was used yet.
  [[nodiscard]] T* find(StreamId stream) {
    const std::size_t index = stream.value() / kPageSize;
    return index >= pages_.size() || pages_[index] == nullptr ? nullptr : &(*pages_[index])[stream.value() % kPageSize];
  }
  [[nodiscard]] const T* find(StreamId stream) const {
    const std::size_t index = stream.value() / kPageSize;
    return index >= pages_.size() || pages_[index] == nullptr ? nullptr : &(*pages_[index])[stream.value() % kPageSize];
  }
  /// Calls `visit(StreamId, T&)` for every stream whose page exists.
  template <class Visit>
  void for_each(Visit visit) {
    for (std::size_t page = 0; page < pages_.size(); ++page) {
      if (pages_[page] == nullptr) continue;
      for (std::size_t i = 0; i < kPageSize; ++i) {
        visit(StreamId(static_cast<std::uint16_t>(page * kPageSize + i)), (*pages_[page])[i]);
      }
    }
  }

 private:
  static constexpr std::size_t kPageSize = 64;
  using Page = std::array<T, kPageSize>;
  std::vector<std::unique_ptr<Page>> pages_;  // up to the last one that exists
};

}  // namespace wdc::sctp
