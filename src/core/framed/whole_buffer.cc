// SPDX-License-Identifier: MIT
#include "src/core/framed/whole_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "src/core/message_access.h"

namespace wdc::core::framed {

namespace {

/// Owns one block of malloc().
class BlockSource final : public MessageSource {
 public:
  explicit BlockSource(std::byte* block) noexcept : block_(block) {}
  const std::byte* materialise(std::uintptr_t&, std::size_t) override { return block_; }
  void release(std::uintptr_t, std::size_t, bool) noexcept override {}

 private:
  ~BlockSource() override { std::free(block_); }
  void destroy() noexcept override { delete this; }
  std::byte* block_;
};

}  // namespace

bool WholeBuffer::append(std::span<const std::byte> bytes, std::uint64_t expected) noexcept {
  constexpr std::size_t kFirst = 4 << 10;
  if (bytes.empty()) return true;
  const std::size_t needed = size_ + bytes.size();
  if (needed > capacity_) {
    std::size_t capacity = std::max({needed, 2 * capacity_, kFirst});
    if (expected >= needed) capacity = static_cast<std::size_t>(std::min<std::uint64_t>(capacity, expected));
    auto* const data = static_cast<std::byte*>(std::realloc(data_, capacity));
    if (data == nullptr) return false;
    data_ = data;
    capacity_ = capacity;
  }
  std::memcpy(data_ + size_, bytes.data(), bytes.size());
  size_ = needed;
  return true;
}

Message WholeBuffer::take(MessageType type) noexcept {
  if (size_ == 0) return MessageAccess::empty(type);
  auto* const source = new (std::nothrow) BlockSource(data_);
  if (source == nullptr) {
    reset();
    return MessageAccess::empty(type);
  }
  Message message = MessageAccess::make(*source, 0, size_, type);
  source->drop_reference();
  data_ = nullptr;
  size_ = capacity_ = 0;
  return message;
}

void WholeBuffer::reset() noexcept {
  std::free(data_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

}  // namespace wdc::core::framed
