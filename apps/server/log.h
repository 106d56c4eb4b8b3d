// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <ostream>
#include <string_view>

#include "apps/server/rate_limiter.h"

namespace wdc::server {

// Lines for the operator. Whoever passes text of a remote escapes it first (text.h). Remotes can cause lines, so lines
// have a rate: what exceeds it is counted and the count is printed later.
class Log {
 public:
  // `out` must outlive the log; null logs nothing.
  explicit Log(std::ostream* out) : out_(out) {}

  void line(std::string_view text, TimePoint now = std::chrono::steady_clock::now());

 private:
  std::ostream* out_;
  TokenBucket budget_{{.per_second = 50, .burst = 500}};
  std::size_t suppressed_ = 0;
};

}  // namespace wdc::server
