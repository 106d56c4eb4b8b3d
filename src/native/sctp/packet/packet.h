// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>
#include <optional>

#include "src/native/sctp/numbers.h"
#include "src/native/sctp/packet/chunk.h"

namespace wdc::sctp {

/// RFC 9260 section 3.1.
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |      Source Port Number       |     Destination Port Number   |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                       Verification Tag                        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                           Checksum                            |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct CommonHeader {
  static constexpr std::size_t kSize = 12;
  static constexpr std::size_t kChecksumOffset = 8;

  Port source;
  Port destination;
  VerificationTag tag;
};

enum class Checksum : std::uint8_t { crc32c, zero };

/// A received packet whose checksum was right. Refers to the bytes it was parsed from.
struct PacketView {
  CommonHeader header;
  ByteView chunks;

  /// Empty where it is too short or its checksum is wrong. `accepted` says whether a checksum of zero passes (RFC 9653
  /// section 5.3: never in a packet with an INIT or COOKIE ECHO chunk).
  [[nodiscard]] static std::optional<PacketView> parse(ByteView packet, Checksum accepted);
};

/// Builds one packet in a slot of the caller's.
class PacketWriter {
 public:
  /// REQUIRES: `slot` has room for the common header. No more than `slot` is written, in whole words of four bytes.
  PacketWriter(MutableByteView slot, const CommonHeader& header) : start_(slot.data()), size_(CommonHeader::kSize) {
    assert(slot.size() >= CommonHeader::kSize);
    capacity_ = slot.size() & ~std::size_t{3};
    FixedWriter<CommonHeader::kSize> fixed(start_);
    fixed.set<0>(header.source.value());
    fixed.set<2>(header.destination.value());
    fixed.set<4>(header.tag.value());
    fixed.set<8>(std::uint32_t{0});
  }

  /// Bytes left for chunks, padding included.
  [[nodiscard]] std::size_t room() const { return capacity_ - size_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool has_chunks() const { return size_ > CommonHeader::kSize; }

  /// False, and nothing written, where the chunk does not fit.
  template <class Chunk>
  [[nodiscard]] bool append(const Chunk& chunk) {
    const std::size_t length = chunk.size();
    if (padded(length) > room()) return false;
    chunk.write(start_ + size_);
    if (const std::size_t padding = padded(length) - length; padding > 0) {
      std::memset(start_ + size_ + length, 0, padding);
    }
    size_ += padded(length);
    return true;
  }

  /// Completes the packet and returns its size.
  [[nodiscard]] std::size_t finish(Checksum checksum);

 private:
  std::byte* start_;
  std::size_t size_;
  std::size_t capacity_ = 0;
};

}  // namespace wdc::sctp
