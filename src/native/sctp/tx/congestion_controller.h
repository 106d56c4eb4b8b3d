// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "src/native/sctp/time.h"

namespace wdc::sctp {

/// What a SACK told about the path. Bytes are those of chunks, headers included.
struct AckedData {
  TimePoint now;
  std::size_t acked_bytes = 0;       // acknowledged for the first time, cumulatively or by a gap block
  std::size_t in_flight_before = 0;  // before this SACK
  bool cumulative_advanced = false;
  bool in_recovery = false;  // between a fast retransmit and the acknowledgement of what was sent before it
  Duration round_trip{};     // a new measurement, or zero
};

/// Decides how much may be in flight. One for an association's path; the algorithms differ behind it.
class CongestionController {
 public:
  virtual ~CongestionController() = default;
  virtual void handle_ack(const AckedData& acked) = 0;
  /// Loss was detected by acknowledgements; called once for each round of it.
  virtual void handle_loss(std::size_t in_flight, TimePoint now) = 0;
  /// Nothing was acknowledged for a retransmission timeout.
  virtual void handle_timeout(TimePoint now) = 0;
  /// The packets' size has changed.
  virtual void set_packet_size(std::size_t bytes) = 0;
  [[nodiscard]] virtual std::size_t window() const = 0;
  /// The window may double within a round trip.
  [[nodiscard]] virtual bool in_slow_start() const = 0;
};

}  // namespace wdc::sctp
