// SPDX-License-Identifier: MIT
#include "src/core/framed/codec.h"

#include <algorithm>

namespace wdc::core::framed {

namespace {

constexpr std::array<std::uint8_t, 4> kMagic{0x77, 0x64, 0x63, 0x66};
constexpr std::array<std::size_t, 9> kNumbersOfRecord{0, 3, 3, 1, 3, 2, 1, 3, 1};

std::uint8_t at(std::span<const std::byte> bytes, std::size_t position) noexcept {
  return std::to_integer<std::uint8_t>(bytes[position]);
}

}  // namespace

bool is_framed(std::string_view protocol) noexcept {
  if (!protocol.starts_with(kProtocol)) return false;
  return protocol.size() == kProtocol.size() || protocol[kProtocol.size()] == '+';
}

std::string_view name(Fault fault) noexcept {
  static constexpr std::array<std::string_view, 15> kNames{"none",
                                                           "text_frame",
                                                           "unknown_frame",
                                                           "frame_too_large",
                                                           "hello_missing",
                                                           "hello_repeated",
                                                           "hello_invalid",
                                                           "batch_malformed",
                                                           "part_malformed",
                                                           "part_unknown",
                                                           "too_many_messages",
                                                           "credit_exceeded",
                                                           "control_malformed",
                                                           "control_impossible",
                                                           "after_finish"};
  const auto index = static_cast<std::size_t>(fault);
  return index < kNames.size() ? kNames[index] : "unknown";
}

std::optional<FrameKind> kind_of(std::span<const std::byte> frame) noexcept {
  if (frame.empty()) return std::nullopt;
  const auto first = at(frame, 0);
  if (first <= static_cast<std::uint8_t>(FrameKind::batch)) return static_cast<FrameKind>(first);
  if ((first & 0xF0U) == static_cast<std::uint8_t>(FrameKind::part)) return FrameKind::part;
  return std::nullopt;
}

// RFC 9000 section 16.
void Writer::number(std::uint64_t value) noexcept {
  const std::size_t length = number_size(value);
  const std::uint64_t mark = length == 1 ? 0 : length == 2 ? 1 : length == 4 ? 2 : 3;
  std::uint64_t shifted = value | (mark << (length * 8 - 2));
  for (std::size_t i = length; i-- > 0; shifted >>= 8) room_[size_ + i] = static_cast<std::byte>(shifted & 0xFF);
  size_ += length;
}

std::optional<std::uint8_t> Reader::byte() noexcept {
  if (bytes_.empty()) return std::nullopt;
  const auto value = at(bytes_, 0);
  bytes_ = bytes_.subspan(1);
  return value;
}

std::optional<std::uint64_t> Reader::number() noexcept {
  if (bytes_.empty()) return std::nullopt;
  const std::size_t length = std::size_t{1} << (at(bytes_, 0) >> 6);
  if (bytes_.size() < length) return std::nullopt;
  std::uint64_t value = at(bytes_, 0) & 0x3FU;
  for (std::size_t i = 1; i < length; ++i) value = value << 8 | at(bytes_, i);
  bytes_ = bytes_.subspan(length);
  return value;
}

std::size_t encode(const Hello& hello, std::span<std::byte, kLongestHello> room) noexcept {
  Writer writer(room);
  writer.byte(static_cast<std::uint8_t>(FrameKind::hello));
  for (const auto byte : kMagic) writer.byte(byte);
  for (const auto number :
       {hello.version, hello.window, hello.message_window, hello.messages, hello.max_message_size, hello.max_frame})
    writer.number(number);
  return writer.size();
}

std::optional<Hello> parse_hello(std::span<const std::byte> frame) noexcept {
  Reader reader(frame);
  if (reader.byte() != static_cast<std::uint8_t>(FrameKind::hello)) return std::nullopt;
  for (const auto byte : kMagic)
    if (reader.byte() != byte) return std::nullopt;
  Hello hello;
  for (auto* const field : {&hello.version, &hello.window, &hello.message_window, &hello.messages,
                            &hello.max_message_size, &hello.max_frame}) {
    const auto number = reader.number();
    if (!number) return std::nullopt;
    *field = *number;
  }
  const bool in_range = hello.version >= 1 && hello.window >= kSmallestWindow &&
                        hello.message_window >= kSmallestWindow && hello.messages >= 1 &&
                        hello.max_frame >= kSmallestFrame;
  if (!in_range) return std::nullopt;
  return hello;
}

void encode(const Record& record, Writer& writer) noexcept {
  const auto kind = static_cast<std::uint8_t>(record.kind);
  writer.byte(kind);
  for (std::size_t i = 0; i < kNumbersOfRecord[kind]; ++i) writer.number(record.numbers[i]);
}

std::optional<Record> read_record(Reader& reader) noexcept {
  const auto kind = reader.byte();
  if (!kind || *kind == 0 || *kind >= kNumbersOfRecord.size()) return std::nullopt;
  Record record{static_cast<RecordKind>(*kind)};
  for (std::size_t i = 0; i < kNumbersOfRecord[*kind]; ++i) {
    const auto number = reader.number();
    if (!number) return std::nullopt;
    record.numbers[i] = *number;
  }
  return record;
}

std::size_t encoded_size(const PartHead& head) noexcept {
  return 1 + number_size(head.id) + (head.sized ? number_size(head.size) : 0);
}

void encode(const PartHead& head, Writer& writer) noexcept {
  const auto flags = (head.first ? PartHead::kFirst : 0) | (head.last ? PartHead::kLast : 0) |
                     (head.text ? PartHead::kText : 0) | (head.sized ? PartHead::kSized : 0);
  writer.byte(static_cast<std::uint8_t>(static_cast<unsigned>(FrameKind::part) | static_cast<unsigned>(flags)));
  writer.number(head.id);
  if (head.sized) writer.number(head.size);
}

std::optional<Part> parse_part(std::span<const std::byte> frame) noexcept {
  Reader reader(frame);
  const auto kind = reader.byte();
  const auto id = reader.number();
  if (!kind || !id) return std::nullopt;
  Part part;
  PartHead& head = part.head;
  head.id = *id;
  head.first = (*kind & PartHead::kFirst) != 0;
  head.last = (*kind & PartHead::kLast) != 0;
  head.text = (*kind & PartHead::kText) != 0;
  head.sized = (*kind & PartHead::kSized) != 0;
  if ((head.text || head.sized) && !head.first) return std::nullopt;
  if (head.sized) {
    const auto size = reader.number();
    if (!size) return std::nullopt;
    head.size = *size;
  }
  if (reader.rest().empty() && !head.last) return std::nullopt;
  part.offset = frame.size() - reader.rest().size();
  return part;
}

std::optional<BatchCursor> BatchCursor::parse(std::span<const std::byte> frame) noexcept {
  Reader reader(frame);
  if (reader.byte() != static_cast<std::uint8_t>(FrameKind::batch)) return std::nullopt;
  const auto table_size = reader.number();
  if (!table_size || *table_size == 0 || *table_size > reader.rest().size()) return std::nullopt;
  BatchCursor cursor;
  cursor.table_ = frame.size() - reader.rest().size();
  cursor.payload_ = cursor.table_ + static_cast<std::size_t>(*table_size);
  const std::uint64_t available = frame.size() - cursor.payload_;
  std::uint64_t bytes = 0;
  std::uint64_t length = 0;
  const auto wide = [&](std::size_t position, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | at(frame, position + i);
    return value;
  };
  for (std::size_t position = cursor.table_; position < cursor.payload_;) {
    const auto entry = at(frame, position++);
    std::uint64_t times = 1;
    if (entry < batch_entry::kBinary16) {
      length = entry % batch_entry::kShortest;
    } else {
      const std::size_t extra = entry == batch_entry::kBinary32 || entry == batch_entry::kText32 ? 4 : 2;
      if (entry > batch_entry::kRun || cursor.payload_ - position < extra) return std::nullopt;
      const auto value = wide(position, extra);
      position += extra;
      if (entry != batch_entry::kRun) {
        length = value;
      } else {
        times = value;
        if (cursor.messages_ == 0 || times == 0) return std::nullopt;
      }
    }
    cursor.messages_ += times;
    bytes += times * length;  // at most 2^48 an entry: no overflow before the next line
    if (bytes > available || cursor.messages_ > batch_entry::kMostMessages) return std::nullopt;
  }
  if (bytes != available) return std::nullopt;
  cursor.bytes_ = static_cast<std::size_t>(bytes);
  return cursor;
}

BatchCursor::Entry BatchCursor::next(std::span<const std::byte> frame) noexcept {
  if (run_ > 0) {
    --run_;
  } else {
    const auto take16 = [&] {
      const auto value = static_cast<std::size_t>(at(frame, table_) << 8 | at(frame, table_ + 1));
      table_ += 2;
      return value;
    };
    const auto entry = at(frame, table_++);
    if (entry < batch_entry::kBinary16) {
      const bool text = entry >= batch_entry::kText;
      type_ = text ? MessageType::text : MessageType::binary;
      size_ = entry - (text ? batch_entry::kText : 0U);
    } else if (entry == batch_entry::kRun) {
      run_ = take16() - 1;
    } else {
      type_ = (entry & 1U) != 0 ? MessageType::text : MessageType::binary;
      size_ = take16();
      if (entry >= batch_entry::kBinary32) size_ = size_ << 16 | take16();
    }
  }
  const Entry found{payload_, size_, type_};
  payload_ += size_;
  bytes_ -= size_;
  --messages_;
  return found;
}

}  // namespace wdc::core::framed
