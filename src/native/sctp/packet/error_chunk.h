// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/error_cause.h"

namespace wdc::sctp {

/// Operation Error (RFC 9260 section 3.3.10): one cause is enough for everything sent here.
struct ErrorChunk {
  ErrorCause cause;

  [[nodiscard]] static ErrorChunk parse(const ChunkView& chunk) { return {ErrorCause::first_of(chunk)}; }
  [[nodiscard]] std::size_t size() const { return kChunkHeaderSize + cause.size(); }
  void write(std::byte* at) const {
    write_chunk_header(at, ChunkType::error, 0, size());
    cause.write(at + kChunkHeaderSize);
  }
};

}  // namespace wdc::sctp
