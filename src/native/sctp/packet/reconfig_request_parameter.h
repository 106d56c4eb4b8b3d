// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/numbers.h"
#include "src/native/sctp/packet/parameter.h"

namespace wdc::sctp {

/// The requests that data channels never make, and that are denied here: Incoming SSN Reset, SSN/TSN Reset, Add
/// Outgoing and Add Incoming Streams (RFC 6525 sections 4.2, 4.3, 4.5 and 4.6). All begin alike.
///
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |   Parameter Type = 14, 15, 17, 18    |    Parameter Length    |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |         Re-configuration Request Sequence Number              |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                              ...                              :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct ReconfigRequestParameter {
  RequestNumber request;

  [[nodiscard]] static constexpr bool is(ParameterType type) {
    return type == ParameterType::incoming_reset_request || type == ParameterType::tsn_reset_request ||
           type == ParameterType::add_outgoing_streams || type == ParameterType::add_incoming_streams;
  }
  [[nodiscard]] static std::optional<ReconfigRequestParameter> parse(const ParameterView& parameter) {
    const auto fixed = FixedReader<8>::of(parameter.bytes);
    if (!fixed) return std::nullopt;
    return ReconfigRequestParameter{RequestNumber(fixed->get<std::uint32_t, 4>())};
  }
};

}  // namespace wdc::sctp
