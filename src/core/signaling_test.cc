// SPDX-License-Identifier: MIT
#include "wdc/signaling.h"

#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<Connection> && !std::is_copy_constructible_v<ConnectOperation>);

class Signaling : public test::LoopTest {
 protected:
  auto join(ConnectOptions options = {}) { return start(connect(*loop, "ws://host/ws", "room", std::move(options))); }
  test::FakeSignaling& member(std::size_t index) { return *backend->signaling.at(index); }
};

TEST_F(Signaling, GivesBothMembersAReadyChannel) {
  auto first = join();
  settle();
  EXPECT_FALSE(first.done());
  auto second = join();
  settle();
  ASSERT_TRUE(first.done() && second.done());
  auto a = first.take();
  auto b = second.take();
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->channel.label(), "data");
  EXPECT_EQ(a->channel.id(), 0);
  EXPECT_TRUE(run(a->channel.send_text("hello")));
  EXPECT_TRUE(run(b->channel.send_text("you")));
  settle();
  EXPECT_EQ(b->channel.try_receive()->as_text(), "hello");
  EXPECT_EQ(a->channel.try_receive()->as_text(), "you");
  EXPECT_EQ(a->peer().connection_state(), ConnectionState::connected);
  EXPECT_TRUE(a->signaling_state());
}

TEST_F(Signaling, LetsTheImpoliteMemberOfferFirst) {
  auto first = join();
  auto second = join();
  settle();
  ASSERT_TRUE(first.done() && second.done());
  ASSERT_EQ(backend->peers.size(), 2U);
  // Both created the channel, and so both were asked for an offer.
  EXPECT_EQ(backend->peers[0]->offers_made, 1U);
  EXPECT_EQ(backend->peers[1]->offers_made, 0U);
  EXPECT_TRUE(first.take() && second.take());
}

TEST_F(Signaling, ResolvesGlareByTheRoles) {
  auto first = join();
  auto second = join();
  settle();
  ASSERT_TRUE(first.done() && second.done());
  auto a = first.take();
  auto b = second.take();
  ASSERT_TRUE(a && b);
  a->peer().restart_ice();
  b->peer().restart_ice();
  settle();
  // Both made an offer; the polite one took its own back.
  EXPECT_EQ(backend->peers[0]->rollbacks, 0U);
  EXPECT_EQ(backend->peers[1]->rollbacks, 1U);
  EXPECT_EQ(a->peer().signaling_state(), SignalingState::stable);
  EXPECT_EQ(b->peer().signaling_state(), SignalingState::stable);
}

TEST_F(Signaling, FinishesItsOwnOfferBeforeItTakesTheOtherOne) {
  auto first = join();
  auto second = join();
  settle();
  auto a = first.take();
  auto b = second.take();
  ASSERT_TRUE(a && b);
  backend->peers[1]->hold_answers = true;  // the polite one's offer stays in the making
  b->peer().restart_ice();
  settle();
  a->peer().restart_ice();
  settle();
  EXPECT_EQ(backend->peers[1]->rollbacks, 0U);
  backend->peers[1]->release_answers();
  settle();
  EXPECT_EQ(backend->peers[1]->rollbacks, 1U);
  EXPECT_EQ(a->peer().signaling_state(), SignalingState::stable);
  EXPECT_EQ(b->peer().signaling_state(), SignalingState::stable);
}

TEST_F(Signaling, MeetsTheNextMemberWhenTheFirstOneLeaves) {
  auto stays = join();
  settle();
  {
    auto leaves = join();
    loop->poll();
    loop->poll();
    loop->poll();
    loop->poll();
    EXPECT_FALSE(stays.done());
  }
  settle();
  EXPECT_FALSE(stays.done());
  auto next = join();
  settle();
  ASSERT_TRUE(stays.done() && next.done());
  auto a = stays.take();
  auto b = next.take();
  ASSERT_TRUE(a && b);
  EXPECT_TRUE(run(a->channel.send_text("hello")));
  settle();
  EXPECT_EQ(b->channel.try_receive()->as_text(), "hello");
}

TEST_F(Signaling, GoesOnNegotiatingAfterwards) {
  auto first = join();
  auto second = join();
  settle();
  auto a = first.take();
  auto b = second.take();
  ASSERT_TRUE(a && b);
  const auto sent = member(0).descriptions_sent + member(1).descriptions_sent;
  a->peer().restart_ice();
  settle();
  EXPECT_EQ(member(0).descriptions_sent + member(1).descriptions_sent, sent + 2);
  EXPECT_EQ(a->peer().signaling_state(), SignalingState::stable);
  EXPECT_EQ(b->peer().signaling_state(), SignalingState::stable);
}

TEST_F(Signaling, SurvivesRestartsFromBothSidesAtOnce) {
  auto first = join();
  auto second = join();
  settle();
  auto a = first.take();
  auto b = second.take();
  ASSERT_TRUE(a && b);
  a->peer().restart_ice();
  b->peer().restart_ice();
  settle();
  EXPECT_EQ(a->peer().signaling_state(), SignalingState::stable);
  EXPECT_EQ(b->peer().signaling_state(), SignalingState::stable);
  EXPECT_TRUE(run(a->channel.send_text("still there")));
  settle();
  EXPECT_EQ(b->channel.try_receive()->as_text(), "still there");
}

