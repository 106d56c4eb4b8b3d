// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "src/core/framed/codec.h"
#include "wdc/message.h"

namespace wdc::core::framed {

/// Where messages of a batch may be put that go past append(): see FrameBuffer::room().
struct FrameRoom {
  std::byte* place = nullptr;
  std::size_t bytes = 0;  // each message takes its own and kEntry of them
  std::size_t messages = 0;
  std::size_t largest = 0;

  /// What an entry of the table has at most, of messages up to 65,535 bytes.
  static constexpr std::size_t kEntry = 3;
  static constexpr std::size_t kMostMessages = 1'365;
};

/// The one buffer that frames are made in. Bytes of messages go to their final place at once; what stands before them -
/// a batch's table, a part's head - is put in front when the frame is finished. Either a batch or a part at a time.
class FrameBuffer {
 public:
  /// Frames of at most `limit` bytes. REQUIRES: at least kSmallestFrame; no frame is being made.
  void set_limit(std::size_t limit);
  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

  /// The size of a batch with this message and nothing else.
  [[nodiscard]] static constexpr std::size_t alone(std::size_t size) noexcept {
    return 2 + batch_entry::size_for(size) + size;
  }
  [[nodiscard]] bool empty() const noexcept { return messages_ == 0; }
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// An upper bound of the frame with one more message.
  [[nodiscard]] std::size_t size_with(std::size_t size) const noexcept {
    return kLongestBatchHead + table_size_ + kPendingRun + batch_entry::size_for(size) + bytes_ + size;
  }
  [[nodiscard]] bool fits(std::size_t size) const noexcept {
    if (empty()) return alone(size) <= limit_;
    return size_with(size) <= limit_ && table_size_ + kPendingRun + kLongestEntry <= kTableRoom &&
           messages_ < batch_entry::kMostMessages;
  }
  /// The place of another message's bytes. REQUIRES: fits(size).
  [[nodiscard]] std::span<std::byte> append(std::size_t size, MessageType type) noexcept;
  /// The place of more messages, one after the other, in a frame of at most `limit` bytes: append() has to follow for
  /// each of them. REQUIRES: a batch is being made.
  [[nodiscard]] FrameRoom room(std::size_t limit) const noexcept;
  /// The frame; stays until clear().
  [[nodiscard]] std::span<const std::byte> finish_batch() noexcept;

  /// The place of a part's bytes behind `head`. REQUIRES: empty().
  [[nodiscard]] std::span<std::byte> part_room(const PartHead& head) noexcept {
    return {buffer_.get() + kFront, limit_ - encoded_size(head)};
  }
  /// The frame with the first `size` bytes of part_room().
  [[nodiscard]] std::span<const std::byte> finish_part(const PartHead& head, std::size_t size) noexcept;
  void clear() noexcept;

 private:
  static constexpr std::size_t kTableRoom = 4'096;
  static constexpr std::size_t kLongestBatchHead = 1 + 2;  // kind and table size
  static constexpr std::size_t kFront = kTableRoom + kLongestBatchHead;
  /// What repeated entries that are not in the table yet need at most.
  static constexpr std::size_t kPendingRun = 3;
  static constexpr std::size_t kLongestEntry = 5;
  static_assert(kTableRoom < 16'384 && kFront > kLongestPartHead);
  static_assert(kTableRoom / FrameRoom::kEntry <= FrameRoom::kMostMessages);

  void write_entry() noexcept;
  void flush_run() noexcept;

  std::unique_ptr<std::byte[]> buffer_;
  std::size_t capacity_ = 0;  // the largest limit so far
  std::size_t limit_ = 0;
  std::array<std::byte, kTableRoom> table_;  // not initialised: only the first table_size_ bytes are used
  std::size_t table_size_ = 0;
  std::uint64_t messages_ = 0;
  std::size_t bytes_ = 0;
  std::size_t run_ = 0;  // messages like the last entry, not in the table yet
  std::size_t last_size_ = 0;
  MessageType last_type_ = MessageType::binary;
};

}  // namespace wdc::core::framed
