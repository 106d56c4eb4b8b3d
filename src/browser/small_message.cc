// SPDX-License-Identifier: MIT
#include "src/browser/small_message.h"

#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "src/browser/immortal.h"
#include "src/core/message_access.h"

namespace wdc::browser {

namespace {

/// Blocks in which the host puts messages: the message then has its block, and the host is told the next one. So there
/// is no second copy, which took 20 ns of the 200 of a message of 1 KiB. All blocks are of one size, as nobody knows
/// the next message's. One per module instance, never destroyed: messages may outlive everything else.
class SmallSource final : public core::MessageSource {
 public:
  constexpr SmallSource() = default;

  [[nodiscard]] const std::byte* place() noexcept {
    if (place_ == nullptr && messages_ <= kMostMessages) {
      if (free_ == nullptr) make_more();
      place_ = take_free();
    }
    return place_;
  }
  [[nodiscard]] const std::byte* fill() noexcept {
    ++messages_;
    return std::exchange(place_, nullptr);
  }
  [[nodiscard]] std::byte* take() noexcept {
    auto* const block = take_free();
    if (block != nullptr) ++messages_;
    return block;
  }
  void give(std::byte* block) noexcept {
    --messages_;
    add_free(block);
  }

  const std::byte* materialise(std::uintptr_t& token, std::size_t) override {
    return reinterpret_cast<const std::byte*>(token);
  }
  void release(std::uintptr_t token, std::size_t, bool) noexcept override { give(reinterpret_cast<std::byte*>(token)); }

 private:
  static constexpr std::size_t kMostMessages = 256;
  static constexpr std::size_t kMostBlocks = kMostMessages + 1;  // one more while the host has a place
  /// As many as a receive queue holds at first, one in the reader's hand, and the host's place.
  static constexpr std::size_t kFirstBlocks = 18;
  struct Free {
    Free* next;
  };

  void destroy() noexcept override {}

  void add_free(std::byte* block) noexcept { free_ = new (block) Free{free_}; }
  [[nodiscard]] std::byte* take_free() noexcept {
    if (free_ == nullptr) return nullptr;
    return reinterpret_cast<std::byte*>(std::exchange(free_, free_->next));
  }
  /// A few, then all that there will ever be: a reader's largest burst is met early.
  void make_more() noexcept {
    const std::size_t count = blocks_ == 0 ? kFirstBlocks : kMostBlocks - blocks_;
    auto* const memory = static_cast<std::byte*>(std::malloc(count * kLargestSmallMessage));
    if (memory == nullptr) return;
    for (std::size_t index = count; index > 0; --index) add_free(memory + (index - 1) * kLargestSmallMessage);
    blocks_ += count;
  }

  std::byte* place_ = nullptr;
  Free* free_ = nullptr;
  std::size_t blocks_ = 0;
  std::size_t messages_ = 0;  // that have a block
};

constinit Immortal<SmallSource> small;

SmallSource& small_source() noexcept { return small.value; }

}  // namespace

const std::byte* small_message_place() noexcept { return small_source().place(); }

std::byte* take_small_block() noexcept { return small_source().take(); }

void give_small_block(std::byte* block) noexcept { small_source().give(block); }

Message make_small_message(std::size_t size) noexcept {
  if (size == 0) return core::MessageAccess::empty(MessageType::binary);
  auto& source = small_source();
  return core::MessageAccess::make_materialised(source, source.fill(), size, MessageType::binary);
}

}  // namespace wdc::browser
