// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include "src/native/sctp/tx/congestion_controller.h"

namespace wdc::sctp {

/// RFC 9260 section 7.2.
class NewReno final : public CongestionController {
 public:
  explicit NewReno(std::size_t packet_size) : packet_size_(packet_size), window_(kInitialPackets * packet_size) {}

  void handle_ack(const AckedData& acked) override;
  void handle_loss(std::size_t in_flight, TimePoint now) override;
  void handle_timeout(TimePoint now) override;
  void set_packet_size(std::size_t bytes) override { packet_size_ = bytes; }
  [[nodiscard]] std::size_t window() const override { return window_; }
  [[nodiscard]] bool in_slow_start() const override { return window_ <= threshold_; }
  [[nodiscard]] std::size_t slow_start_threshold() const { return threshold_; }

  /// RFC 6928's ten segments, as browsers do; RFC 9260 section 7.2.1 allows about four.
  static constexpr std::size_t kInitialPackets = 10;
  /// How many packets' worth slow start may grow by for one SACK: section 7.2.1's L, by RFC 3465 at most 2 with a SACK
  /// for every second packet.
  static constexpr std::size_t kSlowStartPackets = 2;
  /// The window never falls below this after a loss (section 7.2.3).
  static constexpr std::size_t kMinPackets = 4;

 private:
  void reduce();

  std::size_t packet_size_;
  std::size_t window_;
  std::size_t threshold_ = std::numeric_limits<std::size_t>::max();
  std::size_t partial_bytes_acked_ = 0;
};

}  // namespace wdc::sctp
