// SPDX-License-Identifier: MIT
#include "src/browser/small_message.h"

#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "src/core/message_access.h"

namespace wdc::browser {

namespace {

/// Blocks in which the host puts messages: the message then has its block, and the host is told the next one. So there
/// is no second copy, which made a message of 1 KiB a third slower. All blocks are of one size, as nobody knows the
/// next message's. One per module instance, never destroyed: messages may outlive everything else.
class SmallSource final : public core::MessageSource {
 public:
  constexpr SmallSource() = default;

  [[nodiscard]] const std::byte* place() noexcept {
    if (place_ == nullptr && messages_ <= kMostMessages) place_ = take();
    return place_;
  }
  [[nodiscard]] const std::byte* fill() noexcept {
    ++messages_;
    return std::exchange(place_, nullptr);
  }

  const std::byte* materialise(std::uintptr_t& token, std::size_t) override {
    return reinterpret_cast<const std::byte*>(token);
  }
  void release(std::uintptr_t token, std::size_t, bool) noexcept override {
    --messages_;
    free_ = new (reinterpret_cast<std::byte*>(token)) Free{free_};
  }

 private:
  static constexpr std::size_t kMostMessages = 256;
  struct Free {
    Free* next;
  };

  void destroy() noexcept override {}

  [[nodiscard]] std::byte* take() noexcept {
    if (free_ == nullptr) return static_cast<std::byte*>(std::malloc(kLargestSmallMessage));
    return reinterpret_cast<std::byte*>(std::exchange(free_, free_->next));
  }

  std::byte* place_ = nullptr;
  Free* free_ = nullptr;
  std::size_t messages_ = 0;
};

/// Constructed at compile time, so that no message asks whether it is; in a union, so that nothing destroys it.
union Immortal {
  constexpr Immortal() : source() {}
  constexpr ~Immortal() {}
  SmallSource source;
};
constinit Immortal immortal;

}  // namespace

const std::byte* small_message_place() noexcept { return immortal.source.place(); }

Message make_small_message(std::size_t size) noexcept {
  if (size == 0) return core::MessageAccess::empty(MessageType::binary);
  auto& source = immortal.source;
  return core::MessageAccess::make_materialised(source, source.fill(), size, MessageType::binary);
}

}  // namespace wdc::browser
