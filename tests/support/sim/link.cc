// SPDX-License-Identifier: MIT
#include "tests/support/sim/link.h"

#include <algorithm>

namespace wdc::sim {

bool Link::loses(TimePoint now) {
  if (in_burst_) {
    in_burst_ = now - burst_began_ < options_.burst_longest && !random_.chance(options_.burst_loss_end);
  } else if (random_.chance(options_.burst_loss_start)) {
    in_burst_ = true;
    burst_began_ = now;
  }
  return in_burst_ || random_.chance(options_.loss);
}

void Link::send(std::span<const std::byte> bytes, TimePoint now) {
  ++counts_.sent;
  if (bytes.size() > options_.mtu) {
    ++counts_.too_large;
    return;
  }
  TimePoint leaves = now;
  if (options_.bits_per_second > 0) {
    const auto time_of = [&](std::size_t size) {
      return Duration(static_cast<std::int64_t>(size * 8 * std::uint64_t{1'000'000'000} / options_.bits_per_second));
    };
    if (busy_until_ > now && busy_until_ - now > time_of(options_.queue_bytes)) {
      ++counts_.overflowed;
      return;
    }
    busy_until_ = std::max(busy_until_, now) + time_of(bytes.size());
    leaves = busy_until_;
  }
  if (loses(now)) {
    ++counts_.lost;
    return;
  }
  TimePoint arrives = leaves + options_.delay;
  if (random_.chance(options_.reorder)) {
    ++counts_.reordered;
    arrives += options_.reorder_delay;
  }
  deliver(bytes, arrives);
  if (random_.chance(options_.duplicate)) {
    ++counts_.duplicated;
    deliver(bytes, arrives + options_.reorder_delay / 2);
  }
}

void Link::deliver(std::span<const std::byte> bytes, TimePoint at) {
  Packet packet;
  if (!spare_.empty()) {
    packet = std::move(spare_.back());
    spare_.pop_back();
  }
  packet.assign(bytes.begin(), bytes.end());
  if (!packet.empty() && random_.chance(options_.corrupt)) {
    ++counts_.corrupted;
    const std::uint64_t bit = random_.below(packet.size() * 8);
    packet[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  }
  std::size_t index = packets_.size();
  if (free_.empty()) {
    packets_.push_back(std::move(packet));
  } else {
    index = free_.back();
    free_.pop_back();
    packets_[index] = std::move(packet);
  }
  in_transit_.push({at, order_++, index});
}

std::optional<Link::Packet> Link::poll(TimePoint now) {
  if (in_transit_.empty() || in_transit_.top().at > now) return std::nullopt;
  const std::size_t index = in_transit_.top().packet;
  in_transit_.pop();
  free_.push_back(index);
  return std::move(packets_[index]);
}

}  // namespace wdc::sim
