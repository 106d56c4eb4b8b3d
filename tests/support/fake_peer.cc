// SPDX-License-Identifier: MIT
#include "tests/support/fake_peer.h"

#include <algorithm>
#include <utility>

namespace wdc::test {

namespace {
std::size_t next_number = 1;
}

FakePeer::FakePeer(FakeBackend& backend, PeerConnectionOptions given)
    : options(std::move(given)), backend_(backend), alive_(std::make_shared<FakePeer*>(this)), number_(next_number++) {
  backend_.peers.push_back(this);
}

FakePeer::~FakePeer() {
  *alive_ = nullptr;
  std::erase(backend_.peers, this);
}

void FakePeer::later(std::function<void(FakePeer&)> event) {
  backend_.schedule([alive = alive_, event = std::move(event)] {
    if (*alive != nullptr) event(**alive);
  });
}

Result<std::unique_ptr<core::ChannelBackend>> FakePeer::create_data_channel(std::string_view label,
                                                                            const DataChannelOptions& wanted) {
  for (const auto& wire : wires) {
    if (wanted.id && wire->id == wanted.id) return fail(Errc::invalid_state, "the id is in use");
  }
  core::ChannelInfo info{.label = std::string(label),
                         .protocol = wanted.protocol,
                         .ordered = wanted.ordered,
                         .negotiated = wanted.negotiated,
                         .max_retransmits = wanted.max_retransmits,
                         .max_packet_life_time = wanted.max_packet_life_time};
  FakePeer* other = connected_ ? find(far_) : nullptr;
  // A negotiated channel stands on the wire that the other side has made, if it has.
  FakePeer* partner = find(far_);
  if (wanted.negotiated && partner != nullptr) {
    for (const auto& wire : partner->wires) {
      if (wire->id == wanted.id && !wire->end(1).exists && wire->end(0).exists) {
        wires.push_back(wire);
        if (connected_) backend_.schedule([wire] { wire->open(); });
        return wire->take(1);
      }
    }
  }
  auto wire = backend_.make_wire(info, ReadyState::connecting);
  wire->id = wanted.id;
  wires.push_back(wire);
  if (other != nullptr && !wanted.negotiated) {
    later([wire](FakePeer& self) {
      if (auto* far = self.find(self.far_)) far->events_->on_data_channel(wire->take(1));
      wire->open();
    });
  }
  want_negotiation();
  return wire->take(0);
}

std::shared_ptr<FakeWire> FakePeer::offer_channel(std::string label) {
  auto wire = backend_.make_wire({.label = std::move(label)}, ReadyState::open);
  events_->on_data_channel(wire->take(1));
  return wire;
}

void FakePeer::want_negotiation() {
  if (negotiated_ || std::exchange(negotiation_wanted_, true)) return;
  later([](FakePeer& self) {
    if (self.state_ == SignalingState::stable && self.negotiation_wanted_) self.events_->on_negotiation_needed();
  });
}

void FakePeer::restart_ice() {
  negotiated_ = false;
  negotiation_wanted_ = false;
  want_negotiation();
}

void FakePeer::run_or_hold(std::function<void()> event) {
  if (hold_answers)
    held_.push_back(std::move(event));
  else
    backend_.schedule(std::move(event));
}

void FakePeer::release_answers() {
  hold_answers = false;
  for (auto& event : std::exchange(held_, {})) backend_.schedule(std::move(event));
}

void FakePeer::give(core::OperationId operation, SessionDescription description) {
  auto error = std::exchange(next_operation_error, std::nullopt);
  run_or_hold([alive = alive_, operation, description = std::move(description), error = std::move(error)] {
    if (*alive == nullptr) return;
    if (error)
      (*alive)->events_->on_description(operation, std::unexpected(*error));
    else
      (*alive)->events_->on_description(operation, description);
  });
}

void FakePeer::applied(core::OperationId operation, Result<void> result) {
  if (auto error = std::exchange(next_operation_error, std::nullopt)) result = std::unexpected(std::move(*error));
  run_or_hold([alive = alive_, operation, result = std::move(result)] {
    if (*alive != nullptr) (*alive)->events_->on_applied(operation, result);
  });
}

SessionDescription FakePeer::describe(SdpType type) {
  return {type, std::string(name(type)) + " " + std::to_string(number_)};
}

void FakePeer::enter(SignalingState state) {
  state_ = state;
  later([state](FakePeer& self) { self.events_->on_signaling_state(state); });
}

void FakePeer::apply_local(SdpType type) {
  if (type == SdpType::offer) {
    ++offers_made;
    enter(SignalingState::have_local_offer);
    later([](FakePeer& self) {
      self.events_->on_ice_candidate({.candidate = "candidate of " + std::to_string(self.number_), .sdp_mid = "0"});
    });
    return;
  }
  negotiated_ = true;
  enter(SignalingState::stable);
  connect_if_complete();
}

void FakePeer::set_local_description(core::OperationId operation) {
  const bool answering = state_ == SignalingState::have_remote_offer;
  const SdpType type = answering ? SdpType::answer : SdpType::offer;
  apply_local(type);
  give(operation, describe(type));
}

void FakePeer::set_local_description(core::OperationId operation, const SessionDescription& description) {
  apply_local(description.type);
  applied(operation, {});
}

void FakePeer::set_remote_description(core::OperationId operation, const SessionDescription& description) {
  const auto space = description.sdp.find(' ');
  if (space == std::string::npos) return applied(operation, fail(Errc::negotiation_failed, "no description"));
  if (description.type == SdpType::answer && state_ != SignalingState::have_local_offer)
    return applied(operation, fail(Errc::negotiation_failed, "an answer without an offer"));
  far_ = std::stoul(description.sdp.substr(space));
  if (description.type == SdpType::offer) {
    if (state_ == SignalingState::have_local_offer) ++rollbacks;
    enter(SignalingState::have_remote_offer);
  } else {
    negotiated_ = true;
    enter(SignalingState::stable);
    connect_if_complete();
  }
  applied(operation, {});
}

void FakePeer::add_ice_candidate(core::OperationId operation, const IceCandidate& candidate) {
  if (far_ == 0) return applied(operation, fail(Errc::negotiation_failed, "no remote description"));
  candidates.push_back(candidate.candidate);
  applied(operation, {});
}

FakePeer* FakePeer::find(std::size_t number) {
  for (FakePeer* peer : backend_.peers) {
    if (peer->number_ == number) return peer;
  }
  return nullptr;
}

void FakePeer::connect_if_complete() {
  FakePeer* other = find(far_);
  if (other == nullptr || connected_ || !negotiated_ || !other->negotiated_ || other->far_ != number_) return;
  if (!connects || !other->connects) return;
  later([](FakePeer& self) {
    if (FakePeer* far = self.find(self.far_)) self.connect_to(*far);
  });
}

void FakePeer::connect_to(FakePeer& other) {
  connected_ = other.connected_ = true;
  for (FakePeer* peer : {this, &other}) {
    peer->events_->on_ice_connection_state(IceConnectionState::connected);
    peer->events_->on_connection_state(ConnectionState::connected);
  }
  for (auto& mine : wires) {
    for (auto& theirs : other.wires) {
      if (mine == theirs || !mine->info().negotiated || mine->id != theirs->id) continue;
      if (!mine->end(0).exists || mine->end(1).exists || !theirs->end(0).exists) continue;
      mine->join(*theirs);
      theirs = mine;
    }
  }
  for (FakePeer* peer : {this, &other}) {
    FakePeer& far = peer == this ? other : *this;
    for (const auto& wire : peer->wires) {
      if (wire->info().negotiated) {
        if (wire->end(0).exists && wire->end(1).exists) wire->open();
      } else if (!wire->end(1).exists) {
        far.events_->on_data_channel(wire->take(1));
        wire->open();
      }
    }
  }
}

void FakePeer::close() {
  if (std::exchange(closed_, true)) return;
  for (const auto& wire : wires) {
    backend_.schedule([wire] { wire->break_both(Error(Errc::connection_closed)); });
  }
}

FakeSignaling::FakeSignaling(FakeBackend& backend, std::string room)
    : backend_(backend),
      alive_(std::make_shared<FakeSignaling*>(this)),
      room_(std::move(room)),
      id_("member" + std::to_string(next_number++)) {
  backend_.signaling.push_back(this);
}

FakeSignaling::~FakeSignaling() { leave(); }

void FakeSignaling::drop(Error error) {
  leave();
  events_->on_signaling_closed(std::move(error));
}

void FakeSignaling::leave() {
  if (*alive_ == nullptr) return;
  *alive_ = nullptr;
  std::erase(backend_.signaling, this);
  if (FakeSignaling* peer = other()) tell(*peer, core::signaling::Left{id_});
}

FakeSignaling* FakeSignaling::other() {
  for (FakeSignaling* member : backend_.signaling) {
    if (member != this && member->room_ == room_) return member;
  }
  return nullptr;
}

void FakeSignaling::tell(FakeSignaling& receiver, core::signaling::Frame frame) {
  receiver.backend_.schedule([alive = receiver.alive_, frame = std::move(frame)] {
    if (*alive != nullptr) (*alive)->events_->on_frame(frame);
  });
}

void FakeSignaling::set_events(core::SignalingEvents& events) {
  events_ = &events;
  const auto members = std::count_if(backend_.signaling.begin(), backend_.signaling.end(),
                                     [&](const FakeSignaling* member) { return member->room_ == room_; });
  if (members > 2) {
    backend_.schedule([alive = alive_] {
      if (*alive != nullptr) (*alive)->events_->on_signaling_closed(Error(Errc::room_full));
    });
    return;
  }
  if (backend_.rooms_are_silent) return;
  FakeSignaling* peer = other();
  polite_ = peer != nullptr && !peer->polite_;  // the role belongs to the place
  core::signaling::Welcome welcome{.you = id_, .polite = polite_, .peer = std::nullopt};
  if (peer != nullptr) welcome.peer = peer->id_;
  tell(*this, welcome);
  if (peer != nullptr) tell(*peer, core::signaling::Joined{id_});
}

void FakeSignaling::send(const core::signaling::Frame& frame) {
  if (*alive_ == nullptr) return;
  FakeSignaling* peer = other();
  const bool is_bye = std::holds_alternative<core::signaling::Bye>(frame);
  byes_sent += is_bye ? 1U : 0U;
  if (std::holds_alternative<core::signaling::Description>(frame)) ++descriptions_sent;
  if (peer == nullptr) return;
  core::signaling::Frame copy = frame;
  if (auto* description = std::get_if<core::signaling::Description>(&copy)) description->from = id_;
  if (auto* candidate = std::get_if<core::signaling::Candidate>(&copy)) candidate->from = id_;
  if (auto* bye = std::get_if<core::signaling::Bye>(&copy)) bye->from = id_;
  tell(*peer, std::move(copy));
}

}  // namespace wdc::test
