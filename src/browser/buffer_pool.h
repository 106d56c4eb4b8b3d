// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

namespace wdc::browser {

/// Buffers in linear memory for messages whose bytes were fetched: lists of free ones by size, so that once warm
/// nothing is allocated. Powers of two, because message sizes of one program lie close together; the larger ones with
/// some slack, because a round size comes with the head of its frame.
class BufferPool {
 public:
  static constexpr std::size_t kSmallest = 64;
  static constexpr std::size_t kSlack = 64;
  static constexpr std::size_t kSlackFrom = 4'096;
  /// The largest message that Chromium accepts; larger ones are allocated each time.
  static constexpr std::size_t kLargest = std::size_t{256} << 10;
  /// Bytes that are kept for later. As many of the largest as a program works on at once, no more: memory never
  /// shrinks.
  static constexpr std::size_t kRetainedBytes = std::size_t{2} << 20;

  /// At least `size` bytes; null if memory is exhausted.
  [[nodiscard]] std::byte* take(std::size_t size) noexcept;
  /// Gives back what take(size) gave.
  void give(std::byte* buffer, std::size_t size) noexcept;

 private:
  struct Free {
    Free* next;
  };
  static constexpr std::size_t kClasses = 13;
  static_assert(kSmallest << (kClasses - 1) == kLargest);

  std::array<Free*, kClasses> free_{};
  std::size_t retained_ = 0;
};

}  // namespace wdc::browser
