// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <map>

#include "apps/server/rate_limiter.h"

namespace wdc::server {

// What each remote address holds and asks for. An IPv6 remote has a whole /64 for itself, so that is what counts there;
// an IPv4-mapped address counts as the IPv4 one. Reads no clock.
class AddressTable {
 public:
  struct Limits {
    std::size_t connections;
    std::size_t connections_per_address;
    Rate upgrades;
  };
  enum class Refusal { connections, connections_per_address };

  // One admitted connection; gives its place back when destroyed. Must not outlive the table.
  class Slot {
   public:
    Slot(Slot&& other) noexcept : table_(other.table_), key_(other.key_) { other.table_ = nullptr; }
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (table_ != nullptr) table_->release(key_);
    }

    // Zero: the address may open a WebSocket now, and that is counted. Otherwise how long it has to wait.
    [[nodiscard]] std::chrono::milliseconds try_upgrade(TimePoint now) { return table_->try_upgrade(key_, now); }

   private:
    friend class AddressTable;
    Slot(AddressTable* table, boost::asio::ip::address key) : table_(table), key_(key) {}

    AddressTable* table_;
    boost::asio::ip::address key_;
  };

  explicit AddressTable(const Limits& limits) : limits_(limits) {}

  [[nodiscard]] std::expected<Slot, Refusal> admit(const boost::asio::ip::address& remote, TimePoint now);

  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] std::size_t addresses() const { return entries_.size(); }

 private:
  struct Entry {
    std::size_t connections = 0;
    TokenBucket upgrades;
  };

  void release(const boost::asio::ip::address& key);
  std::chrono::milliseconds try_upgrade(const boost::asio::ip::address& key, TimePoint now);
  void forget_rested(TimePoint now);

  Limits limits_;
  std::size_t connections_ = 0;
  std::map<boost::asio::ip::address, Entry> entries_;
};

}  // namespace wdc::server
