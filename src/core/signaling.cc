// SPDX-License-Identifier: MIT
#include "src/core/signaling.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "src/core/home_parts.h"
#include "src/core/validate.h"

namespace wdc {

namespace core {

using signaling::Frame;

namespace {

/// Both members create the channel with this id, so neither waits for the other's.
constexpr std::uint16_t kChannelId = 0;
/// Frames that may wait to be handled. A connection takes a description and some tens of candidates.
constexpr std::size_t kMaxInbox = 1'024;
/// After a drop, how long and how often a member tries to come back: longer than the server keeps a dead member's
/// place.
constexpr std::chrono::seconds kRejoinFor{25};
constexpr std::chrono::seconds kRejoinEvery{1};

Result<void> validate_room(std::string_view room) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  constexpr std::size_t kMaxRoomName = 64;
  if (room.empty() || room.size() > kMaxRoomName || !std::all_of(room.begin(), room.end(), allowed))
    return wdc::fail(Errc::invalid_argument, "the room's name must be 1 to 64 of A-Z, a-z, 0-9, _ and -");
  return {};
}

}  // namespace

void SignalingSessionDeleter::operator()(SignalingSession* session) const noexcept { delete session; }

struct SignalingSession::NextFrame {
  SignalingSession& session;
  detail::WaitNode node;

  explicit NextFrame(SignalingSession& of) noexcept : session(of) {}
  [[nodiscard]] bool await_ready() const noexcept { return !session.inbox_.empty(); }
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(node, caller);
    session.inbox_waiter_.push_back(node);
  }
  [[nodiscard]] Frame await_resume() {
    Frame frame = std::move(session.inbox_.front());
    session.inbox_.pop_front();
    return frame;
  }
};

SignalingSession::SignalingSession(EventLoop& loop, std::string url, std::string room, ConnectOptions options)
    : loop_(loop), url_(std::move(url)), room_(std::move(room)), options_(std::move(options)) {
  options_.channel.negotiated = true;
  options_.channel.id = kChannelId;
  timeout_.session = this;
  timeout_.fire = [](detail::TimerNode& timer) {
    auto& session = *static_cast<Timer&>(timer).session;
    const char* what = session.peer_ ? "while connecting to the other member" : "waiting for the other member";
    session.decide_failure(Error(Errc::timed_out, what));
  };
  rejoin_.session = this;
  rejoin_.fire = [](detail::TimerNode& timer) { static_cast<Timer&>(timer).session->rejoin(); };
}

SignalingSession::~SignalingSession() { send(signaling::Bye{}); }

bool SignalingSession::start() {
  auto valid = loop_.internal().on_owning_thread() ? validate_room(room_) : fail(Errc::wrong_thread);
  // Otherwise these would be met only when the other member comes.
  if (valid) valid = validate(options_.peer);
  if (valid) valid = validate(options_.label, options_.channel);
  if (valid && options_.timeout && options_.timeout->count() < 1)
    valid = fail(Errc::invalid_argument, "timeout must be at least 1 ms");
  if (!valid) {
    outcome_.emplace(std::move(valid));
    return true;
  }
  loop_.internal().add_owner(*this);
  link_home_signaling();
  if (auto entered = enter(); !entered) {
    outcome_.emplace(std::move(entered));
    return true;
  }
  if (options_.timeout) loop_.internal().arm(timeout_, detail::saturated(*options_.timeout));
  reading_ = spawn(loop_, read_frames());
  return false;
}

Result<Connection> SignalingSession::finish(SignalingSessionPointer session) {
  if (!*session->outcome_) return std::unexpected(std::move(session->outcome_->error()));
  DataChannel channel = std::move(session->channel_);
  return Connection(std::move(session), std::move(channel));
}

void SignalingSession::on_loop_closed() noexcept {
  backend_.reset();
  timeout_.cancel();
  rejoin_.cancel();
}

// The room.

Result<void> SignalingSession::enter() {
  auto backend = loop_.internal().backend().open_signaling(url_, room_);
  if (!backend) return std::unexpected(std::move(backend.error()));
  backend_ = std::move(*backend);
  backend_->set_events(*this);
  return {};
}

void SignalingSession::on_frame(Frame frame) {
  if (inbox_.size() >= kMaxInbox) return on_signaling_closed(Error(Errc::rate_limited, inbox_.size() + 1, kMaxInbox));
  if (std::holds_alternative<signaling::Welcome>(frame)) {
    was_in_ = true;
    dropped_at_.reset();
  }
  inbox_.push_back(std::move(frame));
  if (auto* node = inbox_waiter_.front()) loop_.internal().make_ready(*node);
}

