// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "src/native/dtls/bytes.h"

namespace wdc::dtls {

/// RFC 6347 section 4.1.
enum class ContentType : std::uint8_t { change_cipher_spec = 20, alert = 21, handshake = 22, application_data = 23 };

inline constexpr std::size_t kHeaderSize = 13;
/// The part of a GCM nonce that travels with the record (RFC 5288 section 3).
inline constexpr std::size_t kExplicitNonceSize = 8;
inline constexpr std::size_t kTagSize = 16;
/// What a protected record has before and behind its text.
inline constexpr std::size_t kHeadRoom = kHeaderSize + kExplicitNonceSize;
inline constexpr std::size_t kTailRoom = kTagSize;
/// RFC 6347 section 4.1: the length must not exceed 2^14.
inline constexpr std::size_t kMostText = std::size_t{1} << 14;

inline constexpr std::uint16_t kDtls10 = 0xfeff;  // in the first ClientHello, for old servers' sake
inline constexpr std::uint16_t kDtls12 = 0xfefd;
inline constexpr std::uint64_t kMostSequence = (std::uint64_t{1} << 48) - 1;

///    0      1      3     5            11     13
///   +------+------+-----+------------+------+-----------
///   | type | vers.|epoch| seq. number|length| fragment
///   +------+------+-----+------------+------+-----------
struct RecordHeader {
  ContentType type{};
  std::uint16_t version = kDtls12;
  std::uint16_t epoch = 0;
  std::uint64_t sequence = 0;  // 48 bits
  std::uint16_t length = 0;    // of what follows the header

  /// REQUIRES: at least kHeaderSize bytes.
  [[nodiscard]] static RecordHeader read(const std::byte* from) {
    const auto both = load_big_endian<std::uint64_t>(from + 3);
    return {ContentType{std::to_integer<std::uint8_t>(from[0])}, load_big_endian<std::uint16_t>(from + 1),
            static_cast<std::uint16_t>(both >> 48), both & kMostSequence, load_big_endian<std::uint16_t>(from + 11)};
  }
  /// REQUIRES: room for kHeaderSize bytes.
  void write(std::byte* to) const {
    to[0] = static_cast<std::byte>(type);
    store_big_endian(to + 1, version);
    store_big_endian(to + 3, epoch_and_sequence());
    store_big_endian(to + 11, length);
  }
  [[nodiscard]] std::uint64_t epoch_and_sequence() const { return std::uint64_t{epoch} << 48 | sequence; }
};

struct Record {
  RecordHeader header{};
  MutableByteView bytes{};  // all of it, with the header

  [[nodiscard]] MutableByteView fragment() const { return bytes.subspan(kHeaderSize); }
};

/// The records of one datagram (RFC 6347 section 4.1.1), up to the first thing that is none.
class RecordWalk {
 public:
  explicit RecordWalk(MutableByteView datagram) : rest_(datagram) {}

  [[nodiscard]] std::optional<Record> next() {
    if (rest_.size() < kHeaderSize) return std::nullopt;
    const RecordHeader header = RecordHeader::read(rest_.data());
    // A record of another version has another shape: nothing behind it can be found.
    if ((header.version != kDtls12 && header.version != kDtls10) || header.length > rest_.size() - kHeaderSize) {
      return std::nullopt;
    }
    const Record record{header, rest_.first(kHeaderSize + header.length)};
    rest_ = rest_.subspan(record.bytes.size());
    return record;
  }
  /// After the last record: bytes are left that are no record.
  [[nodiscard]] bool rubbish() const { return !rest_.empty(); }

 private:
  MutableByteView rest_;
};

}  // namespace wdc::dtls
