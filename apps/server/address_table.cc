// SPDX-License-Identifier: MIT
#include "apps/server/address_table.h"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <iterator>

namespace wdc::server {
namespace {

namespace ip = boost::asio::ip;

ip::address key_of(const ip::address& remote) {
  if (remote.is_v4()) return remote;
  if (remote.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, remote.to_v6());
  auto bytes = remote.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return ip::address_v6(bytes);
}

}  // namespace

std::expected<AddressTable::Slot, AddressTable::Refusal> AddressTable::admit(const ip::address& remote, TimePoint now) {
  if (connections_ >= limits_.connections) return std::unexpected(Refusal::connections);
  const auto key = key_of(remote);
  auto entry = entries_.find(key);
  if (entry == entries_.end()) {
    // An address without a connection is kept only for the sake of its upgrade rate. Twice the connections bounds them.
    if (entries_.size() >= 2 * limits_.connections) forget_rested(now);
    if (entries_.size() >= 2 * limits_.connections) return std::unexpected(Refusal::connections);
    entry = entries_.emplace(key, Entry{.connections = 0, .upgrades = TokenBucket(limits_.upgrades)}).first;
  }
  if (entry->second.connections >= limits_.connections_per_address) {
    return std::unexpected(Refusal::connections_per_address);
  }
  ++entry->second.connections;
  ++connections_;
  return Slot(this, key);
}

void AddressTable::release(const ip::address& key) {
  --connections_;
  --entries_.at(key).connections;
}

std::chrono::milliseconds AddressTable::try_upgrade(const ip::address& key, TimePoint now) {
  auto& upgrades = entries_.at(key).upgrades;
  if (upgrades.try_take(1, now)) return {};
  return std::max(upgrades.wait_for(1, now), std::chrono::milliseconds(1));
}

void AddressTable::forget_rested(TimePoint now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const bool has_rested = entry->second.connections == 0 && entry->second.upgrades.is_full(now);
    entry = has_rested ? entries_.erase(entry) : std::next(entry);
  }
}

}  // namespace wdc::server
