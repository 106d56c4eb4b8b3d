// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace wdc::bench {

using Clock = std::chrono::steady_clock;

/// Of both implementations alike, in bytes: SCTP packets, what may wait at the sender, what may wait at the receiver.
inline constexpr std::size_t kPacketSize = 1'200;
inline constexpr std::size_t kSendBuffer = std::size_t{2} << 20;
inline constexpr std::size_t kReceiveWindow = std::size_t{5} << 20;

struct Counts {
  std::uint64_t messages = 0;  // received whole
  std::uint64_t packets = 0;   // with data
};

/// Two associations back to back, one of which sends messages to the other.
class BenchCase {
 public:
  virtual ~BenchCase() = default;
  /// Queues messages as far as they are taken, carries packets both ways once, reads what has arrived.
  virtual void turn(std::span<const std::byte> message) = 0;
  [[nodiscard]] const Counts& counts() const { return counts_; }

 protected:
  Counts counts_;
};

enum class Peer : std::uint8_t { ours, browser };
enum class Crc : std::uint8_t { none, crc32c };

/// `peer`: how often the receiver acknowledges.
[[nodiscard]] std::unique_ptr<BenchCase> make_wdc_case(Crc crc, Peer peer);
/// `Crc::none` leaves the checksums out at both ends, as where hardware writes and checks them.
[[nodiscard]] std::unique_ptr<BenchCase> make_usrsctp_case(Crc crc);

}  // namespace wdc::bench
