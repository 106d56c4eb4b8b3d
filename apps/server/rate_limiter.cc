// SPDX-License-Identifier: MIT
#include "apps/server/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace wdc::server {

bool TokenBucket::try_take(double amount, TimePoint now) {
  refill(now);
  if (tokens_ < amount) return false;
  tokens_ -= amount;
  return true;
}

std::chrono::milliseconds TokenBucket::wait_for(double amount, TimePoint now) {
  refill(now);
  if (tokens_ >= amount) return {};
  return std::chrono::milliseconds(std::llround(std::ceil((amount - tokens_) / rate_.per_second * 1000)));
}

bool TokenBucket::is_full(TimePoint now) {
  refill(now);
  return tokens_ >= rate_.burst;
}

void TokenBucket::refill(TimePoint now) {
  if (refilled_ == TimePoint::min()) refilled_ = now;  // the first call: full as constructed
  if (now <= refilled_) return;
  const std::chrono::duration<double> passed = now - refilled_;
  tokens_ = std::min(rate_.burst, tokens_ + passed.count() * rate_.per_second);
  refilled_ = now;
}

}  // namespace wdc::server
