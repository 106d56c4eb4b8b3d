// SPDX-License-Identifier: MIT
#pragma once

#include <wasm_simd128.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace bench {

/// The sum of all bytes: a reader that looks at every one.
[[nodiscard]] inline std::uint64_t byte_sum(std::span<const std::byte> bytes) noexcept {
  std::uint64_t sum = 0;
  const auto* next = bytes.data();
  std::size_t left = bytes.size();
  // Four vectors of 16 bytes a round. A 32-bit lane grows by at most 16 * 255 a round, so it holds 2^20 rounds, 64 MiB.
  constexpr std::size_t kRound = 64;
  constexpr std::size_t kMostRounds = std::size_t{1} << 20;
  static_assert(kMostRounds * 16 * 255 <= UINT32_MAX);
  while (left >= kRound) {
    v128_t lanes = wasm_u32x4_const_splat(0);
    for (std::size_t rounds = 0; left >= kRound && rounds < kMostRounds; ++rounds, next += kRound, left -= kRound) {
      v128_t pairs = wasm_u16x8_extadd_pairwise_u8x16(wasm_v128_load(next));
      for (std::size_t offset = 16; offset < kRound; offset += 16)
        pairs = wasm_i16x8_add(pairs, wasm_u16x8_extadd_pairwise_u8x16(wasm_v128_load(next + offset)));
      lanes = wasm_i32x4_add(lanes, wasm_u32x4_extadd_pairwise_u16x8(pairs));
    }
    sum += std::uint64_t{wasm_u32x4_extract_lane(lanes, 0)} + wasm_u32x4_extract_lane(lanes, 1) +
           wasm_u32x4_extract_lane(lanes, 2) + wasm_u32x4_extract_lane(lanes, 3);
  }
  for (; left > 0; ++next, --left) sum += std::to_integer<std::uint64_t>(*next);
  return sum;
}

}  // namespace bench
