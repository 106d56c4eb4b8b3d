// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "src/native/sctp/packet/chunk.h"
#include "src/native/sctp/packet/parameter.h"

namespace wdc::sctp {

/// The chunk types a sender knows beside the basic ones, a byte each (RFC 5061 section 4.2.7).
///
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |     Parameter Type = 0x8008   |      Parameter Length         |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   | CHUNK TYPE 1  |  CHUNK TYPE 2 |  ...                          |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
struct SupportedExtensionsParameter {
  static constexpr ParameterType kType = ParameterType::supported_extensions;

  ByteView types;

  [[nodiscard]] static SupportedExtensionsParameter parse(const ParameterView& parameter) {
    return {parameter.value()};
  }
  [[nodiscard]] bool has(ChunkType type) const { return std::ranges::find(types, std::byte(type)) != types.end(); }
};

}  // namespace wdc::sctp
