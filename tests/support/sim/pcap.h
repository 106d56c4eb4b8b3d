// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/native/sctp/time.h"

namespace wdc::sim {

/// Collects SCTP packets as IPv4 datagrams in the pcap format, for other people's dissectors.
class Pcap {
 public:
  Pcap();
  void add(std::span<const std::byte> sctp_packet, bool from_a, sctp::TimePoint now);
  [[nodiscard]] bool write(const std::string& path) const;
  [[nodiscard]] std::size_t packets() const { return packets_; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t packets_ = 0;
};

}  // namespace wdc::sim
