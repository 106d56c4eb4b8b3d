// SPDX-License-Identifier: MIT
#pragma once

#include <cassert>

#include "src/native/sctp/numbers.h"
#include "src/native/sctp/packet/parameter.h"

namespace wdc::sctp {

/// Outgoing SSN Reset Request (RFC 6525 section 4.1): the sender resets these streams, or all where none is named.
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |     Parameter Type = 13       | Parameter Length = 16 + 2 * N |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |           Re-configuration Request Sequence Number            |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |           Re-configuration Response Sequence Number           |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                Sender's Last Assigned TSN                     |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |  Stream Number 1 (optional)   |    Stream Number 2 (optional) |
///   :                              ...                              :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct OutgoingResetParameter {
  static constexpr std::size_t kHeaderSize = 16;
  static constexpr std::size_t kStreamSize = 2;

  RequestNumber request;
  RequestNumber response;
  Tsn last_assigned_tsn;
  ByteView stream_bytes;

  [[nodiscard]] static std::optional<OutgoingResetParameter> parse(const ParameterView& parameter) {
    const auto fixed = FixedReader<kHeaderSize>::of(parameter.bytes);
    if (!fixed) return std::nullopt;
    const ByteView streams = parameter.bytes.subspan(kHeaderSize);
    if (streams.size() % kStreamSize != 0) return std::nullopt;
    return OutgoingResetParameter{RequestNumber(fixed->get<std::uint32_t, 4>()),
                                  RequestNumber(fixed->get<std::uint32_t, 8>()), Tsn(fixed->get<std::uint32_t, 12>()),
                                  streams};
  }
  [[nodiscard]] std::size_t stream_count() const { return stream_bytes.size() / kStreamSize; }
  [[nodiscard]] StreamId stream(std::size_t index) const {
    assert(index < stream_count());
    return StreamId(load_big_endian<std::uint16_t>(stream_bytes.data() + index * kStreamSize));
  }
};

struct OutgoingResetToSend {
  RequestNumber request;
  RequestNumber response;
  Tsn last_assigned_tsn;
  std::span<const StreamId> streams;

  [[nodiscard]] std::size_t size() const {
    return OutgoingResetParameter::kHeaderSize + streams.size() * OutgoingResetParameter::kStreamSize;
  }
  void write(std::byte* at) const {
    write_parameter_header(at, ParameterType::outgoing_reset_request, size());
    FixedWriter<OutgoingResetParameter::kHeaderSize> fixed(at);
    fixed.set<4>(request.value());
    fixed.set<8>(response.value());
    fixed.set<12>(last_assigned_tsn.value());
    at += OutgoingResetParameter::kHeaderSize;
    for (const StreamId stream : streams) {
      store_big_endian(at, stream.value());
      at += OutgoingResetParameter::kStreamSize;
    }
  }
};

}  // namespace wdc::sctp
