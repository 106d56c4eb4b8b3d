// SPDX-License-Identifier: MIT
#include "src/core/peer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "src/core/validate.h"

namespace wdc::core {

PeerReference::PeerReference(Peer* peer) noexcept : peer_(peer) {
  if (peer_ != nullptr) peer_->add_reference();
}

PeerReference::~PeerReference() {
  if (peer_ != nullptr) peer_->drop_reference();
}

PeerReference Peer::create(Loop& loop, std::unique_ptr<PeerBackend> backend, const PeerConnectionOptions& options) {
  PeerReference peer(new Peer(loop, std::move(backend), options));
  peer->itself_ = peer;
  return peer;
}

Peer::Peer(Loop& loop, std::unique_ptr<PeerBackend> backend, const PeerConnectionOptions& options)
    : loop_(&loop), backend_(std::move(backend)), options_(options) {
  cleanup_.peer = this;
  cleanup_.resume = [](detail::WaitNode& node) { static_cast<Cleanup&>(node).peer->clean_up(); };
  silence_timer_.peer = this;
  silence_timer_.fire = [](detail::TimerNode& node) {
    Peer& peer = *static_cast<SilenceTimer&>(node).peer;
    peer.fail_channels(Error(Errc::peer_lost, "silent for " +
                                                  std::to_string(peer.options_.disconnected_timeout.count()) +
                                                  " ms after the connection noticed"));
  };
  loop.add_owner(*this);
  backend_->set_events(*this);
}

// Channels.

Result<DataChannel> Peer::create_data_channel(std::string_view label, const DataChannelOptions& options) {
  if (auto valid = validate(label, options); !valid) return std::unexpected(std::move(valid.error()));
  if (loop_ == nullptr) return wdc::fail(Errc::loop_closed);
  if (closed_) return wdc::fail(Errc::connection_closed);
  auto backend = backend_->create_data_channel(label, options);
  if (!backend) return std::unexpected(std::move(backend.error()));
  return add_channel(std::move(*backend), options.flow);
}

DataChannel Peer::add_channel(std::unique_ptr<ChannelBackend> backend, const FlowOptions& flow) {
  auto channel = Channel::create(*loop_, std::move(backend), flow);
  channels_.push_back(*channel.get());
  return Channel::make_handle(std::move(channel));
}

void Peer::on_data_channel(std::unique_ptr<ChannelBackend> channel) {
  if (closed_) return;
  if (incoming_.size() >= options_.incoming_channels) {
    ++incoming_refused_;
    return;
  }
  incoming_.push_back(add_channel(std::move(channel), options_.incoming_flow));
  incoming_slot_.wake(*loop_);
}

void Peer::take(std::optional<DataChannel>& channel) {
  if (incoming_.empty()) return;
  channel.emplace(std::move(incoming_.front()));
  incoming_.pop_front();
}

// Operations.

template <class Operation>
OperationId Peer::add_pending(Operation& operation) {
  const OperationId id = next_operation_++;
  pending_.push_back({id, &operation});
  return id;
}

template <class Operation>
Operation* Peer::take_pending(OperationId id) noexcept {
  const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.id == id; });
  if (found == pending_.end()) return nullptr;  // it was destroyed meanwhile
  auto* const* operation = std::get_if<Operation*>(&found->operation);
  if (operation == nullptr) return nullptr;
  Operation* const result = *operation;
  pending_.erase(found);
  return result;
}

template <class Operation, class R>
void Peer::settle(Operation& operation, R&& result) {
  operation.result_.emplace(std::forward<R>(result));
  loop_->make_ready(operation.waiter_);
}

bool Peer::start(DescriptionOperation& operation) {
  if (closed_) {
    operation.result_.emplace(wdc::fail(loop_ == nullptr ? Errc::loop_closed : Errc::connection_closed));
    return true;
  }
  operation.operation_ = add_pending(operation);
  switch (operation.kind_) {
    case DescriptionOperation::Kind::create_offer:
      backend_->create_offer(operation.operation_);
      break;
    case DescriptionOperation::Kind::create_answer:
      backend_->create_answer(operation.operation_);
      break;
    case DescriptionOperation::Kind::set_local_implicit:
      backend_->set_local_description(operation.operation_);
      break;
  }
  return false;
}

