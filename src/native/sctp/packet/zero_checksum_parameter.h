// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "src/native/sctp/packet/parameter.h"

namespace wdc::sctp {

/// "You may send me packets without a checksum where this other method detects errors" (RFC 9653 section 4).
///
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |         Type = 0x8001         |          Length = 8           |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |           Error Detection Method Identifier (EDMID)           |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct ZeroChecksumParameter {
  static constexpr ParameterType kType = ParameterType::zero_checksum_acceptable;
  static constexpr std::size_t kSize = 8;
  static constexpr std::uint32_t kDtls = 1;  // SCTP over DTLS, RFC 9653 section 6

  std::uint32_t method = kDtls;

  [[nodiscard]] static std::optional<ZeroChecksumParameter> parse(const ParameterView& parameter) {
    const auto fixed = FixedReader<kSize>::of(parameter.bytes);
    if (!fixed || parameter.bytes.size() != kSize) return std::nullopt;
    return ZeroChecksumParameter{fixed->get<std::uint32_t, 4>()};
  }
  void write(std::byte* at) const {
    write_parameter_header(at, kType, kSize);
    store_big_endian(at + 4, method);
  }
};

}  // namespace wdc::sctp
