// SPDX-License-Identifier: MIT
#include "src/browser/slot_message.h"

#include <new>
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
    token = reinterpret_cast<std::uintptr_t>(buffer);
    return buffer;
  }

  void release(std::uintptr_t token, std::size_t size, bool materialised) noexcept override {
    if (materialised)
      pool_.give(reinterpret_cast<std::byte*>(token), size);
    else
      host::slot_free(static_cast<host::Number>(token));
  }

 private:
  void destroy() noexcept override {}

  BufferPool pool_;
};

SlotSource& slot_source() {
  alignas(SlotSource) static std::byte memory[sizeof(SlotSource)];
  static auto* const source = new (memory) SlotSource;
  return *source;
}

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