void SignalingSession::on_signaling_closed(Error error) {
  if (!signaling_state_ || drop_) return;
  if (!may_rejoin(error)) return lose_signaling(std::move(error));
  if (!dropped_at_) dropped_at_ = loop_.internal().backend().now();
  drop_ = std::move(error);
  member_present_ = false;  // it hears that we have left; what is being connected may open all the same
  loop_.internal().arm(rejoin_, kRejoinEvery);
}

bool SignalingSession::may_rejoin(const Error& error) const {
  if (outcome_ || !was_in_) return false;
  const Errc code = error.code();
  if (!dropped_at_) return code == Errc::signaling_lost;
  const bool passes = code == Errc::signaling_lost || code == Errc::signaling_unreachable || code == Errc::room_full;
  return passes && loop_.internal().backend().now() - *dropped_at_ <= kRejoinFor;
}

void SignalingSession::rejoin() {
  drop_.reset();
  backend_.reset();
  if (auto entered = enter(); !entered) lose_signaling(std::move(entered.error()));
}

void SignalingSession::lose_signaling(Error error) {
  signaling_state_ = std::unexpected(error);
  decide_failure(std::move(error));
}

void SignalingSession::decide(Result<void> outcome) {
  if (outcome_) return;
  outcome_.emplace(std::move(outcome));
  timeout_.cancel();
  rejoin_.cancel();
  if (drop_) signaling_state_ = std::unexpected(std::move(*drop_));
  loop_.internal().make_ready(waiter_);
}

void SignalingSession::decide_failure(Error error) { decide(std::unexpected(std::move(error))); }

void SignalingSession::send(Frame frame) {
  if (backend_ && signaling_state_ && !drop_) backend_->send(frame);
}

Task<void> SignalingSession::read_frames() {
  for (;;) {
    NextFrame next(*this);
    Frame frame = co_await next;
    if (auto* welcome = std::get_if<signaling::Welcome>(&frame)) {
      if (connected_) continue;
      polite_ = welcome->polite;
      member_present_ = false;  // who was met in an earlier stay meets us anew
      if (welcome->peer) meet(*welcome->peer);
    } else if (auto* joined = std::get_if<signaling::Joined>(&frame)) {
      meet(joined->peer);
    } else if (auto* left = std::get_if<signaling::Left>(&frame)) {
      part(left->peer);
    } else if (auto* bye = std::get_if<signaling::Bye>(&frame)) {
      part(bye->from);
    } else if (auto* refused = std::get_if<signaling::Refused>(&frame)) {
      on_signaling_closed(std::move(refused->error));
    } else if (auto* description = std::get_if<signaling::Description>(&frame)) {
      if (!is_from_member(description->from)) continue;
      auto taking = take_description(std::move(description->description));
      co_await std::move(taking);
    } else if (auto* candidate = std::get_if<signaling::Candidate>(&frame)) {
      if (!is_from_member(candidate->from)) continue;
      auto taking = take_candidate(std::move(candidate->candidate));
      co_await std::move(taking);
    }
  }
}

void SignalingSession::meet(const std::string& member) {
  // A channel that is open does not run through the room: a newcomer does not end it.
  if (connected_ || outcome_ || (member_present_ && member == member_)) return;
  member_ = member;
  member_present_ = true;
  connect_afresh();
}

/// The connection goes on: the other member may have left because, on its side, the channel is open already.
void SignalingSession::part(const std::string& member) {
  if (member == member_) member_present_ = false;
}

void SignalingSession::connect_afresh() {
  negotiating_.cancel();
  opening_.cancel();
  channel_ = DataChannel();
  peer_ = PeerConnection();
  making_offer_ = ignore_offer_ = setting_remote_answer_pending_ = answering_ = described_ = false;

  auto peer = PeerConnection::create(loop_, options_.peer);
  if (!peer) return decide_failure(std::move(peer.error()));
  peer_ = std::move(*peer);
  auto channel = peer_.create_data_channel(options_.label, options_.channel);
  if (!channel) return decide_failure(std::move(channel.error()));
  channel_ = std::move(*channel);
  negotiating_ = spawn(loop_, negotiate());
  opening_ = spawn(loop_, wait_open());
}

Task<void> SignalingSession::wait_open() {
  auto opening = channel_.wait_open();
  auto opened = co_await opening;
  if (opened) {
    connected_ = true;
    decide({});
  } else if (member_present_) {
    decide_failure(std::move(opened.error()));
  }
  // Otherwise the member left on its way: the next one is met with a fresh connection.
}

