// SPDX-License-Identifier: MIT
#include "tests/support/sim/ice_world.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace wdc::sim {

using namespace std::chrono_literals;

SocketAddress address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  SocketAddress parsed;
  parsed.ip = IpAddress::parse(host).value();
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), parsed.port);
  return parsed;
}

const SocketAddress IceWorld::kServer = address("203.0.113.1:3478");

IceWorld::IceWorld(const IceWorldOptions& options, std::uint64_t seed)
    : a(options.a, seed * 3), b(options.b, seed * 3 + 1), network(options.network, seed * 3 + 2), options_(options) {
  network.add_socket(kServer);
}

void IceWorld::add_address(IceEnd& end, std::string_view text, std::optional<Network::Nat> nat,
                           std::uint16_t local_preference) {
  const SocketAddress local = address(text);
  network.add_socket(local, nat);
  owners_[local] = &end;
  end.agent.add_local_address(local, ice::CandidateType::host, local_preference, now);
  drain();
}

void IceWorld::remove_address(IceEnd& end, std::string_view text) {
  network.remove_socket(address(text));
  owners_.erase(address(text));
  end.agent.remove_local_address(address(text), now);
  drain();
}

void IceWorld::signal() {
  const auto of_a = a.agent.local_credentials();
  after(options_.signaling, [this, of_a] {
    if (!b.agent.set_remote_credentials(of_a, ice::PeerKind::full, now)) std::abort();
    const auto of_b = b.agent.local_credentials();
    after(options_.signaling, [this, of_b] {
      if (!a.agent.set_remote_credentials(of_b, ice::PeerKind::full, now)) std::abort();
    });
  });
  a.agent.end_of_local_addresses(now);
  b.agent.end_of_local_addresses(now);
  drain();
}

bool IceWorld::connect(native::Duration limit) {
  signal();
  return run_until([this] { return is_connected(); }, limit);
}

bool IceWorld::is_connected() const { return a.is_completed() && b.is_completed(); }

void IceWorld::drain() {
  drain(a);
  drain(b);
}

void IceWorld::drain(IceEnd& end) {
  while (auto transmit = end.agent.poll_transmit()) {
    if (tap && !tap(*transmit, &end == &a)) continue;
    network.send(transmit->path.local, transmit->path.remote, transmit->bytes, now);
  }
  while (auto event = end.agent.poll_event()) {
    if (const auto* const local = std::get_if<ice::LocalCandidateEvent>(&*event)) {
      const std::string text = ice::format_candidate(local->candidate);
      end.candidates.push_back(text);
      IceEnd& other = &end == &a ? b : a;
      if (trickles) {
        after(options_.signaling, [this, &other, text] {
          static_cast<void>(other.agent.add_remote_candidate(*ice::parse_candidate(text), now));
        });
      }
    }
    end.events.push_back(std::move(*event));
  }
}

void IceWorld::serve(const Network::Datagram& datagram) {
  const auto request = ice::StunMessage::parse(datagram.bytes);
  if (!request) return;
  ice::StunWriter writer(ice::StunClass::success, request->method, request->transaction);
  writer.add_xor_mapped_address(datagram.from);
  network.send(kServer, datagram.from, writer.finish(), now);
}

bool IceWorld::settle() {
  bool happened = false;
  while (!later_.empty() && later_.begin()->first <= now) {
    const auto what = std::move(later_.begin()->second);
    later_.erase(later_.begin());
    what();
    drain();
    happened = true;
  }
  while (const auto datagram = network.poll(now)) {
    happened = true;
    if (datagram->to == kServer) {
      serve(*datagram);
    } else if (const auto owner = owners_.find(datagram->to); owner != owners_.end()) {
      static_cast<void>(owner->second->agent.handle_datagram(datagram->bytes, {datagram->to, datagram->from}, now));
      drain(*owner->second);
    }
  }
  for (IceEnd* const end : {&a, &b}) {
    if (end->agent.next_deadline() > now) continue;
    end->agent.handle_timeout(now);
    drain(*end);
    happened = true;
  }
  return happened;
}

void IceWorld::run_for(native::Duration limit) {
  run_until([] { return false; }, limit);
}

bool IceWorld::run_until(const std::function<bool()>& condition, native::Duration limit) {
  const native::TimePoint end = now + limit;
  while (true) {
    // An agent whose deadline does not move on would keep the clock still.
    for (int rounds = 0; settle(); ++rounds) {
      if (rounds > 1'000) std::abort();
    }
    if (condition()) return true;
    native::TimePoint next = std::min({a.agent.next_deadline(), b.agent.next_deadline(), network.next_arrival()});
    if (!later_.empty()) next = std::min(next, later_.begin()->first);
    if (next > end) {
      now = end;
      return false;
    }
    now = next;
  }
}

}  // namespace wdc::sim
