// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/native/engine/native_peer.h"
#include "tests/support/sim/ice_world.h"

namespace wdc::sim {

class EngineEnd;
class EngineWorld;

/// A channel with what it has told so far.
class EngineChannel final : private core::ChannelEvents {
 public:
  explicit EngineChannel(std::unique_ptr<core::ChannelBackend> made) : backend(std::move(made)) {
    is_open = backend->initial_state() == ReadyState::open;
    backend->set_events(*this);
  }

  std::unique_ptr<core::ChannelBackend> backend;
  bool is_open = false;
  bool is_closed = false;
  std::optional<Error> error;
  std::vector<std::string> messages;
  int times_low = 0;

  [[nodiscard]] bool send(std::string_view text) {
    return backend->send(std::as_bytes(std::span(text)), MessageType::binary).has_value();
  }

 private:
  void on_open() override { is_open = true; }
  void on_message(Message&& message) override {
    const auto bytes = message.bytes();
    messages.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void on_buffered_amount_low() override { ++times_low; }
  void on_stalled() override {}
  void on_closing() override {}
  void on_closed(std::optional<Error> reason) override {
    is_closed = true;
    error = std::move(reason);
  }
};

/// One connection, the home it lives in, and signaling to the other end: perfect negotiation, `b` being polite.
class EngineEnd final : public native::PeerHost, private core::PeerEvents {
 public:
  EngineEnd(EngineWorld& world, std::uint64_t seed);
  ~EngineEnd();

  /// A new connection, in place of the one there is.
  void begin();
  /// Gone without a word.
  void die();
  EngineChannel& create_channel(std::string_view label, const DataChannelOptions& options = {});
  [[nodiscard]] native::NativePeer& peer() { return *peer_; }
  [[nodiscard]] bool lives() const { return peer_ != nullptr; }

  std::vector<SocketAddress> addresses;  // of its sockets, best first
  bool asks_server = false;
  std::size_t most_queued = kNoQueueLimit;
  ConnectionState state = ConnectionState::new_;
  std::vector<std::unique_ptr<EngineChannel>> channels;  // ours, then the peer's as they come

 private:
  friend class EngineWorld;

  [[nodiscard]] native::TimePoint time() const override;
  void request_advance(native::NativePeer& /*peer*/) override { is_due_ = true; }
  [[nodiscard]] const native::TransportShared& shared() override { return shared_; }
  [[nodiscard]] native::MessageMemory& memory() override { return *memory_; }
  [[nodiscard]] const std::vector<dtls::Fingerprint>& fingerprints() const override;
  [[nodiscard]] Result<std::vector<SocketAddress>> open_sockets(native::NativePeer& /*peer*/) override {
    return addresses;
  }
  [[nodiscard]] bool send(native::NativePeer& peer, const native::Burst& burst) override;
  [[nodiscard]] std::size_t queue_limit() const override { return most_queued; }
  void resolve(native::NativePeer& /*peer*/, std::string /*host_name*/) override {}
  [[nodiscard]] bool look_up_servers(native::NativePeer& /*peer*/, const std::vector<IceServer>& servers) override {
    asks_now_ = !servers.empty();
    return asks_now_;
  }
  void forget(native::NativePeer& /*peer*/) noexcept override {}

  void on_description(core::OperationId operation, Result<SessionDescription> result) override;
  void on_applied(core::OperationId operation, Result<void> result) override;
  void on_negotiation_needed() override;
  void on_ice_candidate(IceCandidate candidate) override;
  void on_connection_state(ConnectionState changed) override { state = changed; }
  void on_ice_connection_state(IceConnectionState /*state*/) override {}
  void on_ice_gathering_state(IceGatheringState /*state*/) override {}
  void on_signaling_state(SignalingState changed) override { signaling_ = changed; }
  void on_data_channel(std::unique_ptr<core::ChannelBackend> channel) override;

  void take_description(SessionDescription description);
  void advance();
  [[nodiscard]] EngineEnd& other();

  EngineWorld& world_;
  IceRandom random_;
  native::MessageMemory* memory_;
  std::vector<std::byte> train_memory_;
  native::TransportShared shared_;
  std::unique_ptr<native::NativePeer> peer_;
  bool is_due_ = false;
  bool asks_now_ = false;
  bool makes_offer_ = false;
  bool ignores_offer_ = false;
  SignalingState signaling_ = SignalingState::stable;
};

struct EngineWorldOptions {
  native::TransportOptions transport{};
  NetworkOptions network{};
  native::Duration signaling = std::chrono::milliseconds(30);
};

/// Two connections on a simulated network with a STUN server, and a clock that jumps from one event to the next.
/// OpenSSL's random numbers come from the seed, too, as long as a world lives.
class EngineWorld {
 public:
  explicit EngineWorld(const EngineWorldOptions& options = {}, std::uint64_t seed = 1);
  ~EngineWorld();
  EngineWorld(const EngineWorld&) = delete;
  EngineWorld& operator=(const EngineWorld&) = delete;

  EngineWorldOptions options;
  native::TimePoint now{std::chrono::seconds(1'000)};
  Network network;
  EngineEnd a;
  EngineEnd b;

  void add_address(EngineEnd& end, std::string_view text, std::optional<Network::Nat> nat = {});
  void after(native::Duration delay, std::function<void()> what) { later_.emplace(now + delay, std::move(what)); }
  void run_for(native::Duration limit);
  /// Runs until the condition holds; false if it does not within `limit`.
  [[nodiscard]] bool run_until(const std::function<bool()>& condition, native::Duration limit);
  [[nodiscard]] bool is_connected() const {
    return a.state == ConnectionState::connected && b.state == ConnectionState::connected;
  }

 private:
  bool settle();
  void serve(const Network::Datagram& datagram);

  std::map<SocketAddress, EngineEnd*> owners_;
  std::multimap<native::TimePoint, std::function<void()>> later_;
};

}  // namespace wdc::sim
