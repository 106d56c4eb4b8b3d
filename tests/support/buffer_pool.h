// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/core/message_access.h"
#include "wdc/message.h"

namespace wdc::test {

/// Received messages in reused buffers. Lives until the last message and the last user are gone.
class BufferPool final : public core::MessageSource {
 public:
  [[nodiscard]] Message make(std::span<const std::byte> bytes, MessageType type) {
    if (bytes.empty()) return core::MessageAccess::empty(type);
    if (free_.empty()) {
      if (++made_ > free_.capacity()) free_.reserve(2 * made_);  // release() must not have to allocate
      free_.push_back(new std::vector<std::byte>);
    }
    auto* buffer = free_.back();
    free_.pop_back();
    buffer->assign(bytes.begin(), bytes.end());
    return core::MessageAccess::make(*this, reinterpret_cast<std::uintptr_t>(buffer), bytes.size(), type);
  }
  /// Buffers that messages hold right now.
  [[nodiscard]] std::size_t outstanding() const noexcept { return made_ - free_.size(); }

  const std::byte* materialise(std::uintptr_t& token, std::size_t) override {
    return reinterpret_cast<std::vector<std::byte>*>(token)->data();
  }
  void release(std::uintptr_t token, std::size_t, bool) noexcept override {
    free_.push_back(reinterpret_cast<std::vector<std::byte>*>(token));
  }

 private:
  ~BufferPool() override {
    for (auto* buffer : free_) delete buffer;
  }
  void destroy() noexcept override { delete this; }

  std::vector<std::vector<std::byte>*> free_;
  std::size_t made_ = 0;
};

}  // namespace wdc::test
