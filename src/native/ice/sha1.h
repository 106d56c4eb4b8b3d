// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace wdc::ice {

using Sha1Digest = std::array<std::byte, 20>;

/// SHA-1 (FIPS 180-4), which RFC 8489 fixes for MESSAGE-INTEGRITY: as a key's hash it still holds, where collisions do
/// not matter. For nothing else than STUN, and our own so that the room needs nothing from outside.
class Sha1 {
 public:
  void update(std::span<const std::byte> bytes);
  [[nodiscard]] Sha1Digest finish();

 private:
  void process(const std::byte* block);

  std::array<std::uint32_t, 5> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::array<std::byte, 64> block_{};
  std::uint64_t size_ = 0;
};

/// RFC 2104 over the parts of a message, one after the other.
[[nodiscard]] Sha1Digest hmac_sha1(std::string_view key, std::span<const std::byte> first,
                                   std::span<const std::byte> second = {});
/// Takes the same time wherever they differ.
[[nodiscard]] bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b);

}  // namespace wdc::ice
