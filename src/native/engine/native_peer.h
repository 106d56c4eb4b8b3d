// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/core/backend.h"
#include "src/native/engine/native_channel.h"
#include "src/native/engine/native_message.h"
#include "src/native/engine/negotiation.h"
#include "src/native/engine/port_table.h"
#include "src/native/engine/transport.h"

namespace wdc::native {

class NativePeer;

/// What a connection needs of the home it lives in. Calls never lead back into the connection.
class PeerHost {
 public:
  [[nodiscard]] virtual TimePoint time() const = 0;
  /// NativePeer::advance() is to be called soon, from the loop's own turn. Cheap, idempotent.
  virtual void request_advance(NativePeer& peer) = 0;
  [[nodiscard]] virtual const TransportShared& shared() = 0;
  [[nodiscard]] virtual MessageMemory& memory() = 0;
  /// The certificate's.
  [[nodiscard]] virtual const std::vector<dtls::Fingerprint>& fingerprints() const = 0;
  /// The addresses of sockets that are the connection's from now on, best first; the same ones when asked again.
  [[nodiscard]] virtual Result<std::vector<SocketAddress>> open_sockets(NativePeer& peer) = 0;
  /// False: the socket is full, and the rest of the burst is kept; advance() is called when it has room again.
  [[nodiscard]] virtual bool send(NativePeer& peer, const Burst& burst) = 0;
  /// How much a channel may have queued when it takes one more message, whatever its marks say.
  [[nodiscard]] virtual std::size_t queue_limit() const = 0;
  static constexpr std::size_t kNoQueueLimit = std::numeric_limits<std::size_t>::max();
  /// Looks an mDNS name up; the answer goes to NativePeer::handle_resolved().
  virtual void resolve(NativePeer& peer, std::string host_name) = 0;
  /// Looks up the STUN servers of the options; answers go to NativePeer::add_stun_server(), and after the last one
  /// comes end_of_stun_servers(). False: there are none.
  [[nodiscard]] virtual bool look_up_servers(NativePeer& peer, const std::vector<IceServer>& servers) = 0;
  /// The connection is being destroyed.
  virtual void forget(NativePeer& peer) noexcept = 0;

 protected:
  ~PeerHost() = default;
};

/// A peer connection: negotiation above, transport below, channels beside. Without sockets, clocks or threads of its
/// own.
class NativePeer final : public core::PeerBackend, public PortMember {
 public:
  NativePeer(PeerHost& host, const PeerConnectionOptions& options, TransportOptions transport);
  NativePeer(const NativePeer&) = delete;
  NativePeer& operator=(const NativePeer&) = delete;
  ~NativePeer() override;

  void set_events(core::PeerEvents& events) override { events_ = &events; }
  [[nodiscard]] Result<std::unique_ptr<core::ChannelBackend>> create_data_channel(
      std::string_view label, const DataChannelOptions& options) override;
  void create_offer(core::OperationId operation) override;
  void create_answer(core::OperationId operation) override;
  void set_local_description(core::OperationId operation) override;
  void set_local_description(core::OperationId operation, const SessionDescription& description) override;
  void set_remote_description(core::OperationId operation, const SessionDescription& description) override;
  void add_ice_candidate(core::OperationId operation, const IceCandidate& candidate) override;
  void restart_ice() override;
  void close() override;

  // ---- for the host, from its own turn

