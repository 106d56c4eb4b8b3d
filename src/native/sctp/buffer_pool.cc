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
  const std::size_t index = class_of(capacity);
  const std::size_t rounded = std::size_t{1} << (index + kSmallestShift);
  used_ += rounded;
  if (index < kClasses) {
    if (spare_[index] <= in_use_[index]) take_in_advance(index);
    ++in_use_[index];
  }
  if (index < kClasses && free_[index] != nullptr) {
    FreeBlock* const block = std::exchange(free_[index], free_[index]->next);
    retained_ -= rounded;
    --spare_[index];
    return {this, reinterpret_cast<std::byte*>(block), rounded};
  }
  return {this, static_cast<std::byte*>(::operator new(rounded)), rounded};
}

void BufferPool::take_in_advance(std::size_t index) {
  const std::size_t size = std::size_t{1} << (index + kSmallestShift);
  if (size > kLargestInAdvance) return;
  for (std::size_t count = in_use_[index]; count > 0 && retained_ + size <= retained_limit_; --count) {
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
