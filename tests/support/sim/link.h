// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <queue>
#include <span>
#include <vector>

#include "src/native/sctp/time.h"
#include "tests/support/sim/random.h"

namespace wdc::sim {

using sctp::Duration;
using sctp::TimePoint;

struct LinkOptions {
  Duration delay{};
  std::uint64_t bits_per_second = 0;               // 0: without limit
  std::size_t queue_bytes = std::size_t{1} << 30;  // what does not fit behind the rate's bottleneck is dropped
  double loss = 0;                                 // of single packets
  double burst_loss_start = 0;                     // the chance that a burst of losses starts with a packet (Gilbert)
  double burst_loss_end = 1;                       // that it ends after one
  Duration burst_longest = std::chrono::milliseconds(500);  // a burst ends after this even where few packets are sent
  double reorder = 0;                                       // the chance that a packet is held back for reorder_delay
  Duration reorder_delay = std::chrono::milliseconds(5);
  double duplicate = 0;
  double corrupt = 0;        // of one bit
  std::size_t mtu = 65'535;  // larger packets are dropped
};

/// One direction of a path.
class Link {
 public:
  using Packet = std::vector<std::byte>;
  struct Counts {
    std::uint64_t sent = 0, lost = 0, corrupted = 0, duplicated = 0, reordered = 0, overflowed = 0, too_large = 0;
  };

  Link(const LinkOptions& options, std::uint64_t seed) : options_(options), random_(seed) {}

  void send(std::span<const std::byte> bytes, TimePoint now);
  /// The next packet that has arrived by `now`.
  [[nodiscard]] std::optional<Packet> poll(TimePoint now);
  [[nodiscard]] TimePoint next_arrival() const { return in_transit_.empty() ? sctp::kNever : in_transit_.top().at; }
  [[nodiscard]] const Counts& counts() const { return counts_; }
  /// A path may change while packets are on it.
  void set_options(const LinkOptions& options) { options_ = options; }
  void recycle(Packet packet) { spare_.push_back(std::move(packet)); }

 private:
  struct Transit {
    TimePoint at;
    std::uint64_t order;
    std::size_t packet;
    bool operator<(const Transit& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  void deliver(std::span<const std::byte> bytes, TimePoint at);
  [[nodiscard]] bool loses(TimePoint now);

  LinkOptions options_;
  Random random_;
  Counts counts_;
  std::priority_queue<Transit> in_transit_;
  std::vector<Packet> packets_;
  std::vector<std::size_t> free_;
  std::vector<Packet> spare_;
  std::uint64_t order_ = 0;
  TimePoint busy_until_{};
  TimePoint burst_began_{};
  bool in_burst_ = false;
};

}  // namespace wdc::sim
