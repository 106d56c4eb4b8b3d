// SPDX-License-Identifier: MIT
#include "src/native/sctp/buffer_pool.h"

#include <algorithm>
#include <bit>
#include <new>

namespace wdc::sctp {

BufferPool::~BufferPool() {
  for (FreeBlock* block : free_) {
    while (block != nullptr) ::operator delete(std::exchange(block, block->next));
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
    return {this, static_cast<std::byte*>(::operator new(size_of(wanted))), size_of(wanted)};
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
  if (free_[index] == nullptr) return {this, static_cast<std::byte*>(::operator new(size)), size};
  FreeBlock* const block = std::exchange(free_[index], free_[index]->next);
  retained_ -= size;
  --spare_[index];
  return {this, reinterpret_cast<std::byte*>(block), size};
}

/// A few of every usual size, so that one that has not been seen yet costs nothing later.
void BufferPool::take_first() {
  for (std::size_t index = 0; size_of(index) <= kMedium; ++index)
    add(index, size_of(index) <= kSmall ? kFirstSmall : kFirstMedium);
}

/// No more of a size than half of what is kept when none is in use: the rest would be taken and given up again and
/// again.
void BufferPool::add(std::size_t index, std::size_t count) {
  const std::size_t size = size_of(index);
  for (; count > 0 && retained_ + size <= retained_limit_; --count) {
    if ((in_use_[index] + spare_[index] + 1) * size > retained_limit_ / 2) return;
    retained_ += size;
    ++spare_[index];
    free_[index] = ::new (::operator new(size)) FreeBlock{free_[index]};
  }
}

void BufferPool::give_back(std::byte* data, std::size_t capacity) noexcept {
  used_ -= capacity;
  const std::size_t index = class_of(capacity);
  if (index < kClasses) --in_use_[index];
  if (index >= kClasses || retained_ + capacity > retained_limit_) {
    ::operator delete(data);
    return;
  }
  retained_ += capacity;
  ++spare_[index];
  free_[index] = ::new (data) FreeBlock{free_[index]};
}

}  // namespace wdc::sctp