// Perfect negotiation.

Task<void> SignalingSession::negotiate() {
  for (;;) {
    auto next = peer_.next_negotiation_event();
    auto event = co_await next;
    if (!event) co_return;
    if (auto* candidate = std::get_if<IceCandidate>(&*event)) {
      send(signaling::Candidate{{}, std::move(*candidate)});
      continue;
    }
    auto offering = make_offer();
    co_await std::move(offering);
  }
}

class SignalingSession::OwnOfferMade {
 public:
  explicit OwnOfferMade(SignalingSession& session) noexcept : session_(session) {}
  [[nodiscard]] bool await_ready() const noexcept { return !session_.making_offer_; }
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(node_, caller);
    session_.offer_waiter_.push_back(node_);
  }
  void await_resume() const noexcept {}

 private:
  SignalingSession& session_;
  detail::WaitNode node_;
};

Task<void> SignalingSession::make_offer() {
  // The event waited in a queue: meanwhile the other side's offer may be there. If one of ours is still needed after
  // it, the connection says so again once it is stable (W3C 4.7.3).
  if (answering_ || peer_.signaling_state() != SignalingState::stable) co_return;
  // The polite side's channel is the impolite one's too: its first offer covers both. And two first offers had better
  // not meet: Chromium does not always gather candidates after a rollback.
  if (polite_ && !described_) co_return;
  making_offer_ = true;
  auto setting = peer_.set_local_description();
  auto offer = co_await setting;
  making_offer_ = false;
  if (auto* waiting = offer_waiter_.front()) detail::make_ready(loop_.internal(), *waiting);
  if (offer)
    send(signaling::Description{{}, std::move(*offer)});
  else if (!answering_)
    decide_failure(std::move(offer.error()));
}

Task<void> SignalingSession::take_description(SessionDescription description) {
  const bool is_offer = description.type == SdpType::offer;
  const bool ready_for_offer =
      !making_offer_ && (peer_.signaling_state() == SignalingState::stable || setting_remote_answer_pending_);
  ignore_offer_ = !polite_ && is_offer && !ready_for_offer;
  if (ignore_offer_) co_return;
  // Chromium 156 gathers no candidates ever after if an offer arrives while its own is still in the making.
  if (is_offer) co_await OwnOfferMade(*this);

  described_ = true;
  answering_ = is_offer;
  setting_remote_answer_pending_ = description.type == SdpType::answer;
  auto setting = peer_.set_remote_description(std::move(description));  // rolls an offer of ours back if need be
  auto applied = co_await setting;
  setting_remote_answer_pending_ = false;
  if (!applied) {
    decide_failure(std::move(applied.error()));
  } else if (is_offer) {
    auto answering = answer();
    co_await std::move(answering);
  }
  answering_ = false;
}

Task<void> SignalingSession::answer() {
  auto setting = peer_.set_local_description();
  auto answer = co_await setting;
  if (answer)
    send(signaling::Description{{}, std::move(*answer)});
  else
    decide_failure(std::move(answer.error()));
}

/// One that is refused is not the end: others may do, and if none does the connection says so.
Task<void> SignalingSession::take_candidate(IceCandidate candidate) {
  if (ignore_offer_) co_return;  // it belongs to that offer
  auto adding = peer_.add_ice_candidate(std::move(candidate));
  [[maybe_unused]] auto added = co_await adding;
}

}  // namespace core

Connection::Connection(core::SignalingSessionPointer session, DataChannel open_channel) noexcept
    : session_(std::move(session)), channel(std::move(open_channel)) {}

PeerConnection& Connection::peer() noexcept { return session_->peer(); }

Result<void> Connection::signaling_state() const { return session_->signaling_state(); }

ConnectOperation::ConnectOperation(core::SignalingSessionPointer session) noexcept : session_(std::move(session)) {}

bool ConnectOperation::await_ready() { return session_->start(); }

detail::WaitNode& ConnectOperation::waiter() noexcept { return session_->waiter(); }

Result<Connection> ConnectOperation::await_resume() { return core::SignalingSession::finish(std::move(session_)); }

ConnectOperation connect(EventLoop& loop, std::string url, std::string room, ConnectOptions options) {
  return ConnectOperation(core::SignalingSessionPointer(
      new core::SignalingSession(loop, std::move(url), std::move(room), std::move(options))));
}

ConnectOperation connect(EventLoop& loop, std::string url, std::string room) {
  return connect(loop, std::move(url), std::move(room), ConnectOptions{});
}

}  // namespace wdc