TEST_F(Signaling, DoesNotNeedTheRoomOnceConnected) {
  auto first = join();
  auto second = join();
  settle();
  auto a = first.take();
  auto b = second.take();
  ASSERT_TRUE(a && b);
  member(0).events().on_signaling_closed(Error(Errc::signaling_lost));
  settle();
  EXPECT_EQ(a->signaling_state().error().code(), Errc::signaling_lost);
  EXPECT_TRUE(run(a->channel.send_text("hello")));
  settle();
  EXPECT_EQ(b->channel.try_receive()->as_text(), "hello");
}

TEST_F(Signaling, ComesBackToTheRoomAfterADropAndMeetsTheMemberAnew) {
  for (const std::size_t dropped : {0U, 1U}) {
    for (int turns = 2; turns < 8; ++turns) {
      SCOPED_TRACE(testing::Message() << "member " << dropped << " dropped after " << turns << " turns");
      auto first = join();
      settle();
      auto second = join();
      for (int i = 0; i < turns; ++i) loop->poll();
      if (first.done() && second.done()) break;
      member(dropped).drop(Error(Errc::signaling_lost));
      settle();
      pass(1s);
      settle();
      ASSERT_TRUE(first.done() && second.done());
      auto a = first.take();
      auto b = second.take();
      ASSERT_TRUE(a && b);
      EXPECT_TRUE(run(a->channel.send_text("met")));
      settle();
      EXPECT_EQ(b->channel.try_receive()->as_text(), "met");
    }
  }
}

TEST_F(Signaling, ComesBackAloneAndWaitsOn) {
  auto first = join();
  settle();
  member(0).drop(Error(Errc::signaling_lost));
  settle();
  EXPECT_TRUE(backend->signaling.empty());
  pass(1s);
  settle();
  EXPECT_FALSE(first.done());
  auto second = join();
  settle();
  EXPECT_TRUE(first.take() && second.take());
}

TEST_F(Signaling, TriesAgainWhileItsOldSelfFillsTheRoomOrTheServerIsAway) {
  auto first = join();
  settle();
  member(0).drop(Error(Errc::signaling_lost));
  struct Silent final : core::SignalingEvents {
    void on_frame(core::signaling::Frame) override {}
    void on_signaling_closed(Error) override {}
  } silent;
  auto ghost = *backend->open_signaling("", "room");
  auto other = *backend->open_signaling("", "room");
  ghost->set_events(silent);
  other->set_events(silent);
  settle();
  pass(1s);  // room_full
  settle();
  EXPECT_EQ(backend->signaling.size(), 3U);
  member(2).drop(Error(Errc::signaling_unreachable));
  ghost.reset();
  other.reset();
  for (int i = 0; i < 3; ++i) {
    pass(1s);
    settle();
  }
  EXPECT_FALSE(first.done());
  auto second = join();
  settle();
  EXPECT_TRUE(first.take() && second.take());
}

TEST_F(Signaling, GivesUpToComeBackAfter25Seconds) {
  auto first = join();
  settle();
  backend->rooms_are_silent = true;
  for (int tries = 0; tries <= 25; ++tries) {
    ASSERT_FALSE(first.done()) << tries;
    member(0).drop(Error(tries == 0 ? Errc::signaling_lost : Errc::signaling_unreachable));
    settle();
    pass(1s);
    settle();
  }
  ASSERT_FALSE(first.done());
  member(0).drop(Error(Errc::signaling_unreachable));
  settle();
  ASSERT_TRUE(first.done());
  EXPECT_EQ(first.take().error().code(), Errc::signaling_unreachable);
  pass(60s);
  settle();
  EXPECT_TRUE(backend->signaling.empty());
}

TEST_F(Signaling, DoesNotComeBackToARoomItWasNeverInNorAfterARefusal) {
  for (const Errc code : {Errc::signaling_unreachable, Errc::room_full, Errc::signaling_malformed}) {
    backend->rooms_are_silent = code != Errc::signaling_malformed;
    auto alone = join();
    settle();
    member(0).drop(Error(code));
    settle();
    ASSERT_TRUE(alone.done());
    EXPECT_EQ(alone.take().error().code(), code);
  }
  settle();
  EXPECT_TRUE(backend->signaling.empty());
}

TEST_F(Signaling, LeavesNothingBehindWhenDestroyedBetweenTheStays) {
  auto first = join();
  settle();
  member(0).drop(Error(Errc::signaling_lost));
  first.cancel();
  settle();
  pass(2s);
  settle();
  EXPECT_TRUE(backend->signaling.empty());
}

TEST_F(Signaling, IgnoresANewcomerOnceConnected) {
  auto first = join();
  auto second = join();
  settle();
  auto a = first.take();
  auto b = second.take();
  ASSERT_TRUE(a && b);
  const auto peers = backend->peers.size();
  member(0).events().on_frame(core::signaling::Left{member(1).member()});
  member(0).events().on_frame(core::signaling::Joined{"stranger"});
  member(0).events().on_frame(core::signaling::Description{"stranger", {SdpType::offer, "rubbish"}});
  settle();
  EXPECT_EQ(backend->peers.size(), peers);
  EXPECT_EQ(a->channel.ready_state(), ReadyState::open);
}

