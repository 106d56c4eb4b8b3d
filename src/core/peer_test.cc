// SPDX-License-Identifier: MIT
#include "src/core/peer.h"

#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<PeerConnection> && !std::is_copy_assignable_v<PeerConnection>);

class Peers : public test::LoopTest {
 protected:
  PeerConnection make(PeerConnectionOptions options = {}) {
    return PeerConnection::create(*loop, std::move(options)).value();
  }
  test::FakePeer& fake(std::size_t index = 0) { return *backend->peers.at(index); }
  /// Offer and answer by hand.
  static Task<> connect(PeerConnection& a, PeerConnection& b) {
    auto offer = co_await a.set_local_description();
    EXPECT_TRUE(offer);
    EXPECT_TRUE(co_await b.set_remote_description(*offer));
    auto answer = co_await b.set_local_description();
    EXPECT_TRUE(answer);
    EXPECT_EQ(answer->type, SdpType::answer);
    EXPECT_TRUE(co_await a.set_remote_description(*answer));
  }
};

TEST_F(Peers, ConnectAndAcceptAChannelOfTheOtherSide) {
  auto a = make();
  auto b = make();
  auto channel = a.create_data_channel("chat", {.ordered = false, .protocol = "text"});
  ASSERT_TRUE(channel);
  auto accepting = start(b.accept_data_channel());
  run(connect(a, b));
  settle();
  EXPECT_EQ(a.connection_state(), ConnectionState::connected);
  EXPECT_EQ(b.ice_connection_state(), IceConnectionState::connected);
  EXPECT_EQ(a.signaling_state(), SignalingState::stable);
  ASSERT_TRUE(accepting.done());
  auto accepted = accepting.take();
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->label(), "chat");
  EXPECT_EQ(accepted->protocol(), "text");
  EXPECT_FALSE(accepted->ordered());
  EXPECT_TRUE(run(channel->wait_open()));
  EXPECT_TRUE(run(channel->send_text("hello")));
  settle();
  EXPECT_EQ(accepted->try_receive()->as_text(), "hello");
}

TEST_F(Peers, ReportNegotiationAndCandidatesInOrder) {
  auto a = make();
  auto channel = a.create_data_channel("x");
  auto first = run(a.next_negotiation_event());
  ASSERT_TRUE(first);
  EXPECT_TRUE(std::holds_alternative<NegotiationNeeded>(*first));
  EXPECT_TRUE(run(a.set_local_description()));
  EXPECT_EQ(a.signaling_state(), SignalingState::have_local_offer);
  auto second = run(a.next_negotiation_event());
  ASSERT_TRUE(second);
  EXPECT_TRUE(std::holds_alternative<IceCandidate>(*second));
}

TEST_F(Peers, EndASecondWaiterForEventsAtOnce) {
  auto a = make();
  auto first = start(a.next_negotiation_event());
  settle();
  EXPECT_FALSE(run(a.next_negotiation_event()));
  auto channel = a.create_data_channel("x");
  settle();
  EXPECT_TRUE(first.take());
}

TEST_F(Peers, TellEachChangeOfState) {
  auto a = make();
  auto waiting = start(a.next_connection_state());
  settle();
  EXPECT_FALSE(waiting.done());
  fake().events().on_connection_state(ConnectionState::connecting);
  fake().events().on_connection_state(ConnectionState::connected);
  settle();
  EXPECT_EQ(waiting.take(), ConnectionState::connected);
  auto next = start(a.next_connection_state());
  a.close();
  settle();
  EXPECT_EQ(next.take(), ConnectionState::closed);
}

TEST_F(Peers, PassOnWhatTheHomeRefuses) {
  auto a = make();
  fake().next_operation_error = Error(Errc::negotiation_failed, "no");
  EXPECT_EQ(run(a.create_offer()).error(), Error(Errc::negotiation_failed, "no"));
  EXPECT_EQ(run(a.set_remote_description({SdpType::offer, "rubbish"})).error().code(), Errc::negotiation_failed);
  EXPECT_EQ(run(a.add_ice_candidate({.candidate = "early"})).error().code(), Errc::negotiation_failed);
  EXPECT_EQ(run(a.create_answer())->type, SdpType::answer);
  EXPECT_TRUE(run(a.set_local_description({SdpType::offer, "offer 1"})));
  backend->refuse_peers = Error(Errc::unsupported);
  EXPECT_EQ(PeerConnection::create(*loop).error().code(), Errc::unsupported);
  EXPECT_EQ(PeerConnection::create(*loop, {.incoming_channels = 0}).error().code(), Errc::invalid_argument);
}

