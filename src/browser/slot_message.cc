// SPDX-License-Identifier: MIT
#include "src/browser/slot_message.h"

#include <cstring>
#include <utility>

#include "src/browser/buffer_pool.h"
#include "src/core/message_access.h"
#include "wdc/browser.h"

namespace wdc::browser {

namespace {

/// Where received messages are: in a slot until someone looks, then in a pooled buffer. One per module instance, as the
/// slots are, and never destroyed: messages may outlive everything else.
class SlotSource final : public core::MessageSource {
 public:
  constexpr SlotSource() = default;

  const std::byte* materialise(std::uintptr_t& token, std::size_t size) override {
    std::byte* buffer = pool_.take(size);
    if (buffer == nullptr) return nullptr;  // the slot stays: the message can still be forwarded
    host::slot_read(static_cast<host::Number>(token), buffer, size);
    ++in_memory_;
    token = reinterpret_cast<std::uintptr_t>(buffer);
    return buffer;
  }

  /// A buffer for a message that arrives in memory; null if there is none.
  [[nodiscard]] std::byte* take(std::size_t size) noexcept {
    std::byte* buffer = pool_.take(size);
    if (buffer != nullptr) ++in_memory_;
    return buffer;
  }
  /// Messages whose bytes are in memory.
  [[nodiscard]] std::size_t in_memory() const noexcept { return in_memory_; }

  void release(std::uintptr_t token, std::size_t size, bool materialised) noexcept override {
    if (materialised) {
      --in_memory_;
      pool_.give(reinterpret_cast<std::byte*>(token), size);
    } else {
      host::slot_free(static_cast<host::Number>(token));
    }
  }

 private:
  void destroy() noexcept override {}

  BufferPool pool_;
  std::size_t in_memory_ = 0;
};

/// Constructed at compile time, so that no message asks whether it is; in a union, so that nothing destroys it.
union Immortal {
  constexpr Immortal() : source() {}
  constexpr ~Immortal() {}
  SlotSource source;
};
constinit Immortal immortal;

SlotSource& slot_source() noexcept { return immortal.source; }

constexpr std::size_t kMostInMemory = 256;

/// Whole blocks: both places are multiples of one, and a copy whose size is known needs no call.
void copy_blocks(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  constexpr std::size_t kBlock = BufferPool::kSmallest;
  static_assert(kLargestSmallMessage % kBlock == 0);
  for (std::size_t done = 0; done < size; done += kBlock) std::memcpy(to + done, from + done, kBlock);
}

}  // namespace

Message make_slot_message(host::Number slot, std::size_t size, MessageType type) noexcept {
  if (size > 0) return core::MessageAccess::make(slot_source(), static_cast<std::uintptr_t>(slot), size, type);
  if (slot != 0) host::slot_free(slot);
  return core::MessageAccess::empty(type);
}

Message make_small_message(const std::byte* bytes, std::size_t size) noexcept {
  if (size == 0) return core::MessageAccess::empty(MessageType::binary);
  auto& source = slot_source();
  auto* const buffer = source.take(size);
  if (buffer == nullptr) {  // no memory: the message can still be forwarded
    const auto slot = host::slot_from_bytes(bytes, size);
    if (slot < 0) __builtin_trap();
    return make_slot_message(slot, size, MessageType::binary);
  }
  copy_blocks(buffer, bytes, size);
  return core::MessageAccess::make_materialised(source, buffer, size, MessageType::binary);
}

bool small_messages_welcome() noexcept { return slot_source().in_memory() <= kMostInMemory; }

host::Number slot_behind(const Message& message) noexcept {
  if (core::MessageAccess::source(message) != &slot_source() || core::MessageAccess::materialised(message)) return 0;
  return static_cast<host::Number>(core::MessageAccess::token(message));
}

Message message_from_slot(Slot slot, std::size_t size, MessageType type) {
  return make_slot_message(static_cast<host::Number>(slot), size, type);
}

Slot to_slot(Message&& message) {
  Message taken = std::move(message);
  const auto type = taken.type();
  if (const auto slot = slot_behind(taken); slot != 0) {
    core::MessageAccess::forget_token(taken);
    return static_cast<Slot>(slot);
  }
  const auto bytes = taken.bytes();
  if (bytes.size() != taken.size()) return Slot::none;  // no memory to fetch them
  const auto slot = type == MessageType::text ? host::slot_from_text(bytes.data(), bytes.size())
                                              : host::slot_from_bytes(bytes.data(), bytes.size());
  return slot < 0 ? Slot::none : static_cast<Slot>(slot);
}

}  // namespace wdc::browser
