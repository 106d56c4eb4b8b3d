// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/pacer.h"

#include <algorithm>

namespace wdc::sctp {
namespace {

/// Faster than the window needs, as RFC 9002 section 7.7 has it, so that the window decides; twice where it may double.
constexpr std::int64_t gain_percent(bool in_slow_start) { return in_slow_start ? 200 : 125; }

}  // namespace

std::int64_t Pacer::earned(const Path& path, Duration time) {
  const std::int64_t nanoseconds = std::clamp<Duration>(time, Duration{}, path.smoothed).count();
  const auto window = static_cast<std::int64_t>(path.window);
  return window * gain_percent(path.in_slow_start) / 100 * nanoseconds / path.smoothed.count();
}

std::int64_t Pacer::burst(const Path& path) {
  const auto millisecond = static_cast<std::size_t>(earned(path, std::chrono::milliseconds(1)));
  return static_cast<std::int64_t>(
      std::clamp(millisecond, kLeastBurst * path.packet_size, kMostBurst * path.packet_size));
}

bool Pacer::may_send(const Path& path, TimePoint now) {
  if (path.shortest < kShortestPaced) return true;
  credit_ = std::min(credit_ + earned(path, now - credited_at_), burst(path));
  credited_at_ = now;
  return credit_ > 0;
}

TimePoint Pacer::next(const Path& path) const {
  // Half a burst: where the caller wakes late, the other half makes up for it.
  const std::int64_t missing = burst(path) / 2 - credit_;
  const std::int64_t rate = std::max<std::int64_t>(earned(path, path.smoothed), 1);  // bytes in a round trip
  return credited_at_ + std::clamp(path.smoothed * missing / rate, Duration(1), path.smoothed);
}

}  // namespace wdc::sctp
