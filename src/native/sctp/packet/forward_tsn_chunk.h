// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>

#include "src/native/sctp/packet/chunk.h"

namespace wdc::sctp {

/// RFC 3758 section 3.2.
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Type = 192  |  Flags = 0x00 |        Length = Variable      |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                      New Cumulative TSN                       |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |         Stream-1              |       Stream Sequence-1       |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                              ...                              :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct ForwardTsnChunk {
  static constexpr std::size_t kHeaderSize = 8;
  static constexpr std::size_t kSkipSize = 4;
  struct Skip {
    StreamId stream;
    Ssn ssn;
    friend bool operator==(const Skip&, const Skip&) = default;
  };

  Tsn new_cumulative_tsn;
  ByteView skip_bytes;

  [[nodiscard]] static std::optional<ForwardTsnChunk> parse(const ChunkView& chunk) {
    const auto fixed = FixedReader<kHeaderSize>::of(chunk.bytes);
    if (!fixed) return std::nullopt;
    const ByteView skips = chunk.bytes.subspan(kHeaderSize);
    if (skips.size() % kSkipSize != 0) return std::nullopt;
    return ForwardTsnChunk{Tsn(fixed->get<std::uint32_t, 4>()), skips};
  }
  [[nodiscard]] std::size_t skip_count() const { return skip_bytes.size() / kSkipSize; }
  [[nodiscard]] Skip skip(std::size_t index) const {
    assert(index < skip_count());
    const std::byte* at = skip_bytes.data() + index * kSkipSize;
    return {StreamId(load_big_endian<std::uint16_t>(at)), Ssn(load_big_endian<std::uint16_t>(at + 2))};
  }
};

struct ForwardTsnToSend {
  Tsn new_cumulative_tsn;
  std::span<const ForwardTsnChunk::Skip> skips;

  [[nodiscard]] std::size_t size() const {
    return ForwardTsnChunk::kHeaderSize + skips.size() * ForwardTsnChunk::kSkipSize;
  }
  void write(std::byte* at) const {
    write_chunk_header(at, ChunkType::forward_tsn, 0, size());
    store_big_endian(at + 4, new_cumulative_tsn.value());
    at += ForwardTsnChunk::kHeaderSize;
    for (const ForwardTsnChunk::Skip& skip : skips) {
      store_big_endian(at, skip.stream.value());
      store_big_endian(at + 2, skip.ssn.value());
      at += ForwardTsnChunk::kSkipSize;
    }
  }
};

}  // namespace wdc::sctp
