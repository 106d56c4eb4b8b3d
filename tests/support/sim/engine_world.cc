// SPDX-License-Identifier: MIT
#define OPENSSL_SUPPRESS_DEPRECATED  // of what gives it random numbers, 3.0 has nothing simpler
#include "tests/support/sim/engine_world.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "src/native/dtls/certificate.h"
#include "src/native/dtls/context.h"
#include "src/native/ice/stun_message.h"

namespace wdc::sim {
namespace {

constexpr core::OperationId kOurs = 1;
constexpr core::OperationId kTheirs = 2;
constexpr core::OperationId kCandidate = 3;

Random* openssl_random = nullptr;

int give_random_bytes(unsigned char* bytes, int count) {
  for (int i = 0; i < count; ++i) bytes[i] = static_cast<unsigned char>(openssl_random->next());
  return 1;
}

const RAND_METHOD kSeededMethod{nullptr, give_random_bytes, nullptr, nullptr, give_random_bytes, [] { return 1; }};

struct Identity {
  static constexpr dtls::WallTime kToday = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  dtls::Certificate certificate = dtls::Certificate::make(kToday).value();
  std::unique_ptr<dtls::Context> context = dtls::Context::make(certificate, kToday).value();
  std::vector<dtls::Fingerprint> fingerprints{certificate.fingerprint().value()};
};

/// Keys cost more than everything else: both ends and all worlds have the same.
Identity& identity() {
  static Identity one;
  return one;
}

}  // namespace

// ---- an end

EngineEnd::EngineEnd(EngineWorld& world, std::uint64_t seed)
    : world_(world),
      random_(seed),
      memory_(new native::MessageMemory),
      train_memory_(sctp::PacketTrain::kMostPackets * world.options.transport.datagram_size),
      shared_{*identity().context, memory_->buffers(), random_, train_memory_} {
  begin();
}

EngineEnd::~EngineEnd() {
  channels.clear();
  peer_.reset();
  memory_->drop_reference();
}

void EngineEnd::begin() {
  die();
  channels.clear();
  PeerConnectionOptions options;
  if (asks_server) options.ice_servers.push_back({.urls = {"stun:203.0.113.1"}});
  signaling_ = SignalingState::stable;
  state = ConnectionState::new_;
  makes_offer_ = ignores_offer_ = false;
  peer_ = std::make_unique<native::NativePeer>(*this, options, world_.options.transport);
  peer_->set_events(*this);
}

void EngineEnd::die() {
  if (peer_ == nullptr) return;
  const auto silenced = std::exchange(addresses, {});  // what it says when it goes is not heard
  is_due_ = false;
  peer_.reset();
  addresses = silenced;
}

EngineChannel& EngineEnd::create_channel(std::string_view label, const DataChannelOptions& options) {
  channels.push_back(std::make_unique<EngineChannel>(peer_->create_data_channel(label, options).value()));
  return *channels.back();
}

native::TimePoint EngineEnd::time() const { return world_.now; }
const std::vector<dtls::Fingerprint>& EngineEnd::fingerprints() const { return identity().fingerprints; }
EngineEnd& EngineEnd::other() { return this == &world_.a ? world_.b : world_.a; }

bool EngineEnd::send(native::NativePeer& /*peer*/, const native::Burst& burst) {
  if (std::ranges::find(addresses, burst.path.local) == addresses.end()) return true;
  for (const auto datagram : burst.datagrams)
    world_.network.send(burst.path.local, burst.path.remote, datagram, world_.now);
  return true;
}

void EngineEnd::on_negotiation_needed() {
  makes_offer_ = true;
  peer_->set_local_description(kOurs);
}

void EngineEnd::on_description(core::OperationId /*operation*/, Result<SessionDescription> result) {
  makes_offer_ = false;
  if (!result) return;  // the peer's offer came first
  if (result->type == SdpType::answer) signaling_ = SignalingState::stable;
  world_.after(world_.options.signaling, [to = &other(), description = std::move(*result)] {
    if (to->lives()) to->take_description(description);
  });
}

void EngineEnd::on_applied(core::OperationId operation, Result<void> result) {
  if (operation == kTheirs && !result) std::abort();
  if (operation == kTheirs && signaling_ == SignalingState::have_remote_offer) peer_->set_local_description(kOurs);
}

void EngineEnd::on_ice_candidate(IceCandidate candidate) {
  world_.after(world_.options.signaling, [to = &other(), candidate = std::move(candidate)] {
    if (to->lives()) to->peer().add_ice_candidate(kCandidate, candidate);
  });
}

void EngineEnd::on_data_channel(std::unique_ptr<core::ChannelBackend> channel) {
  channels.push_back(std::make_unique<EngineChannel>(std::move(channel)));
}

void EngineEnd::take_description(SessionDescription description) {
  const bool is_offer = description.type == SdpType::offer;
  const bool collides = is_offer && (makes_offer_ || signaling_ != SignalingState::stable);
  if (collides && this == &world_.a) return;
  if (is_offer) signaling_ = SignalingState::have_remote_offer;
  peer_->set_remote_description(kTheirs, description);
}

void EngineEnd::advance() {
  is_due_ = false;
  if (std::exchange(asks_now_, false)) {
    peer_->add_stun_server(IceWorld::kServer, world_.now);
    peer_->end_of_stun_servers(world_.now);
  }
  peer_->advance(world_.now);
}

// ---- the world

EngineWorld::EngineWorld(const EngineWorldOptions& wanted, std::uint64_t seed)
    : options(wanted), network(wanted.network, seed * 4 + 2), a(*this, seed * 4), b(*this, seed * 4 + 1) {
  network.add_socket(IceWorld::kServer);
  openssl_random = new Random(seed * 4 + 3);
  RAND_set_rand_method(&kSeededMethod);
}

EngineWorld::~EngineWorld() {
  RAND_set_rand_method(RAND_OpenSSL());
  delete std::exchange(openssl_random, nullptr);
}

void EngineWorld::add_address(EngineEnd& end, std::string_view text, std::optional<Network::Nat> nat) {
  const SocketAddress local = address(text);
  network.add_socket(local, nat);
  owners_[local] = &end;
  end.addresses.push_back(local);
}

void EngineWorld::serve(const Network::Datagram& datagram) {
  const auto request = ice::StunMessage::parse(datagram.bytes);
  if (!request) return;
  ice::StunWriter writer(ice::StunClass::success, request->method, request->transaction);
  writer.add_xor_mapped_address(datagram.from);
  network.send(IceWorld::kServer, datagram.from, writer.finish(), now);
}

bool EngineWorld::settle() {
  bool happened = false;
  while (!later_.empty() && later_.begin()->first <= now) {
    const auto what = std::move(later_.begin()->second);
    later_.erase(later_.begin());
    what();
    happened = true;
  }
  while (auto datagram = network.poll(now)) {
    happened = true;
    if (datagram->to == IceWorld::kServer) {
      serve(*datagram);
    } else if (const auto owner = owners_.find(datagram->to); owner != owners_.end() && owner->second->lives()) {
      const dtls::MutableByteView view(datagram->bytes);
      owner->second->peer().handle_datagrams({datagram->to, datagram->from}, {&view, 1}, now);
      owner->second->is_due_ = true;
    }
  }
  for (EngineEnd* const end : {&a, &b}) {
    if (!end->lives() || (!end->is_due_ && end->peer().next_deadline() > now)) continue;
    end->advance();
    happened = true;
  }
  return happened;
}

void EngineWorld::run_for(native::Duration limit) {
  static_cast<void>(run_until([] { return false; }, limit));
}

bool EngineWorld::run_until(const std::function<bool()>& condition, native::Duration limit) {
  const native::TimePoint end = now + limit;
  while (true) {
    // A connection whose deadline does not move on would keep the clock still.
    for (int rounds = 0; settle(); ++rounds) {
      if (rounds > 10'000) std::abort();
    }
    if (condition()) return true;
    native::TimePoint next = network.next_arrival();
    for (EngineEnd* const one : {&a, &b})
      if (one->lives()) next = std::min(next, one->peer().next_deadline());
    if (!later_.empty()) next = std::min(next, later_.begin()->first);
    if (next > end) {
      now = end;
      return false;
    }
    now = next;
  }
}

}  // namespace wdc::sim