  void handle_datagrams(const ice::Path& path, std::span<const dtls::MutableByteView> datagrams, TimePoint now);
  void handle_resolved(std::string_view host_name, std::span<const IpAddress> addresses, TimePoint now);
  void add_stun_server(const SocketAddress& server, TimePoint now);
  void end_of_stun_servers(TimePoint now);
  /// Tells what there is to tell.
  void deliver(TimePoint now);
  /// The same, and sends what there is to send. Follows every turn in which something came or was asked.
  void advance(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;
  /// See Transport.
  [[nodiscard]] bool has_bulk() const { return transport_ && transport_->has_bulk(); }
  void hold(bool held) {
    if (transport_) transport_->hold(held);
  }
  /// A further address, of a port that was opened late.
  void add_local_address(const SocketAddress& address, TimePoint now);
  /// STUN on a path that another connection of the host's has.
  void refuse_datagram(std::span<const std::byte> datagram, const ice::Path& path, TimePoint now);
  [[nodiscard]] const Transport* transport() const { return transport_ ? &*transport_ : nullptr; }
  [[nodiscard]] const ice::Agent* agent() const override {
    return transport_ && !closed_ ? &transport_->ice() : nullptr;
  }

  // ---- for its channels

  [[nodiscard]] Result<void> send(NativeChannel& channel, std::span<const std::byte> bytes, MessageType type);
  [[nodiscard]] std::uint64_t buffered_amount(const NativeChannel& channel) const;
  [[nodiscard]] std::uint64_t max_message_size() const;
  void apply_low_threshold(NativeChannel& channel);
  void close_channel(NativeChannel& channel, bool was_open);
  void abort_channel(NativeChannel& channel);
  void forget(NativeChannel& channel) noexcept;

 private:
  void make_transport(ice::Role role);
  [[nodiscard]] sdp::DataSection data_section() const;
  [[nodiscard]] Result<SessionDescription> make_offer();
  [[nodiscard]] Result<SessionDescription> make_answer();
  [[nodiscard]] Result<void> apply_local(const SessionDescription& description);
  [[nodiscard]] Result<void> apply_remote(const SessionDescription& description);
  [[nodiscard]] Result<void> apply_candidate(const IceCandidate& candidate);
  [[nodiscard]] Result<void> gather();
  [[nodiscard]] Result<void> start_transport();
  void take_remote_section(const sdp::DataSection& section, bool restarts);
  void report(std::function<void(core::PeerEvents&)> event);
  void request_advance();

  void take_ice_event(ice::AgentEvent event);
  void take_transport_event(TransportEvent event);
  void take_message(TransportMessage message);
  void open_channels();
  void open_channel(NativeChannel& channel);
  void end_channels(const std::optional<Error>& error);
  void update_states();
  [[nodiscard]] bool wants_negotiation() const;

  PeerHost& host_;
  PeerConnectionOptions options_;
  TransportOptions transport_options_;
  core::PeerEvents* events_ = nullptr;
  Negotiation negotiation_;
  std::optional<Transport> transport_;
  WindowAccount* account_;

  std::vector<ice::Candidate> local_candidates_;
  std::uint16_t next_preference_ = 65'535;  // of a local address
  bool gathering_ = false;                  // begun, with these credentials
  bool gathering_done_ = false;
  bool restart_wanted_ = false;
  bool restart_offered_ = false;
  bool negotiation_reported_ = false;
  bool advance_requested_ = false;
  bool closed_ = false;
  bool failed_ = false;
  ice::AgentState ice_state_ = ice::AgentState::new_;
  ConnectionState connection_state_ = ConnectionState::new_;
  IceConnectionState ice_connection_state_ = IceConnectionState::new_;
  IceGatheringState gathering_state_ = IceGatheringState::new_;
  SignalingState signaling_state_ = SignalingState::stable;

  std::vector<NativeChannel*> waiting_channels_;                // until the connection is up, oldest first
  std::unordered_map<std::uint16_t, NativeChannel*> channels_;  // by id; null: its owner has gone before its end
  NativeChannel* recent_channel_ = nullptr;                     // whose message came last, or null
  std::uint16_t recent_id_ = 0;
  std::vector<NativeChannel*> ending_channels_;  // closed before they were open
  std::set<std::uint16_t> negotiated_ids_;
  std::vector<std::function<void(core::PeerEvents&)>> reports_;
};

}  // namespace wdc::native
