// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace wdc::native {

/// Where passwords, transaction ids and tie-breakers come from: the system's CSPRNG outside tests.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;
};

}  // namespace wdc::native
