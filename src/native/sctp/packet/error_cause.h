// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "src/native/sctp/packet/chunk.h"
#include "src/native/sctp/packet/parameter.h"

namespace wdc::sctp {

/// RFC 9260 section 3.3.10. Causes not listed here are accepted from a peer all the same.
enum class CauseCode : std::uint16_t {
  none = 0,  // not of the wire: an ABORT without a cause
  invalid_stream_identifier = 1,
  missing_mandatory_parameter = 2,
  stale_cookie = 3,
  out_of_resource = 4,
  unresolvable_address = 5,
  unrecognized_chunk_type = 6,
  invalid_mandatory_parameter = 7,
  unrecognized_parameters = 8,
  no_user_data = 9,
  cookie_received_while_shutting_down = 10,
  restart_with_new_addresses = 11,
  user_initiated_abort = 12,
  protocol_violation = 13,
};

/// The cause an ABORT or ERROR carries; of several, the first.
///
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |           Cause Code          |       Cause Length            |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                    Cause-Specific Information                 :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct ErrorCause {
  CauseCode code = CauseCode::none;
  ByteView information;

  /// The first cause, or `none` where there is no well-formed one: a broken list does not keep an ABORT from aborting.
  [[nodiscard]] static ErrorCause first_of(const ChunkView& chunk) {
    const auto cause = ParameterWalk(chunk_value(chunk)).next();
    if (!cause) return {};
    return {CauseCode{static_cast<std::uint16_t>(cause->type)}, cause->value()};
  }
  [[nodiscard]] std::size_t size() const {
    return code == CauseCode::none ? 0 : kParameterHeaderSize + information.size();
  }
  void write(std::byte* at) const {
    if (code == CauseCode::none) return;
    write_parameter_header(at, ParameterType{static_cast<std::uint16_t>(code)}, size());
    copy_bytes(at + kParameterHeaderSize, information);
  }
};

}  // namespace wdc::sctp
