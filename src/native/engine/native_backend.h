// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "src/native/dtls/certificate.h"
#include "src/native/engine/native_peer.h"
#include "src/native/engine/send_turns.h"
#include "src/native/signaling/open_signaling.h"
#include "src/native/udp/interfaces.h"
#include "src/native/udp/native_loop.h"
#include "src/native/udp/system_random.h"
#include "wdc/native.h"

namespace wdc::native {

struct BackendOptions {
  /// Null: a loop of its own.
  boost::asio::io_context* context = nullptr;
  LoopbackCandidates loopback = LoopbackCandidates::automatic;
  /// Without it, all interfaces that are up.
  std::optional<udp::Address> bind_address{};
  PortRange ports{};
  PortUse port_use = PortUse::each;
  /// Empty: a new one.
  std::string certificate_pem{};
  signaling::Options signaling{};
  udp::SocketOptions sockets{};
  TransportOptions transport{};
  /// See NativeOptions.
  std::chrono::microseconds busy_wait = NativeOptions().busy_wait;
  /// Null: OpenSSL's AEAD or Intel's multi-buffer library, whichever is faster here.
  std::unique_ptr<dtls::AeadProvider> aead{};
};

/// The native home: peers on UDP sockets, on one loop.
class NativeBackend final : public udp::NativeLoop, public PeerHost {
 public:
  /// Errors: transport_error (no certificate can be made), invalid_argument (the one given is of no use).
  [[nodiscard]] static Result<std::unique_ptr<NativeBackend>> make(BackendOptions options = {});
  ~NativeBackend() override;

  bool turn(bool may_wait) override;
  [[nodiscard]] Result<std::unique_ptr<core::PeerBackend>> create_peer(const PeerConnectionOptions& options) override;
  [[nodiscard]] Result<std::unique_ptr<core::SignalingBackend>> open_signaling(std::string_view url,
                                                                               std::string_view room) override;
  /// Of all sockets that are open now.
  [[nodiscard]] udp::SocketStats socket_stats() const;

 private:
  class Endpoint;
  struct Entry;
  /// A socket on each address; its connections are in the sockets' tables.
  using SharedPort = std::vector<std::unique_ptr<Endpoint>>;
  struct Random final : RandomSource {
    [[nodiscard]] std::uint64_t next() override { return system.next(); }
    udp::SystemRandom system;
  };

  /// What all constructors share.
  struct Identity {
    dtls::Certificate certificate;
    std::unique_ptr<dtls::Context> context;
    dtls::Fingerprint fingerprint;
  };
  NativeBackend(BackendOptions options, Identity identity);
  NativeBackend(boost::asio::io_context& context, BackendOptions options, Identity identity);

  [[nodiscard]] TimePoint time() const override;
  void request_advance(NativePeer& peer) override;
  [[nodiscard]] const TransportShared& shared() override { return shared_; }
  [[nodiscard]] MessageMemory& memory() override { return *memory_; }
  [[nodiscard]] const std::vector<dtls::Fingerprint>& fingerprints() const override { return fingerprints_; }
  [[nodiscard]] Result<std::vector<SocketAddress>> open_sockets(NativePeer& peer) override;
  [[nodiscard]] bool send(NativePeer& peer, const Burst& burst) override;
  [[nodiscard]] std::size_t queue_limit() const override {
    return turns_.anybody_waits() ? SendTurns::kQueue : kNoQueueLimit;
  }
  void resolve(NativePeer& peer, std::string host_name) override;
  [[nodiscard]] bool look_up_servers(NativePeer& peer, const std::vector<IceServer>& servers) override;
  void forget(NativePeer& peer) noexcept override;

  void make_room();
  [[nodiscard]] Result<std::vector<udp::Address>> addresses_to_use() const;
  [[nodiscard]] Result<udp::UdpSocket> open_socket(udp::Address address);
  /// One on each address to use; those of `peer`, or to be shared. At least one.
  [[nodiscard]] Result<std::vector<std::unique_ptr<Endpoint>>> open_endpoints(NativePeer* peer);
  [[nodiscard]] Result<void> open_shared_port();
  void share(NativePeer& peer, Entry& entry, SharedPort& port);
  void find_other_port(NativePeer& peer, const Endpoint& endpoint, const SocketAddress& remote);

  [[nodiscard]] bool deliver_all();
  [[nodiscard]] bool advance_all();
  void advance(NativePeer& peer, Entry& entry);
  void tell_begun_turns();

  BackendOptions options_;
  dtls::Certificate certificate_;
  std::unique_ptr<dtls::Context> dtls_;
  std::vector<dtls::Fingerprint> fingerprints_;
  Random random_;
  MessageMemory* memory_;  // counted: messages may outlive this
  std::vector<std::byte> train_memory_;
  std::vector<std::byte> receive_memory_;
  std::vector<udp::ReceivedTrain> trains_;
  std::vector<dtls::MutableByteView> datagrams_;
  TransportShared shared_;
  std::vector<SharedPort> shared_ports_;
  std::unordered_map<NativePeer*, std::unique_ptr<Entry>> peers_;
  std::vector<NativePeer*> due_;  // advance() was asked for
  std::vector<NativePeer*> advancing_;
  SendTurns turns_;
};

}  // namespace wdc::native
