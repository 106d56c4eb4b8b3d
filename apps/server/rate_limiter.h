// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace wdc::server {

using TimePoint = std::chrono::steady_clock::time_point;

struct Rate {
  double per_second;
  double burst;
};

// A token bucket: holds up to `burst` tokens, gains `per_second`, starts full. Reads no clock.
class TokenBucket {
 public:
  explicit TokenBucket(Rate rate) : rate_(rate), tokens_(rate.burst) {}

  // Takes `amount` tokens, or none and answers false if there are fewer. A `now` earlier than the last one gains
  // nothing.
  [[nodiscard]] bool try_take(double amount, TimePoint now);

  // How long until `amount` tokens will be there; zero if they are. REQUIRES: amount <= burst.
  [[nodiscard]] std::chrono::milliseconds wait_for(double amount, TimePoint now);

  [[nodiscard]] bool is_full(TimePoint now);

 private:
  void refill(TimePoint now);

  Rate rate_;
  double tokens_;
  TimePoint refilled_ = TimePoint::min();
};

}  // namespace wdc::server
