// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/chunk.h"

namespace wdc::sctp {

/// The flags DATA and I-DATA share: I (RFC 7053), U, B, E.
struct DataFlags {
  bool immediate_sack = false;
  bool unordered = false;
  bool beginning = false;
  bool end = false;

  [[nodiscard]] static constexpr DataFlags parse(std::uint8_t flags) {
    return {(flags & 8) != 0, (flags & 4) != 0, (flags & 2) != 0, (flags & 1) != 0};
  }
  [[nodiscard]] constexpr std::uint8_t wire() const {
    return static_cast<std::uint8_t>((immediate_sack ? 8 : 0) | (unordered ? 4 : 0) | (beginning ? 2 : 0) |
                                     (end ? 1 : 0));
  }
  friend constexpr bool operator==(DataFlags, DataFlags) = default;
};

/// RFC 9260 section 3.3.1.
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Type = 0    |  Res  |I|U|B|E|            Length             |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                              TSN                              |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |      Stream Identifier S      |   Stream Sequence Number n    |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                  Payload Protocol Identifier                  |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                           User Data                           :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct DataChunk {
  static constexpr ChunkType kType = ChunkType::data;
  static constexpr std::size_t kHeaderSize = 16;

  Tsn tsn;
  StreamId stream;
  Ssn ssn;
  Ppid ppid;
  DataFlags flags;
  ByteView payload;

  /// Empty where it is too short. A chunk without user data is parsed: the association answers it (section 6.2).
  [[nodiscard]] static std::optional<DataChunk> parse(const ChunkView& chunk) {
    const auto fixed = FixedReader<kHeaderSize>::of(chunk.bytes);
    if (!fixed) return std::nullopt;
    return DataChunk{Tsn(fixed->get<std::uint32_t, 4>()),  StreamId(fixed->get<std::uint16_t, 8>()),
                     Ssn(fixed->get<std::uint16_t, 10>()), Ppid(fixed->get<std::uint32_t, 12>()),
                     DataFlags::parse(chunk.flags),        chunk.bytes.subspan(kHeaderSize)};
  }
  [[nodiscard]] std::size_t size() const { return kHeaderSize + payload.size(); }
  void write(std::byte* at) const {
    write_chunk_header(at, kType, flags.wire(), size());
    FixedWriter<kHeaderSize> fixed(at);
    fixed.set<4>(tsn.value());
    fixed.set<8>(stream.value());
    fixed.set<10>(ssn.value());
    fixed.set<12>(ppid.value());
    copy_bytes(at + kHeaderSize, payload);
  }
};

}  // namespace wdc::sctp
