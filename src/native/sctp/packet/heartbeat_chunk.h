// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/chunk.h"
#include "src/native/sctp/packet/parameter.h"

namespace wdc::sctp {

/// HEARTBEAT and HEARTBEAT ACK (RFC 9260 sections 3.3.5 and 3.3.6): what is in the parameter is the sender's own
/// business.
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |  Type = 4, 5  |  Chunk Flags  |       Heartbeat Length        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |    Heartbeat Info Type = 1    |         HB Info Length        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                Sender-Specific Heartbeat Info                 :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct HeartbeatChunk {
  static constexpr std::size_t kHeaderSize = kChunkHeaderSize + kParameterHeaderSize;

  ChunkType type = ChunkType::heartbeat;
  ByteView info;

  /// Empty where there is no well-formed information.
  [[nodiscard]] static std::optional<HeartbeatChunk> parse(const ChunkView& chunk) {
    const auto parameter = ParameterWalk(chunk_value(chunk)).next();
    if (!parameter || parameter->type != ParameterType::heartbeat_info) return std::nullopt;
    return HeartbeatChunk{chunk.type, parameter->value()};
  }
  [[nodiscard]] std::size_t size() const { return kHeaderSize + info.size(); }
  void write(std::byte* at) const {
    write_chunk_header(at, type, 0, size());
    write_parameter_header(at + kChunkHeaderSize, ParameterType::heartbeat_info, kParameterHeaderSize + info.size());
    copy_bytes(at + kHeaderSize, info);
  }
};

}  // namespace wdc::sctp
