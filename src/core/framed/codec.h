// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "wdc/message.h"

// The frames of docs/wire/framed.md, to bytes and back. No state, no allocation.

namespace wdc::core::framed {

inline constexpr std::string_view kProtocol = "wdc.framed.v1";
/// True for "wdc.framed.v1" and "wdc.framed.v1+...".
[[nodiscard]] bool is_framed(std::string_view protocol) noexcept;

inline constexpr std::uint64_t kVersion = 1;
/// Credit that a frame uses beside its bytes.
inline constexpr std::uint64_t kFrameCost = 128;
inline constexpr std::size_t kLongestNumber = 8;
/// Of a PART: its kind, id and size.
inline constexpr std::size_t kLongestPartHead = 1 + 2 * kLongestNumber;
inline constexpr std::uint64_t kSmallestWindow = kFrameCost + kLongestPartHead + 1;
inline constexpr std::size_t kSmallestFrame = 256;
inline constexpr std::uint64_t kLargestNumber = (std::uint64_t{1} << 62) - 1;
static_assert(kSmallestWindow == 146);

/// What a frame of this size uses.
[[nodiscard]] constexpr std::uint64_t cost_of(std::size_t frame_size) noexcept { return kFrameCost + frame_size; }

enum class Fault : std::uint8_t {
  none,
  text_frame,
  unknown_frame,
  frame_too_large,
  hello_missing,
  hello_repeated,
  hello_invalid,
  batch_malformed,
  part_malformed,
  part_unknown,
  too_many_messages,
  credit_exceeded,
  control_malformed,
  control_impossible,
  after_finish,
};
[[nodiscard]] std::string_view name(Fault fault) noexcept;

enum class FrameKind : std::uint8_t { hello = 0x00, control = 0x01, batch = 0x02, part = 0x10 };
/// The kind that the first byte says; none: unknown.
[[nodiscard]] std::optional<FrameKind> kind_of(std::span<const std::byte> frame) noexcept;

/// Writes numbers and bytes one after the other. REQUIRES: there is room.
class Writer {
 public:
  explicit Writer(std::span<std::byte> room) noexcept : room_(room) {}
  void byte(std::uint8_t value) noexcept { room_[size_++] = std::byte{value}; }
  void number(std::uint64_t value) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t left() const noexcept { return room_.size() - size_; }

 private:
  std::span<std::byte> room_;
  std::size_t size_ = 0;
};

[[nodiscard]] constexpr std::size_t number_size(std::uint64_t value) noexcept {
  return value < 64 ? 1 : value < 16'384 ? 2 : value < (std::uint64_t{1} << 30) ? 4 : 8;
}

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}
  [[nodiscard]] std::optional<std::uint8_t> byte() noexcept;
  [[nodiscard]] std::optional<std::uint64_t> number() noexcept;
  [[nodiscard]] std::span<const std::byte> rest() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

struct Hello {
  std::uint64_t version = kVersion;
  std::uint64_t window = 0;
  std::uint64_t message_window = 0;
  std::uint64_t messages = 0;
  std::uint64_t max_message_size = 0;
  std::uint64_t max_frame = 0;
  friend bool operator==(const Hello&, const Hello&) = default;
};
inline constexpr std::size_t kLongestHello = 5 + 6 * kLongestNumber;
[[nodiscard]] std::size_t encode(const Hello& hello, std::span<std::byte, kLongestHello> room) noexcept;
/// None: cut off, or out of its ranges.
[[nodiscard]] std::optional<Hello> parse_hello(std::span<const std::byte> frame) noexcept;

enum class RecordKind : std::uint8_t {
  credit = 1,
  message_credit,
  cancel,
  stop,
  release,
  sync,
  finish,
  abort,
};
struct Record {
  RecordKind kind;
  std::array<std::uint64_t, 3> numbers{};  // in the order of the document; as many as its kind has
  friend bool operator==(const Record&, const Record&) = default;
};
inline constexpr std::size_t kLongestRecord = 1 + 3 * kLongestNumber;
/// REQUIRES: room for kLongestRecord.
void encode(const Record& record, Writer& writer) noexcept;
/// Reads the next record; none: malformed. REQUIRES: something is left.
[[nodiscard]] std::optional<Record> read_record(Reader& reader) noexcept;

struct PartHead {
  static constexpr std::uint8_t kFirst = 1, kLast = 2, kText = 4, kSized = 8;
  std::uint64_t id = 0;
  std::uint64_t size = 0;  // if sized
  bool first = false;
  bool last = false;
  bool text = false;
  bool sized = false;
  friend bool operator==(const PartHead&, const PartHead&) = default;
};
[[nodiscard]] std::size_t encoded_size(const PartHead& head) noexcept;
void encode(const PartHead& head, Writer& writer) noexcept;
struct Part {
  PartHead head;
  std::size_t offset = 0;  // of its bytes in the frame
};
/// None: malformed by itself.
[[nodiscard]] std::optional<Part> parse_part(std::span<const std::byte> frame) noexcept;

namespace batch_entry {
inline constexpr std::uint8_t kText = 0x70;  // first of the short texts; 0 is the first of the short binary ones
inline constexpr std::size_t kShortest = 0x70;
inline constexpr std::uint8_t kBinary16 = 0xE0, kText16 = 0xE1, kBinary32 = 0xE2, kText32 = 0xE3, kRun = 0xE4;
inline constexpr std::size_t kLongestRun = 65'535;
/// Of a batch: empty ones use no credit of their own.
inline constexpr std::uint64_t kMostMessages = 65'536;
[[nodiscard]] constexpr std::size_t size_for(std::size_t length) noexcept {
  return length < kShortest ? 1 : length <= 0xFFFF ? 3 : 5;
}
}  // namespace batch_entry

/// The messages of a batch, one after the other, without a list of them.
class BatchCursor {
 public:
  struct Entry {
    std::size_t offset;  // in the frame
    std::size_t size;
    MessageType type;
  };

  /// None: malformed.
  [[nodiscard]] static std::optional<BatchCursor> parse(std::span<const std::byte> frame) noexcept;

  [[nodiscard]] std::uint64_t messages_left() const noexcept { return messages_; }
  [[nodiscard]] std::size_t bytes_left() const noexcept { return bytes_; }
  /// `frame` is that of parse(). REQUIRES: messages_left().
  [[nodiscard]] Entry next(std::span<const std::byte> frame) noexcept;

 private:
  std::size_t table_ = 0;  // position in the frame
  std::size_t payload_ = 0;
  std::uint64_t messages_ = 0;
  std::size_t bytes_ = 0;
  std::size_t run_ = 0;  // more of the last entry
  std::size_t size_ = 0;
  MessageType type_ = MessageType::binary;
};

}  // namespace wdc::core::framed
