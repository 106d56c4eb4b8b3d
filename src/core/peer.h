// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "src/core/backend.h"
#include "src/core/channel.h"
#include "src/core/intrusive_list.h"
#include "src/core/loop.h"
#include "src/core/wait_slot.h"
#include "wdc/peer_connection.h"

namespace wdc::core {

/// What is behind a PeerConnection: operations in flight, queued events, and the watch over the connection on which its
/// channels depend.
class Peer final : private PeerEvents, public LoopResident {
 public:
  /// REQUIRES: valid options (validate()).
  [[nodiscard]] static PeerReference create(Loop& loop, std::unique_ptr<PeerBackend> backend,
                                            const PeerConnectionOptions& options);

  void add_reference() noexcept { ++references_; }
  void drop_reference() noexcept {
    if (--references_ == 0) delete this;
  }

  [[nodiscard]] Result<DataChannel> create_data_channel(std::string_view label, const DataChannelOptions& options);
  /// True if the operation is decided at once.
  [[nodiscard]] bool start(DescriptionOperation& operation);
  [[nodiscard]] bool start(ApplyOperation& operation);
  void forget(const void* operation) noexcept;
  void restart_ice();
  void close();
  void on_loop_closed() noexcept override;

  /// One queue of events, as PeerEventOperation sees it.
  [[nodiscard]] bool can_take(std::optional<NegotiationEvent>*) const noexcept { return closed_ || !events_.empty(); }
  [[nodiscard]] bool can_take(std::optional<DataChannel>*) const noexcept { return closed_ || !incoming_.empty(); }
  [[nodiscard]] bool can_take(ConnectionState*) const noexcept { return closed_ || seen_state_ != connection_state_; }
  [[nodiscard]] WaitSlot& slot(std::optional<NegotiationEvent>*) noexcept { return events_slot_; }
  [[nodiscard]] WaitSlot& slot(std::optional<DataChannel>*) noexcept { return incoming_slot_; }
  [[nodiscard]] WaitSlot& slot(ConnectionState*) noexcept { return state_slot_; }
  void take(std::optional<NegotiationEvent>& event);
  void take(std::optional<DataChannel>& channel);
  void take(ConnectionState& state) { state = seen_state_ = connection_state_; }

  [[nodiscard]] ConnectionState connection_state() const noexcept { return connection_state_; }
  [[nodiscard]] IceConnectionState ice_connection_state() const noexcept { return ice_connection_state_; }
  [[nodiscard]] IceGatheringState ice_gathering_state() const noexcept { return ice_gathering_state_; }
  [[nodiscard]] SignalingState signaling_state() const noexcept { return signaling_state_; }
  [[nodiscard]] std::uint64_t incoming_channels_refused() const noexcept { return incoming_refused_; }

 private:
  Peer(Loop& loop, std::unique_ptr<PeerBackend> backend, const PeerConnectionOptions& options);
  ~Peer() = default;

  void on_description(OperationId operation, Result<SessionDescription> result) override;
  void on_applied(OperationId operation, Result<void> result) override;
  void on_negotiation_needed() override;
  void on_ice_candidate(IceCandidate candidate) override;
  void on_connection_state(ConnectionState state) override;
  void on_ice_connection_state(IceConnectionState state) override;
  void on_ice_gathering_state(IceGatheringState state) override;
  void on_signaling_state(SignalingState state) override;
  void on_data_channel(std::unique_ptr<ChannelBackend> channel) override;

  void queue_event(NegotiationEvent event);
  void watch_silence();
  void fail_channels(const Error& error);
  void fail_operations(const Error& error);
  void end(const Error& error);
  void clean_up() noexcept;
  [[nodiscard]] DataChannel add_channel(std::unique_ptr<ChannelBackend> backend, const FlowOptions& flow);

  struct Pending {
    OperationId id;
    std::variant<DescriptionOperation*, ApplyOperation*> operation;
  };
  template <class Operation>
  OperationId add_pending(Operation& operation);
  template <class Operation>
  [[nodiscard]] Operation* take_pending(OperationId id) noexcept;
  template <class Operation, class R>
  void settle(Operation& operation, R&& result);

  struct Cleanup : detail::WaitNode {
    Peer* peer = nullptr;
  };
  struct SilenceTimer : detail::TimerNode {
    Peer* peer = nullptr;
  };

  Loop* loop_;
  std::unique_ptr<PeerBackend> backend_;
  const PeerConnectionOptions options_;
  std::size_t references_ = 0;
  PeerReference itself_;  // until the backend is gone
  Cleanup cleanup_;
  bool closed_ = false;

  ConnectionState connection_state_ = ConnectionState::new_;
  ConnectionState seen_state_ = ConnectionState::new_;  // by next_connection_state()
  IceConnectionState ice_connection_state_ = IceConnectionState::new_;
  IceGatheringState ice_gathering_state_ = IceGatheringState::new_;
  SignalingState signaling_state_ = SignalingState::stable;
  SilenceTimer silence_timer_;

  OperationId next_operation_ = 1;
  std::vector<Pending> pending_;
  std::deque<NegotiationEvent> events_;
  std::deque<DataChannel> incoming_;
  std::uint64_t incoming_refused_ = 0;
  WaitSlot events_slot_;
  WaitSlot incoming_slot_;
  WaitSlot state_slot_;
  IntrusiveList<Channel, Peer> channels_;
};

}  // namespace wdc::core
