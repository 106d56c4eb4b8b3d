// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "src/native/base/socket_address.h"
#include "src/native/base/time.h"
#include "tests/support/sim/random.h"

namespace wdc::sim {

using native::IpAddress;
using native::SocketAddress;

/// RFC 4787 sections 4.1 and 5: the first three map a socket to one address whatever it talks to.
enum class NatKind : std::uint8_t { full_cone, address_restricted, port_restricted, symmetric };

struct NetworkOptions {
  native::Duration delay = std::chrono::milliseconds(10);
  native::Duration jitter{};  // up to so much more, so that datagrams overtake each other
  double loss = 0;
  double duplicate = 0;
};

/// UDP sockets on hosts, some behind NATs, and what is on the way between them.
class Network {
 public:
  struct Datagram {
    SocketAddress from;
    SocketAddress to;  // the socket it came in at
    std::vector<std::byte> bytes;
  };
  using Nat = std::size_t;

  Network(const NetworkOptions& options, std::uint64_t seed) : options_(options), random_(seed) {}

  Nat add_nat(NatKind kind, const IpAddress& outside);
  /// Without a NAT its address is public. Addresses behind different NATs may not be the same.
  void add_socket(const SocketAddress& address, std::optional<Nat> nat = {}) { sockets_[address] = nat; }
  void remove_socket(const SocketAddress& address) { sockets_.erase(address); }
  void set_options(const NetworkOptions& options) { options_ = options; }

  void send(const SocketAddress& from, const SocketAddress& to, std::span<const std::byte> bytes,
            native::TimePoint now);
  [[nodiscard]] std::optional<Datagram> poll(native::TimePoint now);
  [[nodiscard]] native::TimePoint next_arrival() const;
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  struct Mapping {
    SocketAddress inside;
    std::set<SocketAddress> contacted;
  };
  struct Box {
    NatKind kind;
    IpAddress outside;
    std::uint16_t next_port = 20'000;
    std::map<std::pair<SocketAddress, std::optional<SocketAddress>>, std::uint16_t> ports;
    std::map<std::uint16_t, Mapping> mappings;
  };

  [[nodiscard]] SocketAddress translate(Box& box, const SocketAddress& from, const SocketAddress& to);
  /// The socket a datagram reaches, if any.
  [[nodiscard]] std::optional<SocketAddress> destination(const Datagram& datagram) const;
  [[nodiscard]] static bool lets_in(const Box& box, const Mapping& mapping, const SocketAddress& from);

  NetworkOptions options_;
  Random random_;
  std::map<SocketAddress, std::optional<Nat>> sockets_;
  std::vector<Box> boxes_;
  std::multimap<native::TimePoint, Datagram> in_transit_;
  std::uint64_t sent_ = 0;
};

}  // namespace wdc::sim
