// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/native/sctp/time.h"

namespace wdc::sctp {

/// Spreads a window over its round trip: a path's queues, the receiver's socket buffer among them, hold a short train
/// but not all that a long path carries. Where the round trip is short there is nothing to spread, and no limit.
class Pacer {
 public:
  struct Path {
    std::size_t window = 0;
    std::size_t packet_size = 0;
    bool in_slow_start = false;
    Duration smoothed{};
    Duration shortest{};  // round trips
  };

  /// Paths that are shorter are not paced.
  static constexpr Duration kShortestPaced = std::chrono::milliseconds(5);
  /// What may leave at once, in packets; in between, what the rate makes of a millisecond.
  static constexpr std::size_t kLeastBurst = 10;
  static constexpr std::size_t kMostBurst = 32;

  /// Whether a packet may leave now.
  [[nodiscard]] bool may_send(const Path& path, TimePoint now);
  /// When it is worth asking again. REQUIRES: may_send() has just said no.
  [[nodiscard]] TimePoint next(const Path& path) const;
  void note_sent(std::size_t bytes) { credit_ -= static_cast<std::int64_t>(bytes); }

 private:
  [[nodiscard]] static std::int64_t earned(const Path& path, Duration time);
  [[nodiscard]] static std::int64_t burst(const Path& path);

  std::int64_t credit_ = 0;  // bytes
  TimePoint credited_at_{};
};

}  // namespace wdc::sctp
