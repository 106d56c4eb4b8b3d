// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/error_cause.h"

namespace wdc::sctp {

/// The T bit of ABORT and SHUTDOWN COMPLETE: the tag is the one the peer sent, reflected (RFC 9260 section 8.5.1).
enum class TagKind : std::uint8_t { own, reflected };

[[nodiscard]] constexpr TagKind tag_kind(std::uint8_t chunk_flags) {
  return (chunk_flags & 1) != 0 ? TagKind::reflected : TagKind::own;
}

/// RFC 9260 section 3.3.7.
///
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Type = 6    |  Reserved   |T|            Length             |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                  zero or more Error Causes                    :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct AbortChunk {
  TagKind tag = TagKind::own;
  ErrorCause cause;

  [[nodiscard]] static AbortChunk parse(const ChunkView& chunk) {
    return {tag_kind(chunk.flags), ErrorCause::first_of(chunk)};
  }
  [[nodiscard]] std::size_t size() const { return kChunkHeaderSize + cause.size(); }
  void write(std::byte* at) const {
    write_chunk_header(at, ChunkType::abort, tag == TagKind::reflected ? 1 : 0, size());
    cause.write(at + kChunkHeaderSize);
  }
};

}  // namespace wdc::sctp
