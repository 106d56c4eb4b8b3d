// SPDX-License-Identifier: MIT
#include "src/browser/buffer_pool.h"

#include <bit>
#include <cstdlib>
#include <new>

namespace wdc::browser {

namespace {

constexpr std::size_t class_of(std::size_t size) {
  const auto payload = size > BufferPool::kSlackFrom ? size - BufferPool::kSlack : size;
  const auto last = payload <= BufferPool::kSmallest ? 0 : (payload - 1) / BufferPool::kSmallest;
  return static_cast<std::size_t>(std::bit_width(last));
}
constexpr std::size_t bytes_of(std::size_t index) {
  const auto power = BufferPool::kSmallest << index;
  return power < BufferPool::kSlackFrom ? power : power + BufferPool::kSlack;
}
static_assert(class_of(0) == 0 && class_of(64) == 0 && class_of(65) == 1 && class_of(128) == 1 && class_of(129) == 2);
static_assert(class_of(BufferPool::kLargest) == 12);
static_assert(class_of(65'536 + 32) == 10 && class_of(65'536 + 64) == 10 && class_of(65'536 + 65) == 11);

/// Every size fits its class, and not the one below.
constexpr bool fits(std::size_t size) {
  const auto index = class_of(size);
  return size <= bytes_of(index) && (index == 0 || size > bytes_of(index - 1));
}
constexpr bool edges_fit() {
  for (std::size_t index = 0; index < 12; ++index)
    if (!fits(bytes_of(index)) || !fits(bytes_of(index) + 1)) return false;
  return fits(BufferPool::kSlackFrom) && fits(BufferPool::kSlackFrom + 1) && fits(BufferPool::kLargest);
}
static_assert(edges_fit());

}  // namespace

std::byte* BufferPool::take(std::size_t size) noexcept {
  if (size > kLargest) return static_cast<std::byte*>(std::malloc(size));
  const auto index = class_of(size);
  if (Free* found = free_[index]) {
    free_[index] = found->next;
    retained_ -= bytes_of(index);
    return reinterpret_cast<std::byte*>(found);
  }
  return static_cast<std::byte*>(std::malloc(bytes_of(index)));
}

void BufferPool::give(std::byte* buffer, std::size_t size) noexcept {
  const auto index = class_of(size);
  if (size > kLargest || retained_ + bytes_of(index) > kRetainedBytes) return std::free(buffer);
  retained_ += bytes_of(index);
  free_[index] = new (buffer) Free{free_[index]};
}

}  // namespace wdc::browser
