// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "src/native/sctp/tx/congestion_controller.h"

namespace wdc::sctp {

/// RFC 9438: after a loss the window grows by the time that has passed, not by round trips, so that a long path is
/// filled again as soon as a short one. Never slower than NewReno. Slow start ends where round trips grow (as RFC 9406,
/// with the one measurement a round trip that there is): a receiver that is slower than its path would lose hundreds of
/// packets in its socket's buffer, and a browser's SACK tells of 20 gaps at most.
class Cubic final : public CongestionController {
 public:
  explicit Cubic(std::size_t packet_size) : packet_size_(packet_size), window_(kInitialPackets * packet_size) {}

  void handle_ack(const AckedData& acked) override;
  void handle_loss(std::size_t in_flight, TimePoint now) override;
  void handle_timeout(TimePoint now) override;
  void set_packet_size(std::size_t bytes) override { packet_size_ = bytes; }
  [[nodiscard]] std::size_t window() const override { return window_; }
  [[nodiscard]] bool in_slow_start() const override { return window_ < threshold_; }

  /// As NewReno.
  static constexpr std::size_t kInitialPackets = 10;
  static constexpr std::size_t kSlowStartPackets = 2;
  static constexpr std::size_t kMinPackets = 4;
  /// Round trips in a row that are longer than the shortest one by an eighth of it, and by this at least (at most).
  static constexpr int kLongerRounds = 2;
  static constexpr Duration kLeastLonger = std::chrono::milliseconds(4);
  static constexpr Duration kMostLonger = std::chrono::milliseconds(16);
  /// Before, what is delayed may be the acknowledgement.
  static constexpr std::size_t kLeastPacketsToEnd = 32;

 private:
  void watch_round_trip(Duration round_trip);
  void reduce();
  void begin_epoch(TimePoint now);
  /// The window that the curve has reached after so many seconds.
  [[nodiscard]] double curve(double seconds) const;

  std::size_t packet_size_;
  std::size_t window_;
  std::size_t threshold_ = std::numeric_limits<std::size_t>::max();
  double fraction_ = 0;  // bytes that the window has grown by and that make no whole one
  double origin_ = 0;    // the window before the last loss, in bytes: where the curve is flat
  double wait_ = 0;      // seconds from the beginning of the epoch until there
  double reno_ = 0;      // what NewReno's window would be
  TimePoint epoch_ = kNever;
  Duration shortest_ = Duration::max();  // round trip
  int longer_rounds_ = 0;
};

}  // namespace wdc::sctp
