// SPDX-License-Identifier: MIT
#include "src/browser/slot_message.h"

#include <algorithm>
#include <utility>

#include "src/browser/buffer_pool.h"
#include "src/browser/immortal.h"
#include "src/browser/small_message.h"
#include "src/core/framed/codec.h"
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
    std::byte* buffer = size <= kLargestSmallMessage ? take_small_block() : nullptr;
    const std::uintptr_t mark = buffer != nullptr ? kInBlock : 0;
    if (buffer == nullptr) buffer = pool_.take(size);
    if (buffer == nullptr) return nullptr;  // the slot stays: the message can still be forwarded
    const auto slot = static_cast<host::Number>(token);
    if (keeps_last_) {
      drop_last();
      host::slot_copy(slot, buffer, size);
      last_slot_ = slot;
      last_bytes_ = buffer;
    } else {
      host::slot_read(slot, buffer, size);
    }
    token = reinterpret_cast<std::uintptr_t>(buffer) | mark;
    return buffer;
  }

  void keep_last() noexcept { keeps_last_ = true; }
  [[nodiscard]] host::Number take_last(const std::byte* bytes) noexcept {
    if (bytes != last_bytes_) return 0;
    last_bytes_ = nullptr;
    return std::exchange(last_slot_, 0);
  }

  void release(std::uintptr_t token, std::size_t size, bool materialised) noexcept override {
    if (materialised) {
      auto* const buffer = reinterpret_cast<std::byte*>(token & ~kInBlock);
      if (buffer == last_bytes_) drop_last();
      if ((token & kInBlock) != 0)
        give_small_block(buffer);
      else
        pool_.give(buffer, size);
    } else {
      host::slot_free(static_cast<host::Number>(token));
    }
  }

 private:
  /// In a token, beside the address of the bytes: they are in a block for small messages. Allocated memory is aligned.
  static constexpr std::uintptr_t kInBlock = 1;

  void destroy() noexcept override {}

  void drop_last() noexcept {
    last_bytes_ = nullptr;
    if (const auto slot = std::exchange(last_slot_, 0); slot != 0) host::slot_free(slot);
  }

  BufferPool pool_;
  bool keeps_last_ = false;
  host::Number last_slot_ = 0;  // what was fetched last, into last_bytes_
  const std::byte* last_bytes_ = nullptr;
};

constinit Immortal<SlotSource> slots;

SlotSource& slot_source() noexcept { return slots.value; }

}  // namespace

Message make_slot_message(host::Number slot, std::size_t size, MessageType type) noexcept {
  if (size > 0) return core::MessageAccess::make(slot_source(), static_cast<std::uintptr_t>(slot), size, type);
  if (slot != 0) host::slot_free(slot);
  return core::MessageAccess::empty(type);
}

host::Number slot_behind(const Message& message) noexcept {
  if (core::MessageAccess::source(message) != &slot_source() || core::MessageAccess::materialised(message)) return 0;
  return static_cast<host::Number>(core::MessageAccess::token(message));
}

void keep_last_slot() noexcept { slot_source().keep_last(); }

host::Number take_last_slot(const std::byte* bytes) noexcept { return slot_source().take_last(bytes); }

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
  if (const auto fetched = type == MessageType::binary ? take_last_slot(bytes.data()) : 0; fetched != 0) {
    if (host::slot_size(fetched) == bytes.size()) {
      // Framed mode has put a message's first bytes where the head of its frame was.
      host::slot_write(fetched, bytes.data(), std::min(bytes.size(), core::framed::kLongestPartHead));
      return static_cast<Slot>(fetched);
    }
    host::slot_free(fetched);
  }
  const auto slot = type == MessageType::text ? host::slot_from_text(bytes.data(), bytes.size())
                                              : host::slot_from_bytes(bytes.data(), bytes.size());
  return slot < 0 ? Slot::none : static_cast<Slot>(slot);
}

}  // namespace wdc::browser
