// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "src/core/backend.h"
#include "src/core/loop.h"
#include "wdc/data_channel.h"
#include "wdc/event_loop.h"
#include "wdc/peer_connection.h"
#include "wdc/signaling.h"
#include "wdc/task.h"

namespace wdc::core {

/// One stay in a room: meets the other member, connects by W3C "perfect negotiation", and goes on negotiating
/// afterwards.
///
///     start() -> in the room --welcome with a peer, joined--> negotiating --channel open--> connected
///                                 ^-------- joined (another member) -------|
///
/// Before it is connected, a lost signaling connection is made again (docs/wire/signaling.md, "Drops and reconnects").
/// The impolite member ignores an offer that meets its own, the polite one takes it and so rolls its own back.
class SignalingSession final : private SignalingEvents, public LoopResident {
 public:
  SignalingSession(EventLoop& loop, std::string url, std::string room, ConnectOptions options);
  ~SignalingSession();

  /// True if it failed at once.
  [[nodiscard]] bool start();
  [[nodiscard]] detail::WaitNode& waiter() noexcept { return waiter_; }
  [[nodiscard]] static Result<Connection> finish(SignalingSessionPointer session);

  [[nodiscard]] PeerConnection& peer() noexcept { return peer_; }
  [[nodiscard]] const Result<void>& signaling_state() const noexcept { return signaling_state_; }
  void on_loop_closed() noexcept override;

 private:
  struct NextFrame;
  struct Timer : detail::TimerNode {
    SignalingSession* session = nullptr;
  };

  void on_frame(signaling::Frame frame) override;
  void on_signaling_closed(Error error) override;

  [[nodiscard]] bool may_rejoin(const Error& error) const;
  [[nodiscard]] Result<void> enter();
  void rejoin();
  void lose_signaling(Error error);

  void decide(Result<void> outcome);
  void decide_failure(Error error);
  void send(signaling::Frame frame);

  [[nodiscard]] Task<void> read_frames();
  void meet(const std::string& member);
  void part(const std::string& member);
  [[nodiscard]] bool is_from_member(const std::string& from) const {
    return peer_ && (from.empty() || from == member_);
  }
  void connect_afresh();
  [[nodiscard]] Task<void> wait_open();

  class OwnOfferMade;
  [[nodiscard]] Task<void> negotiate();
  [[nodiscard]] Task<void> make_offer();
  [[nodiscard]] Task<void> take_description(SessionDescription description);
  [[nodiscard]] Task<void> answer();
  [[nodiscard]] Task<void> take_candidate(IceCandidate candidate);

  EventLoop& loop_;
  const std::string url_;
  const std::string room_;
  ConnectOptions options_;
  detail::WaitNode waiter_;
  std::optional<Result<void>> outcome_;  // of connect()
  Timer timeout_;

  std::unique_ptr<SignalingBackend> backend_;
  Result<void> signaling_state_;
  bool was_in_ = false;                  // a welcome has come: only then may it be our own old self that fills the room
  std::optional<TimePoint> dropped_at_;  // until the next welcome
  std::optional<Error> drop_;            // while we are out of the room, until rejoin_
  Timer rejoin_;
  std::deque<signaling::Frame> inbox_;
  detail::WaitList inbox_waiter_;

  bool polite_ = false;
  std::string member_;  // the other one
  bool member_present_ = false;
  PeerConnection peer_;
  DataChannel channel_;
  bool connected_ = false;

  // The variables of the W3C specification's example of perfect negotiation (section 10.7).
  bool making_offer_ = false;
  detail::WaitList offer_waiter_;  // for its end
  bool ignore_offer_ = false;
  bool setting_remote_answer_pending_ = false;
  bool answering_ = false;  // a remote offer is being applied and answered
  bool described_ = false;  // the other side has sent a description

  // Last: destroyed before what they use.
  Spawned<void> reading_;
  Spawned<void> negotiating_;
  Spawned<void> opening_;
};

}  // namespace wdc::core
