// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace wdc::sctp {

/// Where tags, initial TSNs, cookie keys and heartbeat nonces come from: the system's CSPRNG outside tests.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;
};

}  // namespace wdc::sctp
