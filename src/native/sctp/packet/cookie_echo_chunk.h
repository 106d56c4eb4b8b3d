// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/chunk.h"

namespace wdc::sctp {

/// RFC 9260 section 3.3.11: the cookie of the INIT ACK, as it came.
///
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Type = 10   |  Chunk Flags  |            Length             |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                            Cookie                             :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct CookieEchoChunk {
  ByteView cookie;

  [[nodiscard]] static CookieEchoChunk parse(const ChunkView& chunk) { return {chunk_value(chunk)}; }
  [[nodiscard]] std::size_t size() const { return kChunkHeaderSize + cookie.size(); }
  void write(std::byte* at) const {
    write_chunk_header(at, ChunkType::cookie_echo, 0, size());
    copy_bytes(at + kChunkHeaderSize, cookie);
  }
};

}  // namespace wdc::sctp
