// SPDX-License-Identifier: MIT
#include "wdc/message.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "src/core/message_access.h"

namespace wdc {

namespace core {
namespace {

/// A message of the user's: the source and the bytes behind it in one allocation, shared with nobody, so any thread may
/// make one.
class HeapSource final : public MessageSource {
 public:
  [[nodiscard]] static HeapSource* create(std::size_t size) noexcept {
    if (size > SIZE_MAX - sizeof(HeapSource)) return nullptr;
    void* memory = std::calloc(1, sizeof(HeapSource) + size);
    return memory == nullptr ? nullptr : new (memory) HeapSource;
  }

  const std::byte* materialise(std::uintptr_t&, std::size_t) override {
    return reinterpret_cast<const std::byte*>(this + 1);
  }
  void release(std::uintptr_t, std::size_t, bool) noexcept override {}

 private:
  HeapSource() = default;
  ~HeapSource() override = default;
  void destroy() noexcept override {
    this->~HeapSource();
    std::free(this);
  }
};

}  // namespace
}  // namespace core

Message::Message(Message&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      source_(std::exchange(other.source_, nullptr)),
      token_(std::exchange(other.token_, 0)),
      size_(std::exchange(other.size_, 0)),
      type_(std::exchange(other.type_, MessageType::binary)) {}

Message& Message::operator=(Message&& other) noexcept {
  if (this == &other) return *this;
  reset();
  data_ = std::exchange(other.data_, nullptr);
  source_ = std::exchange(other.source_, nullptr);
  token_ = std::exchange(other.token_, 0);
  size_ = std::exchange(other.size_, 0);
  type_ = std::exchange(other.type_, MessageType::binary);
  return *this;
}

Message::~Message() { reset(); }

void Message::reset() noexcept {
  if (source_ == nullptr) return;
  source_->release(token_, size_, data_ != nullptr);
  source_->drop_reference();
  source_ = nullptr;
}

Message Message::binary(std::span<const std::byte> bytes) {
  Message message = with_size(bytes.size());
  if (!message.empty()) std::memcpy(message.writable_bytes().data(), bytes.data(), bytes.size());
  return message;
}

Message Message::text(std::string_view text) {
  Message message = with_size(text.size(), MessageType::text);
  if (!message.empty()) std::memcpy(message.writable_bytes().data(), text.data(), text.size());
  return message;
}

Message Message::with_size(std::size_t size, MessageType type) {
  if (size == 0) return core::MessageAccess::empty(type);
  auto* source = core::HeapSource::create(size);
  if (source == nullptr) return core::MessageAccess::empty(type);
  Message message = core::MessageAccess::make(*source, 0, size, type);
  source->drop_reference();  // the message holds the only one
  return message;
}

std::span<const std::byte> Message::bytes() const {
  if (data_ == nullptr && source_ != nullptr) data_ = source_->materialise(token_, size_);
  if (data_ == nullptr) return {};
  return {data_, size_};
}

std::string_view Message::as_text() const {
  const auto view = bytes();
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

std::span<std::byte> Message::writable_bytes() {
  const auto view = bytes();
  // Every source hands out memory of its own that only this message refers to.
  return {const_cast<std::byte*>(view.data()), view.size()};
}

}  // namespace wdc
