// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "src/native/sctp/packet/bytes.h"

namespace wdc::sctp {

using SipHashKey = std::array<std::uint64_t, 2>;

/// SipHash-2-4 with a result of 128 bits (Aumasson and Bernstein, 2012): a keyed hash that is quick on a hundred bytes.
/// As the first eight bytes' word and the last eight bytes' word, each little-endian.
[[nodiscard]] std::array<std::uint64_t, 2> siphash128(const SipHashKey& key, ByteView bytes);

}  // namespace wdc::sctp
