// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "src/native/sctp/numbers.h"
#include "src/native/sctp/packet/bytes.h"

namespace wdc::sctp {

/// RFC 9260 section 3.2, and the extensions' own registrations.
enum class ChunkType : std::uint8_t {
  data = 0,
  init = 1,
  init_ack = 2,
  sack = 3,
  heartbeat = 4,
  heartbeat_ack = 5,
  abort = 6,
  shutdown = 7,
  shutdown_ack = 8,
  error = 9,
  cookie_echo = 10,
  cookie_ack = 11,
  shutdown_complete = 14,
  auth = 15,            // RFC 4895: never negotiated here, refused
  i_data = 64,          // RFC 8260
  asconf_ack = 128,     // RFC 5061: never negotiated here, refused
  reconfig = 130,       // RFC 6525
  pad = 132,            // RFC 4820
  forward_tsn = 192,    // RFC 3758
  asconf = 193,         // RFC 5061: never negotiated here, refused
  i_forward_tsn = 194,  // RFC 8260
};

inline constexpr std::size_t kChunkHeaderSize = 4;

/// What to do with a chunk or parameter of an unknown type: its two highest bits say (RFC 9260 sections 3.2 and 3.2.1).
struct UnknownTypeRule {
  bool goes_on;
  bool reports;
};
[[nodiscard]] constexpr UnknownTypeRule unknown_chunk_rule(std::uint8_t type) {
  return {(type & 0x80) != 0, (type & 0x40) != 0};
}
[[nodiscard]] constexpr UnknownTypeRule unknown_parameter_rule(std::uint16_t type) {
  return {(type & 0x8000) != 0, (type & 0x4000) != 0};
}

/// One chunk inside a packet. `bytes` runs from its header to its stated length, without the padding.
struct ChunkView {
  ChunkType type{};
  std::uint8_t flags = 0;
  ByteView bytes;
};

/// Takes chunks off the front of a packet's chunks.
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Chunk Type  |  Chunk Flags  |         Chunk Length          |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                          Chunk Value                          :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
class ChunkWalk {
 public:
  explicit ChunkWalk(ByteView chunks) : rest_(chunks) {}

  /// Empty at the end, and at a chunk that cannot be one: then malformed() is true.
  [[nodiscard]] std::optional<ChunkView> next() {
    if (rest_.empty()) return std::nullopt;
    const auto header = FixedReader<kChunkHeaderSize>::of(rest_);
    if (!header) return fail();
    const std::size_t length = header->get<std::uint16_t, 2>();
    if (length < kChunkHeaderSize || length > rest_.size()) return fail();
    const ChunkView chunk{ChunkType{header->get<std::uint8_t, 0>()}, header->get<std::uint8_t, 1>(),
                          rest_.first(length)};
    // Some senders leave out the padding of the last chunk.
    rest_ = padded(length) >= rest_.size() ? ByteView{} : rest_.subspan(padded(length));
    return chunk;
  }
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  std::nullopt_t fail() {
    malformed_ = true;
    rest_ = {};
    return std::nullopt;
  }

  ByteView rest_;
  bool malformed_ = false;
};

/// The value of a chunk that passed ChunkWalk.
[[nodiscard]] inline ByteView chunk_value(const ChunkView& chunk) { return chunk.bytes.subspan(kChunkHeaderSize); }

/// Writes a chunk's header. REQUIRES: `length` fits 16 bits; every chunk is smaller than a UDP datagram.
inline void write_chunk_header(std::byte* at, ChunkType type, std::uint8_t flags, std::size_t length) {
  FixedWriter<kChunkHeaderSize> header(at);
  header.set<0>(static_cast<std::uint8_t>(type));
  header.set<1>(flags);
  header.set<2>(static_cast<std::uint16_t>(length));
}

}  // namespace wdc::sctp
