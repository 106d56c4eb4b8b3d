// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace wdc::transfer {

using Digest = std::array<std::byte, 32>;

/// SHA-256 of a stream of bytes (FIPS 180-4 section 6.2).
class Sha256 {
 public:
  void update(std::span<const std::byte> bytes) noexcept;
  /// The digest of everything so far. The hash is not to be used afterwards.
  [[nodiscard]] Digest finish() noexcept;

 private:
  static constexpr std::size_t kBlockSize = 64;
  void compress(const std::byte* blocks, std::size_t count) noexcept;

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, kBlockSize> pending_{};
  std::uint64_t length_ = 0;  // in bytes
};

/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(const Digest& digest);

}  // namespace wdc::transfer
