// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>

#include "src/native/sctp/packet/chunk.h"

namespace wdc::sctp {

/// RFC 8260 section 2.3.1.
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Type = 194  |  Flags = 0x00 |      Length = Variable        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                       New Cumulative TSN                      |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |       Stream Identifier       |          Reserved           |U|
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                       Message Identifier                      |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                              ...                              :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct IForwardTsnChunk {
  static constexpr std::size_t kHeaderSize = 8;
  static constexpr std::size_t kSkipSize = 8;
  struct Skip {
    StreamId stream;
    bool unordered = false;
    Mid mid;
    friend bool operator==(const Skip&, const Skip&) = default;
  };

  Tsn new_cumulative_tsn;
  ByteView skip_bytes;

  [[nodiscard]] static std::optional<IForwardTsnChunk> parse(const ChunkView& chunk) {
    const auto fixed = FixedReader<kHeaderSize>::of(chunk.bytes);
    if (!fixed) return std::nullopt;
    const ByteView skips = chunk.bytes.subspan(kHeaderSize);
    if (skips.size() % kSkipSize != 0) return std::nullopt;
    return IForwardTsnChunk{Tsn(fixed->get<std::uint32_t, 4>()), skips};
  }
  [[nodiscard]] std::size_t skip_count() const { return skip_bytes.size() / kSkipSize; }
  [[nodiscard]] Skip skip(std::size_t index) const {
    assert(index < skip_count());
    const std::byte* at = skip_bytes.data() + index * kSkipSize;
    return {StreamId(load_big_endian<std::uint16_t>(at)), (load_big_endian<std::uint16_t>(at + 2) & 1) != 0,
            Mid(load_big_endian<std::uint32_t>(at + 4))};
  }
};

struct IForwardTsnToSend {
  Tsn new_cumulative_tsn;
  std::span<const IForwardTsnChunk::Skip> skips;

  [[nodiscard]] std::size_t size() const {
    return IForwardTsnChunk::kHeaderSize + skips.size() * IForwardTsnChunk::kSkipSize;
  }
  void write(std::byte* at) const {
    write_chunk_header(at, ChunkType::i_forward_tsn, 0, size());
    store_big_endian(at + 4, new_cumulative_tsn.value());
    at += IForwardTsnChunk::kHeaderSize;
    for (const IForwardTsnChunk::Skip& skip : skips) {
      store_big_endian(at, skip.stream.value());
      store_big_endian(at + 2, static_cast<std::uint16_t>(skip.unordered ? 1 : 0));
      store_big_endian(at + 4, skip.mid.value());
      at += IForwardTsnChunk::kSkipSize;
    }
  }
};

}  // namespace wdc::sctp
