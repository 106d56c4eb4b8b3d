// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "src/native/sctp/packet/chunk.h"
#include "src/native/sctp/packet/parameter.h"

namespace wdc::sctp {

/// What one end can do beside RFC 9260, as its INIT or INIT ACK says.
struct Capabilities {
  bool partial_reliability = false;   // RFC 3758
  bool message_interleaving = false;  // RFC 8260
  bool stream_reset = false;          // RFC 6525
  bool zero_checksum = false;         // RFC 9653, over DTLS
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

/// The fixed part of INIT and INIT ACK, and what their parameters said (RFC 9260 sections 3.3.2 and 3.3.3).
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |  Type = 1, 2  |  Chunk Flags  |      Chunk Length             |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                         Initiate Tag                          |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |           Advertised Receiver Window Credit (a_rwnd)          |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |  Number of Outbound Streams   |  Number of Inbound Streams    |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                          Initial TSN                          |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :              Optional/Variable-Length Parameters              :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct InitChunk {
  static constexpr std::size_t kHeaderSize = 20;

  VerificationTag initiate_tag;
  std::uint32_t a_rwnd = 0;
  std::uint16_t outbound_streams = 0;
  std::uint16_t inbound_streams = 0;
  Tsn initial_tsn;
  Capabilities capabilities;
  ByteView cookie;  // INIT ACK: its state cookie

  /// Parameters of unknown types that ask to be reported, each whole; those beyond the array's size go unreported,
  /// which the peer must bear anyway (the report is only a SHOULD).
  std::array<ByteView, 4> unrecognized{};
  std::size_t unrecognized_count = 0;

  /// Empty where the chunk is malformed. Values that section 3.3.2 forbids (a zero tag, zero streams) are left to
  /// judge.
  [[nodiscard]] static std::optional<InitChunk> parse(const ChunkView& chunk);
};

/// An INIT or INIT ACK to be sent.
struct InitToSend {
  ChunkType type = ChunkType::init;
  VerificationTag initiate_tag;
  std::uint32_t a_rwnd = 0;
  std::uint16_t outbound_streams = 0;
  std::uint16_t inbound_streams = 0;
  Tsn initial_tsn;
  Capabilities capabilities;
  ByteView cookie;                         // INIT ACK only
  std::span<const ByteView> unrecognized;  // INIT ACK only: parameters to report, each whole

  [[nodiscard]] std::size_t size() const;
  void write(std::byte* at) const;
};

}  // namespace wdc::sctp
