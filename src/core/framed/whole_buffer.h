// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "wdc/message.h"

namespace wdc::core::framed {

/// The bytes of a message in parts, put together for one who wants it whole. Grows by doubling, whatever size was
/// claimed: memory follows what has arrived.
class WholeBuffer {
 public:
  WholeBuffer() = default;
  WholeBuffer(const WholeBuffer&) = delete;
  WholeBuffer& operator=(const WholeBuffer&) = delete;
  ~WholeBuffer() { reset(); }

  /// False if memory is exhausted. `expected` is where growing stops, if it is known: 0 if not.
  [[nodiscard]] bool append(std::span<const std::byte> bytes, std::uint64_t expected) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// What was put together, as a message; the buffer is empty then. Empty if memory is exhausted.
  [[nodiscard]] Message take(MessageType type) noexcept;
  void reset() noexcept;

 private:
  std::byte* data_ = nullptr;  // of malloc()
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace wdc::core::framed
