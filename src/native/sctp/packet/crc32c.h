// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wdc::sctp {

/// CRC32c as SCTP uses it (RFC 9260 appendix A), by the fastest means this processor has. Store it little-endian.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes);

/// One way to compute it, to test them against each other. The state is the CRC before its final inversion.
struct Crc32cImplementation {
  const char* name;
  std::uint32_t (*update)(std::uint32_t state, const std::byte* data, std::size_t size);
};

/// Those this processor can run, the portable one first, the one in use last.
[[nodiscard]] std::span<const Crc32cImplementation> crc32c_implementations();

}  // namespace wdc::sctp