TEST_F(Signaling, TimesOutWithoutTheOtherMember) {
  auto alone = join({.timeout = 5s});
  settle();
  pass(5s);
  ASSERT_TRUE(alone.done());
  const auto result = alone.take();
  EXPECT_EQ(result.error().message(), "timed_out: the operation did not finish in time: waiting for the other member");
  settle();
  EXPECT_TRUE(backend->signaling.empty());  // it left the room
}

TEST_F(Signaling, WorksWithWithTimeout) {
  auto alone = run(with_timeout(connect(*loop, "ws://host/ws", "room"), 5s));
  EXPECT_EQ(alone.error().code(), Errc::timed_out);
  EXPECT_TRUE(backend->signaling.empty());
}

TEST_F(Signaling, LeavesTheRoomWithAByeWhenDestroyedHalfWay) {
  auto alone = join();
  settle();
  auto other = join();
  loop->poll();
  loop->poll();
  alone.cancel();
  other.cancel();
  settle();
  EXPECT_TRUE(backend->signaling.empty());
  EXPECT_TRUE(backend->peers.empty());
}

TEST_F(Signaling, ReportsWhatTheServerSays) {
  auto first = join();
  auto second = join();
  auto third = join();
  settle();
  EXPECT_EQ(third.take().error().code(), Errc::room_full);
  backend->refuse_signaling = Error(Errc::unsupported, "no such carrier");
  EXPECT_EQ(run(connect(*loop, "gopher://", "room")).error().code(), Errc::unsupported);
  backend->refuse_signaling.reset();
  auto refused = start(connect(*loop, "ws://host/ws", "other"));
  settle();
  backend->signaling.back()->events().on_frame(core::signaling::Refused{Error(Errc::rate_limited)});
  settle();
  EXPECT_EQ(refused.take().error().code(), Errc::rate_limited);
}

TEST_F(Signaling, RefusesBadRoomNamesBeforeAnythingIsOpened) {
  for (const std::string& room : {std::string(), std::string("a b"), std::string(65, 'x'), std::string("\xC3\xA9")}) {
    EXPECT_EQ(run(connect(*loop, "ws://host/ws", room)).error().code(), Errc::invalid_argument) << room;
  }
  EXPECT_TRUE(backend->signaling.empty());
}

TEST_F(Signaling, RefusesBadOptionsBeforeAnythingIsOpened) {
  ConnectOptions channel;
  channel.channel.max_retransmits = 1;
  channel.channel.max_packet_life_time = 1ms;
  ConnectOptions server;
  server.peer.ice_servers.push_back({.urls = {"http://host"}});
  ConnectOptions timeout;
  timeout.timeout = 0ms;
  for (const ConnectOptions& options : {channel, server, timeout})
    EXPECT_EQ(run(connect(*loop, "ws://host/ws", "room", options)).error().code(), Errc::invalid_argument);
  EXPECT_TRUE(backend->signaling.empty());
}

TEST_F(Signaling, ReportsAPeerLostOnItsWay) {
  auto first = join();
  settle();
  auto second = join();
  for (int i = 0; i < 3; ++i) loop->poll();
  ASSERT_EQ(backend->peers.size(), 2U);
  backend->peers[0]->events().on_connection_state(ConnectionState::failed);
  settle();
  int lost = 0;
  for (auto* one : {&first, &second}) {
    if (one->done()) lost += one->take().error().code() == Errc::peer_lost ? 1 : 0;
  }
  EXPECT_EQ(lost, 1);
}

TEST_F(Signaling, ConnectsThoughACandidateIsRefused) {
  auto first = join();
  settle();
  auto second = join();
  for (int i = 0; i < 2; ++i) loop->poll();
  // Before any description: the connection refuses it.
  member(0).events().on_frame(core::signaling::Candidate{member(1).member(), {.candidate = "rubbish"}});
  settle();
  EXPECT_TRUE(first.take() && second.take());
}

TEST_F(Signaling, FailsWhenADescriptionIsRefused) {
  auto first = join();
  settle();
  member(0).events().on_frame(core::signaling::Joined{"other"});
  member(0).events().on_frame(core::signaling::Description{"other", {SdpType::answer, "answer 1"}});
  loop->poll();
  settle();
  ASSERT_TRUE(first.done());
  EXPECT_EQ(first.take().error().code(), Errc::negotiation_failed);
}

TEST_F(Signaling, OutlivesItsLoop) {
  auto first = join();
  auto second = join();
  settle();
  auto a = first.take();
  auto b = second.take();
  ASSERT_TRUE(a && b);
  auto waiting = start(connect(*loop, "ws://host/ws", "lonely"));
  settle();
  loop.reset();
  EXPECT_EQ(a->channel.close_reason().error().code(), Errc::loop_closed);
  EXPECT_EQ(a->peer().connection_state(), ConnectionState::closed);
}

}  // namespace
}  // namespace wdc
