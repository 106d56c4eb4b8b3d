// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/new_reno.h"

#include <algorithm>

namespace wdc::sctp {

void NewReno::handle_ack(const AckedData& acked) {
  if (acked.in_recovery || !acked.cumulative_advanced) return;
  // Section 7.2.1: only a window that is being used may grow.
  const bool used = acked.in_flight_before + packet_size_ > window_;
  if (window_ <= threshold_) {
    if (used) window_ += std::min(acked.acked_bytes, kSlowStartPackets * packet_size_);
    return;
  }
  // Section 7.2.2.
  partial_bytes_acked_ += acked.acked_bytes;
  if (partial_bytes_acked_ < window_) return;
  if (used) {
    partial_bytes_acked_ -= window_;
    window_ += packet_size_;
  } else {
    partial_bytes_acked_ = window_;
  }
}

void NewReno::reduce() {
  threshold_ = std::max(window_ / 2, kMinPackets * packet_size_);
  partial_bytes_acked_ = 0;
}

void NewReno::handle_loss(std::size_t, TimePoint) {
  reduce();
  window_ = threshold_;
}

void NewReno::handle_timeout(TimePoint) {
  reduce();
  window_ = packet_size_;
}

}  // namespace wdc::sctp
