// SPDX-License-Identifier: MIT
#include "src/core/framed/frame_buffer.h"

#include <algorithm>
#include <cstring>

namespace wdc::core::framed {

void FrameBuffer::set_limit(std::size_t limit) {
  if (limit > capacity_) {
    buffer_ = std::make_unique_for_overwrite<std::byte[]>(kFront + limit);
    capacity_ = limit;
  }
  limit_ = limit;
}

std::span<std::byte> FrameBuffer::append(std::size_t size, MessageType type) noexcept {
  if (messages_ != 0 && size == last_size_ && type == last_type_ && run_ < batch_entry::kLongestRun) {
    ++run_;
  } else {
    flush_run();
    last_size_ = size;
    last_type_ = type;
    write_entry();
  }
  ++messages_;
  std::byte* const place = buffer_.get() + kFront + bytes_;
  bytes_ += size;
  return {place, size};
}

/// Each message adds an entry to the table at most: one that is repeated makes the pending run, and one that is not
/// finds it counted already.
FrameRoom FrameBuffer::room(std::size_t limit) const noexcept {
  const std::size_t bytes = size_with(0) + kPendingRun;
  const std::size_t table = table_size_ + 2 * kPendingRun + kLongestEntry;
  limit = std::min(limit, limit_);
  if (bytes >= limit || table >= kTableRoom) return {};
  FrameRoom room;
  room.place = buffer_.get() + kFront + bytes_;
  room.bytes = limit - bytes;
  room.messages = static_cast<std::size_t>(
      std::min<std::uint64_t>((kTableRoom - table) / FrameRoom::kEntry, batch_entry::kMostMessages - messages_));
  room.largest = std::min<std::size_t>(room.bytes, 0xFFFF);
  return room;
}

void FrameBuffer::write_entry() noexcept {
  Writer writer(std::span<std::byte>(table_).subspan(table_size_));
  const bool text = last_type_ == MessageType::text;
  const auto octet = [&](unsigned shift) { writer.byte(static_cast<std::uint8_t>(last_size_ >> shift & 0xFF)); };
  switch (batch_entry::size_for(last_size_)) {
    case 1:
      writer.byte(static_cast<std::uint8_t>(last_size_ + (text ? batch_entry::kText : 0U)));
      break;
    case 3:
      writer.byte(text ? batch_entry::kText16 : batch_entry::kBinary16);
      octet(8);
      octet(0);
      break;
    default:
      writer.byte(text ? batch_entry::kText32 : batch_entry::kBinary32);
      for (const unsigned shift : {24U, 16U, 8U, 0U}) octet(shift);
  }
  table_size_ += writer.size();
}

void FrameBuffer::flush_run() noexcept {
  if (run_ == 0) return;
  const std::size_t repeated = run_ * batch_entry::size_for(last_size_);
  if (repeated <= kPendingRun) {
    for (; run_ > 0; --run_) write_entry();
    return;
  }
  table_[table_size_++] = std::byte{batch_entry::kRun};
  table_[table_size_++] = static_cast<std::byte>(run_ >> 8);
  table_[table_size_++] = static_cast<std::byte>(run_ & 0xFF);
  run_ = 0;
}

std::span<const std::byte> FrameBuffer::finish_batch() noexcept {
  flush_run();
  const std::size_t head = 1 + number_size(table_size_);
  std::byte* const start = buffer_.get() + kFront - table_size_ - head;
  Writer writer({start, head});
  writer.byte(static_cast<std::uint8_t>(FrameKind::batch));
  writer.number(table_size_);
  std::memcpy(start + head, table_.data(), table_size_);
  return {start, head + table_size_ + bytes_};
}

std::span<const std::byte> FrameBuffer::finish_part(const PartHead& head, std::size_t size) noexcept {
  const std::size_t head_size = encoded_size(head);
  std::byte* const start = buffer_.get() + kFront - head_size;
  Writer writer({start, head_size});
  encode(head, writer);
  return {start, head_size + size};
}

void FrameBuffer::clear() noexcept {
  table_size_ = bytes_ = run_ = 0;
  messages_ = 0;
}

}  // namespace wdc::core::framed