TEST_F(Peers, RefuseChannelsTheyCannotMake) {
  auto a = make();
  DataChannelOptions both;
  both.max_retransmits = 1;
  both.max_packet_life_time = 1ms;
  EXPECT_EQ(a.create_data_channel("x", both).error().code(), Errc::invalid_argument);
  DataChannelOptions negotiated;
  negotiated.negotiated = true;
  negotiated.id = 5;
  auto channel = a.create_data_channel("x", negotiated);
  ASSERT_TRUE(channel);
  EXPECT_EQ(a.create_data_channel("y", negotiated).error().code(), Errc::invalid_state);
  a.close();
  EXPECT_EQ(a.create_data_channel("z").error().code(), Errc::connection_closed);
}

TEST_F(Peers, ReportAPeerThatStaysSilentAsLost) {
  auto a = make({.disconnected_timeout = 3s});
  auto channel = a.create_data_channel("x").value();
  fake().events().on_connection_state(ConnectionState::connected);
  fake().events().on_connection_state(ConnectionState::disconnected);
  settle();
  pass(2s);
  fake().events().on_connection_state(ConnectionState::connecting);  // proves nothing
  pass(999ms);
  EXPECT_EQ(channel.ready_state(), ReadyState::connecting);
  pass(1ms);
  EXPECT_EQ(channel.close_reason().error().code(), Errc::peer_lost);
}

TEST_F(Peers, ForgiveAPeerThatComesBackInTime) {
  auto a = make({.disconnected_timeout = 3s});
  auto channel = a.create_data_channel("x").value();
  fake().events().on_connection_state(ConnectionState::disconnected);
  pass(2s);
  fake().events().on_connection_state(ConnectionState::connected);
  pass(10s);
  EXPECT_TRUE(channel.close_reason());
}

TEST_F(Peers, LoseTheirChannelsWhenTheConnectionFails) {
  auto a = make();
  auto channel = a.create_data_channel("x").value();
  auto opening = start(channel.wait_open());
  settle();
  fake().events().on_connection_state(ConnectionState::failed);
  settle();
  EXPECT_EQ(opening.take().error().code(), Errc::peer_lost);
  fake().wires.at(0)->report_closed(0, Error(Errc::connection_closed));  // too late to matter
  EXPECT_EQ(channel.close_reason().error().code(), Errc::peer_lost);
}

TEST_F(Peers, CloseEverythingOnThemAtOnce) {
  auto a = make();
  auto channel = a.create_data_channel("x").value();
  fake().hold_answers = true;
  auto offering = start(a.create_offer());
  auto applying = start(a.set_local_description({SdpType::offer, "offer 1"}));
  auto accepting = start(a.accept_data_channel());
  settle();
  a.close();
  EXPECT_EQ(channel.close_reason().error().code(), Errc::connection_closed);
  settle();
  EXPECT_EQ(offering.take().error().code(), Errc::connection_closed);
  EXPECT_EQ(applying.take().error().code(), Errc::connection_closed);
  EXPECT_FALSE(accepting.take());
  EXPECT_FALSE(run(a.next_negotiation_event()));
  EXPECT_EQ(run(a.create_offer()).error().code(), Errc::connection_closed);
  EXPECT_TRUE(backend->peers.empty());  // released below
  EXPECT_EQ(a.connection_state(), ConnectionState::closed);
}

TEST_F(Peers, CloseWhenTheirHandleGoes) {
  DataChannel channel;
  {
    auto a = make();
    channel = a.create_data_channel("x").value();
  }
  EXPECT_EQ(channel.close_reason().error().code(), Errc::connection_closed);
  settle();
  EXPECT_TRUE(backend->peers.empty());
}

