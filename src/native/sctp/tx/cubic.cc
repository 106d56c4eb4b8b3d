// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/cubic.h"

#include <algorithm>

namespace wdc::sctp {
namespace {

constexpr double kGrowth = 0.4;   // C, in packets a cubic second
constexpr double kRemains = 0.7;  // beta, of the window after a loss
constexpr double kRenoGrowth = 3 * (1 - kRemains) / (1 + kRemains);

/// By Newton; a few steps are enough, and no mathematical library is needed.
double cube_root(double value) {
  if (value <= 0) return 0;
  double root = std::max(value, 1.0);
  for (int i = 0; i < 60; ++i) {
    const double next = (2 * root + value / (root * root)) / 3;
    if (next >= root) break;
    root = next;
  }
  return root;
}

}  // namespace

double Cubic::curve(double seconds) const {
  const double from_origin = seconds - wait_;
  return origin_ + kGrowth * static_cast<double>(packet_size_) * from_origin * from_origin * from_origin;
}

void Cubic::begin_epoch(TimePoint now) {
  epoch_ = now;
  const auto window = static_cast<double>(window_);
  reno_ = window;
  origin_ = std::max(origin_, window);
  wait_ = cube_root((origin_ - window) / (kGrowth * static_cast<double>(packet_size_)));
}

void Cubic::watch_round_trip(Duration round_trip) {
  shortest_ = std::min(shortest_, round_trip);
  longer_rounds_ =
      round_trip > shortest_ + std::clamp(shortest_ / 8, kLeastLonger, kMostLonger) ? longer_rounds_ + 1 : 0;
  if (longer_rounds_ >= kLongerRounds && in_slow_start() && window_ >= kLeastPacketsToEnd * packet_size_)
    threshold_ = window_;
}

void Cubic::handle_ack(const AckedData& acked) {
  if (acked.round_trip > Duration{}) watch_round_trip(acked.round_trip);
  if (acked.in_recovery || !acked.cumulative_advanced) return;
  // RFC 9260 section 7.2.1: only a window that is being used may grow.
  if (acked.in_flight_before + packet_size_ <= window_) {
    if (!in_slow_start()) epoch_ = kNever;  // time in which nothing was asked for does not count
    return;
  }
  if (in_slow_start()) {
    window_ += std::min(acked.acked_bytes, kSlowStartPackets * packet_size_);
    return;
  }
  if (epoch_ == kNever) begin_epoch(acked.now);
  const auto window = static_cast<double>(window_);
  const auto bytes = static_cast<double>(acked.acked_bytes);
  const auto packet = static_cast<double>(packet_size_);
  // Section 4.3; from where it was before the loss on as fast as NewReno.
  reno_ += (reno_ < origin_ ? kRenoGrowth : 1.0) * packet * bytes / window;
  const double seconds = std::chrono::duration<double>(acked.now - epoch_).count();
  const double target = std::clamp(curve(seconds), window, 1.5 * window);
  const double grown = std::max((target - window) * std::min(bytes / window, 1.0), reno_ - window);
  fraction_ += std::clamp(grown, 0.0, bytes / 2);  // section 4.4's limit
  const auto whole = static_cast<std::size_t>(fraction_);
  fraction_ -= static_cast<double>(whole);
  window_ += whole;
}

void Cubic::reduce() {
  const auto window = static_cast<double>(window_);
  // Section 4.7, fast convergence: where others take more of the path, leave it to them.
  origin_ = window < origin_ ? window * (1 + kRemains) / 2 : window;
  threshold_ = std::max(static_cast<std::size_t>(window * kRemains), kMinPackets * packet_size_);
  epoch_ = kNever;
  fraction_ = 0;
}

void Cubic::handle_loss(std::size_t, TimePoint) {
  reduce();
  window_ = threshold_;
}

void Cubic::handle_timeout(TimePoint) {
  reduce();
  window_ = packet_size_;
}

}  // namespace wdc::sctp
