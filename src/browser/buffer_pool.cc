// SPDX-License-Identifier: MIT
#include "src/browser/buffer_pool.h"

#include <bit>
#include <cstdlib>
#include <new>

namespace wdc::browser {

namespace {

constexpr std::size_t class_of(std::size_t size) {
  const auto last = size <= BufferPool::kSmallest ? 0 : (size - 1) / BufferPool::kSmallest;
  return static_cast<std::size_t>(std::bit_width(last));
}
static_assert(class_of(0) == 0 && class_of(64) == 0 && class_of(65) == 1 && class_of(128) == 1 && class_of(129) == 2);
static_assert(class_of(BufferPool::kLargest) == 12);

}  // namespace

std::byte* BufferPool::take(std::size_t size) noexcept {
  if (size > kLargest) return static_cast<std::byte*>(std::malloc(size));
  const auto index = class_of(size);
  if (Free* found = free_[index]) {
    free_[index] = found->next;
    retained_ -= kSmallest << index;
    return reinterpret_cast<std::byte*>(found);
  }
  return static_cast<std::byte*>(std::malloc(kSmallest << index));
}

void BufferPool::give(std::byte* buffer, std::size_t size) noexcept {
  const auto index = class_of(size);
  if (size > kLargest || retained_ + (kSmallest << index) > kRetainedBytes) return std::free(buffer);
  retained_ += kSmallest << index;
  free_[index] = new (buffer) Free{free_[index]};
}

}  // namespace wdc::browser