TEST_F(Peers, BoundTheChannelsThatWaitToBeAccepted) {
  auto a = make({.incoming_channels = 2});
  auto first = fake().offer_channel("first");
  auto second = fake().offer_channel("second");
  auto third = fake().offer_channel("third");
  EXPECT_EQ(a.incoming_channels_refused(), 1U);
  EXPECT_FALSE(third->end(1).exists);
  EXPECT_EQ(run(a.accept_data_channel())->label(), "first");
  EXPECT_EQ(run(a.accept_data_channel())->label(), "second");
}

TEST_F(Peers, KeepMessagesOfAChannelThatWaitsToBeAccepted) {
  auto a = make();
  auto wire = fake().offer_channel("early");
  wire->inject(1, Message::text("hello"));
  auto channel = run(a.accept_data_channel());
  EXPECT_EQ(channel->try_receive()->as_text(), "hello");
}

TEST_F(Peers, ForgetOperationsThatAreDestroyed) {
  auto a = make();
  fake().hold_answers = true;
  { auto unstarted = a.create_offer(); }
  auto offering = start(a.create_offer());
  auto applying = start(a.add_ice_candidate({.candidate = "c"}));
  auto accepting = start(a.accept_data_channel());
  auto eventing = start(a.next_negotiation_event());
  settle();
  offering.cancel();
  applying.cancel();
  accepting.cancel();
  eventing.cancel();
  fake().release_answers();
  settle();
  auto again = start(a.create_offer());
  loop->poll();
  backend->turn(false);  // the answer is there, not resumed
  again.cancel();
  settle();
  EXPECT_EQ(run(a.create_offer())->type, SdpType::offer);
}

TEST_F(Peers, OutliveTheirLoop) {
  auto a = make();
  auto channel = a.create_data_channel("x").value();
  auto offer = a.create_offer();
  fake().offer_channel("waiting");
  fake().hold_answers = true;
  auto offering = start(a.create_offer());
  settle();
  loop.reset();
  EXPECT_EQ(a.connection_state(), ConnectionState::closed);
  EXPECT_EQ(channel.close_reason().error().code(), Errc::loop_closed);
  EXPECT_EQ(a.create_data_channel("y").error().code(), Errc::loop_closed);
  EXPECT_TRUE(offer.await_ready());
  EXPECT_EQ(offer.await_resume().error().code(), Errc::loop_closed);
  a.restart_ice();
  a.close();
}

TEST_F(Peers, GiveConnectionClosedWithoutAConnection) {
  PeerConnection none;
  EXPECT_EQ(none.create_data_channel("x").error().code(), Errc::connection_closed);
  EXPECT_EQ(run(none.create_offer()).error().code(), Errc::connection_closed);
  EXPECT_EQ(run(none.add_ice_candidate({})).error().code(), Errc::connection_closed);
  EXPECT_FALSE(run(none.accept_data_channel()));
  EXPECT_EQ(run(none.next_connection_state()), ConnectionState::closed);
}

TEST_F(Peers, RestartWhenAsked) {
  auto a = make();
  auto b = make();
  auto channel = a.create_data_channel("x").value();
  run(connect(a, b));
  settle();
  (void)run(a.next_negotiation_event());  // the candidate of the first offer
  a.restart_ice();
  auto event = run(a.next_negotiation_event());
  ASSERT_TRUE(event);
  EXPECT_TRUE(std::holds_alternative<NegotiationNeeded>(*event));
}

TEST(Names, AreThoseOfTheSpecification) {
  EXPECT_EQ(name(SdpType::pranswer), "pranswer");
  EXPECT_EQ(name(ReadyState::closing), "closing");
  EXPECT_EQ(name(ConnectionState::new_), "new");
  EXPECT_EQ(name(IceConnectionState::completed), "completed");
  EXPECT_EQ(name(IceGatheringState::gathering), "gathering");
  EXPECT_EQ(name(SignalingState::have_local_pranswer), "have-local-pranswer");
}

}  // namespace
}  // namespace wdc
