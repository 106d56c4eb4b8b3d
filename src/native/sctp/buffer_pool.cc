// SPDX-License-Identifier: MIT
#include "src/native/sctp/buffer_pool.h"

#include <algorithm>
#include <bit>
#include <new>

namespace wdc::sctp {

BufferPool::~BufferPool() {
  for (FreeBlock* block : free_) {
    while (block != nullptr) {
      FreeBlock* const next = block->next;
      if (!block->is_of_slab) ::operator delete(block);
      block = next;
    }
  }
}

std::size_t BufferPool::class_of(std::size_t capacity) {
  const auto bits = static_cast<std::size_t>(std::bit_width(std::max<std::size_t>(capacity, 1) - 1));
  return std::max(bits, kSmallestShift) - kSmallestShift;
}

Buffer BufferPool::take(std::size_t capacity) {
  if (!std::exchange(is_in_use_, true)) take_first();
  const std::size_t wanted = class_of(capacity);
  if (wanted >= kClasses) {
    used_ += size_of(wanted);
    return {this, static_cast<std::byte*>(::operator new(size_of(wanted))), size_of(wanted), false};
  }
  // Long before the last one is in use.
  const std::size_t blocks = in_use_[wanted] + spare_[wanted];
  if (size_of(wanted) <= kSmall && 4 * (in_use_[wanted] + 1) > 3 * blocks) add(wanted, std::max(blocks, kFirstSmall));
  std::size_t index = wanted;
  while (free_[index] == nullptr && size_of(index) < kMedium) ++index;
  if (free_[index] == nullptr) index = wanted;

  const std::size_t size = size_of(index);
  used_ += size;
  ++in_use_[index];
  if (free_[index] == nullptr) return {this, static_cast<std::byte*>(::operator new(size)), size, false};
  FreeBlock* const block = std::exchange(free_[index], free_[index]->next);
  const bool is_of_slab = block->is_of_slab;
  retained_ -= size;
  if (!is_of_slab) single_bytes_ -= size;
  --spare_[index];
  return {this, reinterpret_cast<std::byte*>(block), size, is_of_slab};
}

/// A few of every usual size, so that one that has not been seen yet costs nothing later.
void BufferPool::take_first() {
  for (std::size_t index = 0; size_of(index) <= kMedium; ++index)
    add(index, size_of(index) <= kSmall ? kFirstSmall : kFirstMedium);
}

/// Small ones as a slab. No more of a size than half of what is kept when none is in use: the rest would be taken and
/// given up again and again.
void BufferPool::add(std::size_t index, std::size_t count) {
  const std::size_t size = size_of(index);
  const std::size_t most = retained_limit_ / 2 / size;
  const std::size_t there = in_use_[index] + spare_[index];
  const std::size_t free = bound_bytes() < retained_limit_ ? (retained_limit_ - bound_bytes()) / size : 0;
  count = std::min({count, most - std::min(most, there), free});
  if (count == 0) return;
  if (size > kSmall) {
    for (; count > 0; --count) keep(static_cast<std::byte*>(::operator new(size)), index, false);
    return;
  }
  slabs_.push_back(std::make_unique_for_overwrite<std::byte[]>(count * size));
  slab_bytes_ += count * size;
  // The first of them in front.
  for (; count > 0; --count) keep(slabs_.back().get() + (count - 1) * size, index, true);
}

void BufferPool::keep(std::byte* data, std::size_t index, bool is_of_slab) noexcept {
  retained_ += size_of(index);
  if (!is_of_slab) single_bytes_ += size_of(index);
  ++spare_[index];
  free_[index] = ::new (data) FreeBlock{free_[index], is_of_slab};
}

void BufferPool::give_back(std::byte* data, std::size_t capacity, bool is_of_slab) noexcept {
  used_ -= capacity;
  const std::size_t index = class_of(capacity);
  if (index < kClasses) --in_use_[index];
  if (!is_of_slab && (index >= kClasses || bound_bytes() + capacity > retained_limit_)) {
    ::operator delete(data);
    return;
  }
  keep(data, index, is_of_slab);
}

}  // namespace wdc::sctp
