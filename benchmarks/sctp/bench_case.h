// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace wdc::bench {

using Clock = std::chrono::steady_clock;

/// Of both implementations alike, in bytes: SCTP packets, and what may wait at the receiver.
inline constexpr std::size_t kPacketSize = 1'200;
inline constexpr std::size_t kReceiveWindow = std::size_t{5} << 20;
/// What may wait at the sender: the next large message too.
[[nodiscard]] constexpr std::size_t send_buffer(std::size_t message_size) {
  return std::max(std::size_t{256} << 10, 2 * message_size);
}

struct Counts {
  std::uint64_t messages = 0;  // received whole
  std::uint64_t packets = 0;   // with data
};

/// Two associations back to back, one of which sends messages to the other.
class BenchCase {
 public:
  virtual ~BenchCase() = default;
  /// Queues messages as far as they are taken, carries packets both ways once, reads what has arrived.
  virtual void turn() = 0;
  [[nodiscard]] const Counts& counts() const { return counts_; }

 protected:
  explicit BenchCase(std::size_t message_size)
      : message_(message_size, std::byte{'x'}), send_buffer_(send_buffer(message_size)) {}

  std::vector<std::byte> message_;
  std::size_t send_buffer_;
  Counts counts_;
};

enum class Peer : std::uint8_t { ours, browser };
enum class Crc : std::uint8_t { none, crc32c };

/// `peer`: how often the receiver acknowledges.
[[nodiscard]] std::unique_ptr<BenchCase> make_wdc_case(std::size_t message_size, Crc crc, Peer peer);
/// `Crc::none` leaves the checksums out at both ends, as where hardware writes and checks them.
[[nodiscard]] std::unique_ptr<BenchCase> make_usrsctp_case(std::size_t message_size, Crc crc);

}  // namespace wdc::bench
