// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>
#include <cstddef>

#include "src/native/sctp/packet/chunk.h"

namespace wdc::sctp {

/// Received TSNs above the cumulative one, as offsets from it, both ends included.
struct GapBlock {
  std::uint16_t start = 0;
  std::uint16_t end = 0;
  friend bool operator==(const GapBlock&, const GapBlock&) = default;
};

/// RFC 9260 section 3.3.4.
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Type = 3    |  Chunk Flags  |         Chunk Length          |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                      Cumulative TSN Ack                       |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |          Advertised Receiver Window Credit (a_rwnd)           |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   | Number of Gap Ack Blocks = N  |  Number of Duplicate TSNs = M |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Gap Ack Block #1 Start      |   Gap Ack Block #1 End        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                              ...                              :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                        Duplicate TSN 1                        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                              ...                              :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct SackChunk {
  static constexpr ChunkType kType = ChunkType::sack;
  static constexpr std::size_t kHeaderSize = 16;
  static constexpr std::size_t kGapBlockSize = 4;
  static constexpr std::size_t kDuplicateSize = 4;

  Tsn cumulative_tsn;
  std::uint32_t a_rwnd = 0;
  ByteView gap_block_bytes;
  ByteView duplicate_bytes;

  /// Empty where it is too short for the counts it states.
  [[nodiscard]] static std::optional<SackChunk> parse(const ChunkView& chunk) {
    const auto fixed = FixedReader<kHeaderSize>::of(chunk.bytes);
    if (!fixed) return std::nullopt;
    const std::size_t gaps = fixed->get<std::uint16_t, 12>() * kGapBlockSize;
    const std::size_t duplicates = fixed->get<std::uint16_t, 14>() * kDuplicateSize;
    const ByteView lists = chunk.bytes.subspan(kHeaderSize);
    if (gaps + duplicates > lists.size()) return std::nullopt;
    return SackChunk{Tsn(fixed->get<std::uint32_t, 4>()), fixed->get<std::uint32_t, 8>(), lists.first(gaps),
                     lists.subspan(gaps, duplicates)};
  }
  [[nodiscard]] std::size_t gap_block_count() const { return gap_block_bytes.size() / kGapBlockSize; }
  /// REQUIRES: index < gap_block_count(). What the peer wrote: neither sorted nor valid by itself.
  [[nodiscard]] GapBlock gap_block(std::size_t index) const {
    assert(index < gap_block_count());
    const std::byte* at = gap_block_bytes.data() + index * kGapBlockSize;
    return {load_big_endian<std::uint16_t>(at), load_big_endian<std::uint16_t>(at + 2)};
  }
  [[nodiscard]] std::size_t duplicate_count() const { return duplicate_bytes.size() / kDuplicateSize; }
  [[nodiscard]] Tsn duplicate(std::size_t index) const {
    assert(index < duplicate_count());
    return Tsn(load_big_endian<std::uint32_t>(duplicate_bytes.data() + index * kDuplicateSize));
  }
};

/// A SACK to be sent, its lists still numbers.
struct SackToSend {
  Tsn cumulative_tsn;
  std::uint32_t a_rwnd = 0;
  std::span<const GapBlock> gap_blocks;
  std::span<const Tsn> duplicates;

  [[nodiscard]] std::size_t size() const {
    return SackChunk::kHeaderSize + gap_blocks.size() * SackChunk::kGapBlockSize +
           duplicates.size() * SackChunk::kDuplicateSize;
  }
  void write(std::byte* at) const {
    write_chunk_header(at, ChunkType::sack, 0, size());
    FixedWriter<SackChunk::kHeaderSize> fixed(at);
    fixed.set<4>(cumulative_tsn.value());
    fixed.set<8>(a_rwnd);
    fixed.set<12>(static_cast<std::uint16_t>(gap_blocks.size()));
    fixed.set<14>(static_cast<std::uint16_t>(duplicates.size()));
    at += SackChunk::kHeaderSize;
    for (const GapBlock& block : gap_blocks) {
      store_big_endian(at, block.start);
      store_big_endian(at + 2, block.end);
      at += SackChunk::kGapBlockSize;
    }
    for (const Tsn tsn : duplicates) {
      store_big_endian(at, tsn.value());
      at += SackChunk::kDuplicateSize;
    }
  }
};

}  // namespace wdc::sctp
