// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/data_chunk.h"

namespace wdc::sctp {

/// RFC 8260 section 2.1.
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Type = 64   |  Res  |I|U|B|E|            Length             |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                              TSN                              |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |        Stream Identifier      |           Reserved            |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                      Message Identifier                       |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |    Payload Protocol Identifier / Fragment Sequence Number     |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                           User Data                           :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct IDataChunk {
  static constexpr ChunkType kType = ChunkType::i_data;
  static constexpr std::size_t kHeaderSize = 20;

  Tsn tsn;
  StreamId stream;
  Mid mid;
  Ppid ppid;  // on the wire in a message's first fragment only
  Fsn fsn;    // 0, and not on the wire, in the first fragment
  DataFlags flags;
  ByteView payload;

  /// Empty where it is too short.
  [[nodiscard]] static std::optional<IDataChunk> parse(const ChunkView& chunk) {
    const auto fixed = FixedReader<kHeaderSize>::of(chunk.bytes);
    if (!fixed) return std::nullopt;
    const DataFlags flags = DataFlags::parse(chunk.flags);
    const auto shared = fixed->get<std::uint32_t, 16>();
    return IDataChunk{Tsn(fixed->get<std::uint32_t, 4>()),  StreamId(fixed->get<std::uint16_t, 8>()),
                      Mid(fixed->get<std::uint32_t, 12>()), Ppid(flags.beginning ? shared : 0),
                      Fsn(flags.beginning ? 0 : shared),    flags,
                      chunk.bytes.subspan(kHeaderSize)};
  }
  [[nodiscard]] std::size_t size() const { return kHeaderSize + payload.size(); }
  void write(std::byte* at) const {
    write_chunk_header(at, kType, flags.wire(), size());
    FixedWriter<kHeaderSize> fixed(at);
    fixed.set<4>(tsn.value());
    fixed.set<8>(stream.value());
    fixed.set<10>(std::uint16_t{0});
    fixed.set<12>(mid.value());
    fixed.set<16>(flags.beginning ? ppid.value() : fsn.value());
    copy_bytes(at + kHeaderSize, payload);
  }
};

}  // namespace wdc::sctp
