// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/abort_chunk.h"
#include "src/native/sctp/packet/chunk.h"

namespace wdc::sctp {

/// RFC 9260 section 3.3.8.
///
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Type = 7    |  Chunk Flags  |          Length = 8           |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                      Cumulative TSN Ack                       |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct ShutdownChunk {
  static constexpr std::size_t kSize = 8;

  Tsn cumulative_tsn;

  [[nodiscard]] static std::optional<ShutdownChunk> parse(const ChunkView& chunk) {
    const auto fixed = FixedReader<kSize>::of(chunk.bytes);
    if (!fixed) return std::nullopt;
    return ShutdownChunk{Tsn(fixed->get<std::uint32_t, 4>())};
  }
  [[nodiscard]] static constexpr std::size_t size() { return kSize; }
  void write(std::byte* at) const {
    write_chunk_header(at, ChunkType::shutdown, 0, kSize);
    store_big_endian(at + kChunkHeaderSize, cumulative_tsn.value());
  }
};

/// A chunk that is its header: SHUTDOWN ACK, SHUTDOWN COMPLETE, COOKIE ACK (sections 3.3.9, 3.3.13, 3.3.12).
struct BareChunk {
  ChunkType type{};
  TagKind tag = TagKind::own;

  [[nodiscard]] static constexpr std::size_t size() { return kChunkHeaderSize; }
  void write(std::byte* at) const { write_chunk_header(at, type, tag == TagKind::reflected ? 1 : 0, kChunkHeaderSize); }
};

}  // namespace wdc::sctp
