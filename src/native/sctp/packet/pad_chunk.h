// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/chunk.h"

namespace wdc::sctp {

/// RFC 4820 section 3: makes a packet as long as its neighbours. A receiver that does not know it skips it in silence.
///
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |  Type = 0x84  |   Flags = 0   |            Length             |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                         Padding Data                          :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct PadChunk {
  std::size_t length = kChunkHeaderSize;  // with the header, at least 4

  [[nodiscard]] std::size_t size() const { return length; }
  void write(std::byte* at) const {
    write_chunk_header(at, ChunkType::pad, 0, length);
    std::memset(at + kChunkHeaderSize, 0, length - kChunkHeaderSize);
  }
};

}  // namespace wdc::sctp
