// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/numbers.h"
#include "src/native/sctp/packet/parameter.h"

namespace wdc::sctp {

enum class ReconfigResult : std::uint32_t {
  nothing_to_do = 0,
  performed = 1,
  denied = 2,
  wrong_ssn = 3,
  request_in_progress = 4,
  bad_request_number = 5,
  in_progress = 6,
};

/// RFC 6525 section 4.4. The two optional TSNs answer requests that are never made here, and are skipped.
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |     Parameter Type = 16       |      Parameter Length         |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |         Re-configuration Response Sequence Number             |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |                            Result                             |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct ReconfigResponseParameter {
  static constexpr std::size_t kSize = 12;

  RequestNumber response;
  ReconfigResult result{};

  [[nodiscard]] static std::optional<ReconfigResponseParameter> parse(const ParameterView& parameter) {
    const auto fixed = FixedReader<kSize>::of(parameter.bytes);
    if (!fixed) return std::nullopt;
    return ReconfigResponseParameter{RequestNumber(fixed->get<std::uint32_t, 4>()),
                                     ReconfigResult{fixed->get<std::uint32_t, 8>()}};
  }
  [[nodiscard]] static constexpr std::size_t size() { return kSize; }
  void write(std::byte* at) const {
    write_parameter_header(at, ParameterType::reconfig_response, kSize);
    store_big_endian(at + 4, response.value());
    store_big_endian(at + 8, static_cast<std::uint32_t>(result));
  }
};

}  // namespace wdc::sctp
