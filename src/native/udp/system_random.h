// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace wdc::udp {

/// The system's CSPRNG, read in blocks.
class SystemRandom {
 public:
  [[nodiscard]] std::uint64_t next();
  void fill(std::span<std::byte> bytes);

 private:
  std::array<std::uint64_t, 32> block_{};
  std::size_t left_ = 0;
};

}  // namespace wdc::udp
