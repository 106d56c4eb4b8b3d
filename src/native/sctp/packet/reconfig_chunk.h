// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/chunk.h"
#include "src/native/sctp/packet/parameter.h"

namespace wdc::sctp {

/// RFC 6525 section 3.1: one or two parameters.
///
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |  Type = 130   |  Chunk Flags  |         Chunk Length          |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                  Re-configuration Parameter                   :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :             Re-configuration Parameter (optional)             :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct ReconfigChunk {
  [[nodiscard]] static ParameterWalk parameters(const ChunkView& chunk) { return ParameterWalk(chunk_value(chunk)); }
};

/// A RE-CONFIG with one parameter, which is all that is ever sent here.
template <class Parameter>
struct ReconfigToSend {
  Parameter parameter;

  [[nodiscard]] std::size_t size() const { return kChunkHeaderSize + parameter.size(); }
  void write(std::byte* at) const {
    write_chunk_header(at, ChunkType::reconfig, 0, size());
    parameter.write(at + kChunkHeaderSize);
  }
};

}  // namespace wdc::sctp
