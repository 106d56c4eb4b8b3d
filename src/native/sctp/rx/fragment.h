// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/data_kind.h"
#include "src/native/sctp/packet/i_data_chunk.h"

namespace wdc::sctp {

/// What DATA and I-DATA chunks say alike. The number of a message is an SSN or a MID, and counts in its own width.
struct Fragment {
  UnwrappedTsn tsn;
  StreamId stream;
  std::uint32_t message_number = 0;
  std::uint32_t fragment_number = 0;  // I-DATA only
  Ppid ppid;
  DataFlags flags;
  ByteView payload;

  [[nodiscard]] static Fragment of(const DataChunk& chunk, UnwrappedTsn tsn) {
    return {tsn, chunk.stream, chunk.ssn.value(), 0, chunk.ppid, chunk.flags, chunk.payload};
  }
  [[nodiscard]] static Fragment of(const IDataChunk& chunk, UnwrappedTsn tsn) {
    return {tsn, chunk.stream, chunk.mid.value(), chunk.fsn.value(), chunk.ppid, chunk.flags, chunk.payload};
  }
};

}  // namespace wdc::sctp