bool Peer::start(ApplyOperation& operation) {
  if (closed_) {
    operation.result_.emplace(wdc::fail(loop_ == nullptr ? Errc::loop_closed : Errc::connection_closed));
    return true;
  }
  operation.operation_ = add_pending(operation);
  if (const auto* candidate = std::get_if<IceCandidate>(&operation.argument_)) {
    backend_->add_ice_candidate(operation.operation_, *candidate);
    return false;
  }
  const auto& [local, description] = *std::get_if<0>(&operation.argument_);
  if (local)
    backend_->set_local_description(operation.operation_, description);
  else
    backend_->set_remote_description(operation.operation_, description);
  return false;
}

void Peer::forget(const void* operation) noexcept {
  std::erase_if(pending_, [&](const Pending& pending) {
    return std::visit([&](const auto* pointer) { return static_cast<const void*>(pointer) == operation; },
                      pending.operation);
  });
}

void Peer::on_description(OperationId operation, Result<SessionDescription> result) {
  if (auto* waiting = take_pending<DescriptionOperation>(operation)) settle(*waiting, std::move(result));
}

void Peer::on_applied(OperationId operation, Result<void> result) {
  if (auto* waiting = take_pending<ApplyOperation>(operation)) settle(*waiting, std::move(result));
}

void Peer::fail_operations(const Error& error) {
  for (const Pending& pending : std::exchange(pending_, {}))
    std::visit([&](auto* operation) { settle(*operation, std::unexpected(error)); }, pending.operation);
}

// Events.

void Peer::on_negotiation_needed() {
  // One offer covers all reasons for it.
  const auto is_needed = [](const NegotiationEvent& event) { return std::holds_alternative<NegotiationNeeded>(event); };
  if (std::none_of(events_.begin(), events_.end(), is_needed)) queue_event(NegotiationNeeded{});
}

void Peer::on_ice_candidate(IceCandidate candidate) { queue_event(std::move(candidate)); }

void Peer::queue_event(NegotiationEvent event) {
  if (closed_) return;
  events_.push_back(std::move(event));
  events_slot_.wake(*loop_);
}

void Peer::take(std::optional<NegotiationEvent>& event) {
  if (events_.empty()) return;
  event.emplace(std::move(events_.front()));
  events_.pop_front();
}

void Peer::on_ice_connection_state(IceConnectionState state) {
  if (!closed_) ice_connection_state_ = state;
}

void Peer::on_ice_gathering_state(IceGatheringState state) {
  if (!closed_) ice_gathering_state_ = state;
}

void Peer::on_signaling_state(SignalingState state) {
  if (!closed_) signaling_state_ = state;
}

void Peer::on_connection_state(ConnectionState state) {
  if (closed_) return;
  connection_state_ = state;
  state_slot_.wake(*loop_);
  switch (state) {
    case ConnectionState::disconnected:
      watch_silence();
      break;
    case ConnectionState::connected:
      silence_timer_.cancel();
      break;
    case ConnectionState::failed:
      silence_timer_.cancel();
      fail_channels(Error(Errc::peer_lost));
      break;
    case ConnectionState::closed:
      end(Error(Errc::connection_closed));
      break;
    case ConnectionState::new_:
    case ConnectionState::connecting:
      break;  // a restart under way does not prove that the peer is alive
  }
}

void Peer::watch_silence() {
  if (!silence_timer_.armed()) loop_->arm(silence_timer_, detail::saturated(options_.disconnected_timeout));
}

void Peer::fail_channels(const Error& error) {
  while (auto* channel = channels_.front()) {
    static_cast<ListLink<Peer>&>(*channel).unlink();
    channel->fail(error);
  }
}

void Peer::restart_ice() {
  if (!closed_) backend_->restart_ice();
}

// The end.

void Peer::close() {
  if (closed_) return;
  backend_->close();
  end(Error(Errc::connection_closed));
}

void Peer::end(const Error& error) {
  closed_ = true;
  connection_state_ = ConnectionState::closed;
  ice_connection_state_ = IceConnectionState::closed;
  signaling_state_ = SignalingState::closed;
  silence_timer_.cancel();
  fail_channels(error);
  fail_operations(error);
  events_.clear();
  incoming_.clear();
  events_slot_.wake(*loop_);
  incoming_slot_.wake(*loop_);
  state_slot_.wake(*loop_);
  loop_->make_ready(cleanup_);  // after the clean-up of the channels
}

void Peer::on_loop_closed() noexcept {
  if (!closed_) end(Error(Errc::loop_closed));
  loop_ = nullptr;
  cleanup_.unlink();
  clean_up();
}

void Peer::clean_up() noexcept {
  backend_.reset();
  const PeerReference last = std::move(itself_);  // may be the end of this object
}

}  // namespace wdc::core
