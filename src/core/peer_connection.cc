// SPDX-License-Identifier: MIT
#include "wdc/peer_connection.h"

#include <utility>

#include "src/core/home_parts.h"
#include "src/core/loop.h"
#include "src/core/peer.h"
#include "src/core/validate.h"

namespace wdc {

using core::Peer;
using core::PeerReference;

// DescriptionOperation

DescriptionOperation::DescriptionOperation(PeerReference peer, Kind kind) noexcept : kind_(kind) {
  waiter_.peer = std::move(peer);
}

DescriptionOperation::DescriptionOperation(DescriptionOperation&& other) noexcept : kind_(other.kind_) {
  waiter_.peer = std::move(other.waiter_.peer);
}

DescriptionOperation::~DescriptionOperation() {
  if (waiter_.peer && operation_ != 0) waiter_.peer->forget(this);
}

bool DescriptionOperation::await_ready() {
  if (waiter_.peer) return waiter_.peer->start(*this);
  result_.emplace(fail(Errc::connection_closed));
  return true;
}

void DescriptionOperation::enqueue() noexcept {}

// ApplyOperation

ApplyOperation::ApplyOperation(PeerReference peer, Argument argument) noexcept : argument_(std::move(argument)) {
  waiter_.peer = std::move(peer);
}

ApplyOperation::ApplyOperation(ApplyOperation&& other) noexcept : argument_(std::move(other.argument_)) {
  waiter_.peer = std::move(other.waiter_.peer);
}

ApplyOperation::~ApplyOperation() {
  if (waiter_.peer && operation_ != 0) waiter_.peer->forget(this);
}

bool ApplyOperation::await_ready() {
  if (waiter_.peer) return waiter_.peer->start(*this);
  result_.emplace(fail(Errc::connection_closed));
  return true;
}

void ApplyOperation::enqueue() noexcept {}

// PeerEventOperation

namespace {

/// What an event operation gives without a connection, or when another one waits already.
template <class T>
T nothing(const PeerReference&) {
  return std::nullopt;
}
template <>
ConnectionState nothing(const PeerReference& peer) {
  return peer ? peer->connection_state() : ConnectionState::closed;
}

}  // namespace

template <class T>
PeerEventOperation<T>::PeerEventOperation(PeerReference peer) noexcept {
  waiter_.peer = std::move(peer);
}

template <class T>
PeerEventOperation<T>::PeerEventOperation(PeerEventOperation&& other) noexcept {
  waiter_.peer = std::move(other.waiter_.peer);
}

template <class T>
PeerEventOperation<T>::~PeerEventOperation() {
  if (waiter_.peer) waiter_.peer->slot(static_cast<T*>(nullptr)).leave(waiter_);
}

template <class T>
bool PeerEventOperation<T>::await_ready() const noexcept {
  constexpr T* kKind = nullptr;
  Peer* peer = waiter_.peer.get();
  return peer == nullptr || peer->can_take(kKind) || peer->slot(kKind).taken_by_other(waiter_);
}

template <class T>
void PeerEventOperation<T>::enqueue() noexcept {
  waiter_.peer->slot(static_cast<T*>(nullptr)).wait(waiter_);
}

template <class T>
T PeerEventOperation<T>::await_resume() {
  T result = nothing<T>(waiter_.peer);
  Peer* peer = waiter_.peer.get();
  if (peer == nullptr || peer->slot(static_cast<T*>(nullptr)).taken_by_other(waiter_)) return result;
  peer->slot(static_cast<T*>(nullptr)).leave(waiter_);
  peer->take(result);
  return result;
}

template class PeerEventOperation<std::optional<NegotiationEvent>>;
template class PeerEventOperation<std::optional<DataChannel>>;
template class PeerEventOperation<ConnectionState>;

// PeerConnection

Result<PeerConnection> PeerConnection::create(EventLoop& loop, PeerConnectionOptions options) {
  if (!loop.internal().on_owning_thread()) return fail(Errc::wrong_thread);
  if (auto valid = core::validate(options); !valid) return std::unexpected(std::move(valid.error()));
  core::link_home_peers();
  auto backend = loop.internal().backend().create_peer(options);
  if (!backend) return std::unexpected(std::move(backend.error()));
  return PeerConnection(Peer::create(loop.internal(), std::move(*backend), options));
}

PeerConnection& PeerConnection::operator=(PeerConnection&& other) noexcept {
  if (this == &other) return *this;
  close();
  peer_ = std::move(other.peer_);
  return *this;
}

PeerConnection::~PeerConnection() { close(); }

Result<DataChannel> PeerConnection::create_data_channel(std::string_view label, DataChannelOptions options) {
  if (!peer_) return fail(Errc::connection_closed);
  return peer_->create_data_channel(label, options);
}

DescriptionOperation PeerConnection::create_offer() noexcept {
  return DescriptionOperation(peer_, DescriptionOperation::Kind::create_offer);
}

DescriptionOperation PeerConnection::create_answer() noexcept {
  return DescriptionOperation(peer_, DescriptionOperation::Kind::create_answer);
}

DescriptionOperation PeerConnection::set_local_description() noexcept {
  return DescriptionOperation(peer_, DescriptionOperation::Kind::set_local_implicit);
}

ApplyOperation PeerConnection::set_local_description(SessionDescription description) noexcept {
  return ApplyOperation(peer_, std::pair(true, std::move(description)));
}

ApplyOperation PeerConnection::set_remote_description(SessionDescription description) noexcept {
  return ApplyOperation(peer_, std::pair(false, std::move(description)));
}

ApplyOperation PeerConnection::add_ice_candidate(IceCandidate candidate) noexcept {
  return ApplyOperation(peer_, std::move(candidate));
}

PeerEventOperation<std::optional<NegotiationEvent>> PeerConnection::next_negotiation_event() noexcept {
  return PeerEventOperation<std::optional<NegotiationEvent>>(peer_);
}

PeerEventOperation<std::optional<DataChannel>> PeerConnection::accept_data_channel() noexcept {
  return PeerEventOperation<std::optional<DataChannel>>(peer_);
}

PeerEventOperation<ConnectionState> PeerConnection::next_connection_state() noexcept {
  return PeerEventOperation<ConnectionState>(peer_);
}

ConnectionState PeerConnection::connection_state() const noexcept {
  return peer_ ? peer_->connection_state() : ConnectionState::closed;
}

IceConnectionState PeerConnection::ice_connection_state() const noexcept {
  return peer_ ? peer_->ice_connection_state() : IceConnectionState::closed;
}

IceGatheringState PeerConnection::ice_gathering_state() const noexcept {
  return peer_ ? peer_->ice_gathering_state() : IceGatheringState::complete;
}

SignalingState PeerConnection::signaling_state() const noexcept {
  return peer_ ? peer_->signaling_state() : SignalingState::closed;
}

std::uint64_t PeerConnection::incoming_channels_refused() const noexcept {
  return peer_ ? peer_->incoming_channels_refused() : 0;
}

void PeerConnection::restart_ice() {
  if (peer_) peer_->restart_ice();
}

void PeerConnection::close() {
  if (peer_) peer_->close();
}

}  // namespace wdc
