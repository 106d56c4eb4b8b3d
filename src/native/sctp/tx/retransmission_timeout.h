// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/time.h"

namespace wdc::sctp {

struct RetransmissionTimeoutOptions {
  /// RFC 9260 section 16: 1 second.
  Duration initial = std::chrono::seconds(1);
  /// RFC 9260 says 1 second, for receivers that wait up to 500 ms with a SACK. Browsers wait at most 200 ms, so this is
  /// that with as much again.
  Duration min = std::chrono::milliseconds(400);
  /// RFC 9260 says 60 seconds. ICE has noticed a lost path long before; this only sets how soon traffic goes on after a
  /// pause of the network.
  Duration max = std::chrono::seconds(10);
};

/// RTO calculation, RFC 9260 section 6.3.1.
class RetransmissionTimeout {
 public:
  explicit RetransmissionTimeout(const RetransmissionTimeoutOptions& options)
      : options_(options), rto_(options.initial) {}

  /// REQUIRES: measured on a packet that was sent once (rule C5, Karn's algorithm).
  void observe(Duration round_trip);
  /// Rule E2, after a timeout.
  void back_off();
  [[nodiscard]] Duration value() const { return rto_; }
  /// Zero before the first measurement.
  [[nodiscard]] Duration smoothed() const { return smoothed_; }
  /// The path's own, without its queues; zero before the first measurement.
  [[nodiscard]] Duration shortest() const { return shortest_; }

 private:
  RetransmissionTimeoutOptions options_;
  Duration smoothed_{};
  Duration shortest_{};
  Duration variation_{};
  Duration rto_;
  bool measured_ = false;
};

}  // namespace wdc::sctp
