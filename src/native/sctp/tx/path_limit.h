// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>

#include "src/native/sctp/time.h"

namespace wdc::sctp {

/// How much may be in flight on a path so short that all of the peer's window would only wait in queues, out of the
/// processors' caches: what passes at kBytesPerNanosecond, faster than this library is, in the shortest round trip of
/// late. From a round trip of 2.5 ms on that is more than a window of 5 MiB: no network is slowed down.
class PathLimit {
 public:
  static constexpr std::size_t kLeast = std::size_t{256} << 10;
  static constexpr std::size_t kBytesPerNanosecond = 2;
  /// From here on a window of 5 MiB is less than what is allowed.
  static constexpr Duration kShortest = std::chrono::microseconds(2'500);
  /// A path that has become longer is known after two of them.
  static constexpr Duration kPeriod = std::chrono::seconds(5);

  void observe(Duration round_trip, TimePoint now) {
    if (now >= period_end_) {
      before_ = shortest_;
      shortest_ = kLongest;
      period_end_ = now + kPeriod;
    }
    shortest_ = std::clamp(round_trip, Duration{}, shortest_);
    const auto nanoseconds = static_cast<std::size_t>(std::min(shortest_, before_).count());
    bytes_ = std::max(kLeast, kBytesPerNanosecond * nanoseconds);
  }
  /// Before the first round trip: kLeast.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static constexpr Duration kLongest = std::chrono::seconds(1);

  Duration shortest_ = kLongest;
  Duration before_ = kLongest;
  TimePoint period_end_{};
  std::size_t bytes_ = kLeast;
};

}  // namespace wdc::sctp
