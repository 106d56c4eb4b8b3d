// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/retransmission_timeout.h"

#include <algorithm>

namespace wdc::sctp {

void RetransmissionTimeout::observe(Duration round_trip) {
  if (!measured_) {  // rule C2
    measured_ = true;
    smoothed_ = shortest_ = round_trip;
    variation_ = round_trip / 2;
  } else {  // rule C3, with RTO.Alpha 1/8 and RTO.Beta 1/4
    variation_ = (3 * variation_ + std::chrono::abs(smoothed_ - round_trip)) / 4;
    smoothed_ = (7 * smoothed_ + round_trip) / 8;
    shortest_ = std::min(shortest_, round_trip);
  }
  rto_ = std::clamp(smoothed_ + 4 * variation_, options_.min, options_.max);  // rules C6 and C7
}

void RetransmissionTimeout::back_off() { rto_ = std::min(2 * rto_, options_.max); }

}  // namespace wdc::sctp
