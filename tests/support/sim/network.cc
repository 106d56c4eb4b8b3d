// SPDX-License-Identifier: MIT
#include "tests/support/sim/network.h"

#include <algorithm>

namespace wdc::sim {

Network::Nat Network::add_nat(NatKind kind, const IpAddress& outside) {
  boxes_.push_back({kind, outside, 20'000, {}, {}});
  return boxes_.size() - 1;
}

void Network::send(const SocketAddress& from, const SocketAddress& to, std::span<const std::byte> bytes,
                   native::TimePoint now) {
  const auto socket = sockets_.find(from);
  if (socket == sockets_.end()) return;
  ++sent_;
  const auto target = sockets_.find(to);
  const bool is_inside = target != sockets_.end() && target->second == socket->second;
  SocketAddress source = from;
  if (socket->second && !is_inside) source = translate(boxes_[*socket->second], from, to);
  // Out of one network and into another by its inner address: no way.
  if (target != sockets_.end() && target->second && !is_inside) return;
  if (random_.chance(options_.loss)) return;
  const int copies = random_.chance(options_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    const auto late = options_.jitter.count() > 0 ? random_.below(static_cast<std::uint64_t>(options_.jitter.count()))
                                                  : std::uint64_t{0};
    in_transit_.emplace(now + options_.delay + native::Duration(late),
                        Datagram{source, to, {bytes.begin(), bytes.end()}});
  }
}

SocketAddress Network::translate(Box& box, const SocketAddress& from, const SocketAddress& to) {
  const bool depends_on_peer = box.kind == NatKind::symmetric;
  const auto key = std::pair(from, depends_on_peer ? std::optional(to) : std::nullopt);
  const auto [port, is_new] = box.ports.try_emplace(key, box.next_port);
  if (is_new) box.next_port = static_cast<std::uint16_t>(box.next_port + 7);
  Mapping& mapping = box.mappings[port->second];
  mapping.inside = from;
  mapping.contacted.insert(to);
  return {box.outside, port->second};
}

std::optional<Network::Datagram> Network::poll(native::TimePoint now) {
  while (!in_transit_.empty() && in_transit_.begin()->first <= now) {
    Datagram datagram = std::move(in_transit_.begin()->second);
    in_transit_.erase(in_transit_.begin());
    if (const auto socket = destination(datagram)) {
      datagram.to = *socket;
      return datagram;
    }
  }
  return std::nullopt;
}

native::TimePoint Network::next_arrival() const {
  return in_transit_.empty() ? native::kNever : in_transit_.begin()->first;
}

std::optional<SocketAddress> Network::destination(const Datagram& datagram) const {
  if (sockets_.contains(datagram.to)) return datagram.to;
  for (const Box& box : boxes_) {
    // Nobody's own mappings are reached from inside (no hairpinning).
    if (box.outside != datagram.to.ip || box.outside == datagram.from.ip) continue;
    const auto mapping = box.mappings.find(datagram.to.port);
    if (mapping == box.mappings.end() || !lets_in(box, mapping->second, datagram.from)) return std::nullopt;
    if (!sockets_.contains(mapping->second.inside)) return std::nullopt;
    return mapping->second.inside;
  }
  return std::nullopt;
}

bool Network::lets_in(const Box& box, const Mapping& mapping, const SocketAddress& from) {
  switch (box.kind) {
    case NatKind::full_cone:
      return true;
    case NatKind::address_restricted:
      return std::ranges::any_of(mapping.contacted, [&](const SocketAddress& to) { return to.ip == from.ip; });
    case NatKind::port_restricted:
    case NatKind::symmetric:
      break;
  }
  return mapping.contacted.contains(from);
}

}  // namespace wdc::sim
