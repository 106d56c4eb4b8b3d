// SPDX-License-Identifier: MIT
// What an agent holds: candidates, names, servers, and what it keeps through a restart.
#include "src/native/ice/agent.h"
#include "tests/support/ice/agent_fixture.h"

namespace wdc::ice {
namespace {

// ---- what a peer can make us hold and send

TEST_F(AgentTest, CapsCandidatesPairsAndChecksTowardsThem) {
  set_peer();
  for (int i = 0; i < 1'000; ++i) {
    Candidate candidate =
        host_candidate("192.0." + std::to_string(i / 250) + '.' + std::to_string(i % 250 + 1) + ":6000");
    candidate.foundation = std::to_string(i);
    const AddResult result = agent.add_remote_candidate(candidate, now);
    EXPECT_EQ(result, i < 100 ? AddResult::added : AddResult::too_many);
  }
  drain();
  EXPECT_EQ(agent.remote_candidate_count(), 100U);
  EXPECT_EQ(agent.pair_count(), 100U);
  EXPECT_EQ(agent.stats().candidates_refused, 900U);
  run_for(29s);
  // Ta apart, and their repetitions at the same mean pace.
  EXPECT_LE(sent.size(), 700U);
  std::map<SocketAddress, int> to;
  for (const Transmit& transmit : sent) EXPECT_LE(++to[transmit.path.remote], 7);
}

TEST_F(AgentTest, CapsPeerReflexiveCandidates) {
  set_peer();
  for (std::uint16_t port = 1; port <= 1'000; ++port) {
    give(request(), {kRemote.ip, port});
  }
  EXPECT_LE(agent.remote_candidate_count(), 16U);
  EXPECT_LE(agent.pair_count(), 16U);
}

TEST_F(AgentTest, CapsChecksThatComeBeforeTheAnswer) {
  for (std::uint16_t port = 1; port <= 1'000; ++port) give(request(), {kRemote.ip, port});
  std::size_t heard = 0;
  for (std::uint16_t port = 1; port <= 1'000; ++port) heard += agent.may_receive({kLocal, {kRemote.ip, port}}) ? 1 : 0;
  EXPECT_EQ(heard, 16U);
}

TEST_F(AgentTest, CapsWhatWaitsToBeSent) {
  set_peer();
  const auto bytes = request();
  for (int i = 0; i < 1'000; ++i) static_cast<void>(agent.handle_datagram(bytes, {kLocal, kRemote}, now));
  drain();
  EXPECT_LE(sent.size(), 64U);
  EXPECT_GT(agent.stats().transmits_dropped, 900U);
}

TEST_F(AgentTest, KeepsBetterPairsWhereThereIsNoRoom) {
  IceRandom other(9);
  Agent small({.role = Role::controlling, .max_pairs = 2}, other);
  small.add_local_address(kLocal, CandidateType::host, 30'000, now);
  for (std::uint16_t port = 1; port <= 5; ++port) {
    Candidate candidate = host_candidate("192.0.2.1:1", port);
    candidate.address.port = port;
    static_cast<void>(small.add_remote_candidate(candidate, now));
  }
  EXPECT_EQ(small.pair_count(), 2U);
  ASSERT_TRUE(small.set_remote_credentials(kPeer, PeerKind::full, now));
  const auto first = small.poll_transmit();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->path.remote.port, 5);
}

// ---- candidates

TEST_F(AgentTest, TellsWhatItDoesWithCandidates) {
  set_peer();
  EXPECT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
  EXPECT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::duplicate);
  EXPECT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:0"), now), AddResult::unusable);
  EXPECT_EQ(agent.add_remote_candidate(host_candidate("224.0.0.1:6000"), now), AddResult::unusable);
  EXPECT_EQ(agent.add_remote_candidate(host_candidate("0.0.0.0:6000"), now), AddResult::unusable);
  Candidate tcp = host_candidate("192.0.2.2:9");
  tcp.transport = CandidateTransport::tcp;
  EXPECT_EQ(agent.add_remote_candidate(tcp, now), AddResult::ignored);
  Candidate second = host_candidate("192.0.2.2:9");
  second.component = 2;
  EXPECT_EQ(agent.add_remote_candidate(second, now), AddResult::ignored);
  Candidate old = host_candidate("192.0.2.2:9");
  old.username_fragment = "before";
  EXPECT_EQ(agent.add_remote_candidate(old, now), AddResult::ignored);
  old.username_fragment = "peer";
  EXPECT_EQ(agent.add_remote_candidate(old, now), AddResult::added);
}

TEST_F(AgentTest, DoesNotSendToThePeersLoopback) {
  set_peer();
  static_cast<void>(agent.add_remote_candidate(host_candidate("127.0.0.1:6000"), now));
  static_cast<void>(agent.add_remote_candidate(host_candidate("[::1]:6000"), now));
  static_cast<void>(agent.add_remote_candidate(host_candidate("[2001:db8::1]:6000"), now));
  drain();
  EXPECT_EQ(agent.pair_count(), 0U);  // nor between families
  agent.add_local_address(address("127.0.0.1:5000"), CandidateType::host, 1, now);
  EXPECT_EQ(agent.pair_count(), 1U);
}

TEST_F(AgentTest, KeepsNamesUntilTheyAreResolved) {
  set_peer();
  Candidate hidden = host_candidate("0.0.0.0:6000");
  hidden.host_name = "7f6af524-ca25-4df9-aa02-ca54a9c4d4c7.local";
  EXPECT_EQ(agent.add_remote_candidate(hidden, now), AddResult::waits_for_resolution);
  EXPECT_EQ(agent.add_remote_candidate(hidden, now), AddResult::duplicate);
  drain();
  EXPECT_EQ(count<ResolveEvent>(), 1U);
  EXPECT_EQ(agent.stats().candidates_unresolved, 1U);
  agent.handle_resolved(hidden.host_name, {}, now);
  EXPECT_EQ(agent.stats().candidates_unresolved, 1U);
  EXPECT_EQ(agent.pair_count(), 0U);
  agent.handle_resolved(hidden.host_name, std::vector{kRemote.ip}, now);
  drain();
  EXPECT_EQ(agent.stats().candidates_unresolved, 0U);
  EXPECT_EQ(requests_to(kRemote), 1U);
  hidden.host_name = "internal.example.com";
  EXPECT_EQ(agent.add_remote_candidate(hidden, now), AddResult::ignored);
}

TEST_F(AgentTest, ConnectsToAPeerWhoseNamesNobodyResolves) {
  set_peer();
  Candidate hidden = host_candidate("0.0.0.0:6000");
  hidden.host_name = "7f6af524-ca25-4df9-aa02-ca54a9c4d4c7.local";
  static_cast<void>(agent.add_remote_candidate(hidden, now));
  give(request(), kRemote);
  for (int i = 0; i < 2; ++i) {
    for (const Transmit& transmit : take()) {
      if (read(transmit).message_class == StunClass::request) give(answer(transmit), kRemote);
    }
  }
  EXPECT_EQ(agent.state(), AgentState::completed);
}

TEST_F(AgentTest, LearnsThatAPeerReflexiveCandidateWasAHostAllAlong) {
  set_peer();
  give(request(), kRemote);
  EXPECT_EQ(agent.remote_candidate_count(), 1U);
  EXPECT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
  EXPECT_EQ(agent.remote_candidate_count(), 1U);
  EXPECT_EQ(agent.pair_count(), 1U);
}

TEST_F(AgentTest, ForgetsCandidatesOfOtherCredentialsWhenItLearnsTheRightOnes) {
  Candidate old = host_candidate("192.0.2.9:9");
  old.username_fragment = "before";
  EXPECT_EQ(agent.add_remote_candidate(old, now), AddResult::added);
  set_peer();
  EXPECT_EQ(agent.remote_candidate_count(), 0U);
  EXPECT_EQ(agent.pair_count(), 0U);
  EXPECT_TRUE(sent.empty());
}

// ---- gathering

TEST_F(AgentTest, AsksAServerAgainUntilItAnswersOrIsGivenUp) {
  const SocketAddress server = address("203.0.113.1:3478");
  agent.add_server(server, now);
  agent.end_of_local_addresses(now);
  drain();
  EXPECT_EQ(requests_to(server), 1U);
  EXPECT_EQ(count<GatheringDoneEvent>(), 0U);
  run_for(40s);
  EXPECT_EQ(requests_to(server), 7U);
  EXPECT_EQ(count<GatheringDoneEvent>(), 1U);
}

TEST_F(AgentTest, TakesNoAnswerOfAServerFromElsewhere) {
  const SocketAddress server = address("203.0.113.1:3478");
  agent.add_server(server, now);
  drain();
  StunWriter writer(StunClass::success, StunMethod::binding, read(take().at(0)).transaction);
  writer.add_xor_mapped_address(kStranger);
  const auto bytes = writer.finish();
  events.clear();
  EXPECT_EQ(give(bytes, kStranger), Arrival::dropped);
  EXPECT_EQ(count<LocalCandidateEvent>(), 0U);
  EXPECT_EQ(give(bytes, server), Arrival::handled);
  EXPECT_EQ(count<LocalCandidateEvent>(), 1U);
}

TEST_F(AgentTest, TakesARelayedAddressAsABaseOfItsOwn) {
  agent.add_local_address(address("203.0.113.50:40000"), CandidateType::relayed, 1, now, kLocal);
  drain();
  EXPECT_EQ(count<LocalCandidateEvent>(), 2U);
  set_peer();
  static_cast<void>(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now));
  drain();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].path.local, kLocal);  // the better one first
  EXPECT_EQ(sent[1].path.local, address("203.0.113.50:40000"));
}

// ---- restart

TEST_F(AgentTest, AnswersToItsOldNameWhileItRestarts) {
  connect();
  const Credentials old = agent.local_credentials();
  agent.restart(now);
  drain();
  take();
  EXPECT_EQ(agent.state(), AgentState::completed);
  give(request({.username = old.username_fragment + ":peer", .password = old.password}), kRemote);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(read(take()[0]).is_authentic(old.password));
  EXPECT_EQ(give(request({.username = old.username_fragment + ":peer"}), kRemote), Arrival::dropped);
}

TEST_F(AgentTest, GivesUpTheOldPathOfARestartInSilence) {
  connect();
  agent.restart(now);
  drain();
  run_for(31s);
  EXPECT_EQ(agent.state(), AgentState::disconnected);
  take();
  run_for(600s);
  EXPECT_TRUE(sent.empty());
  // The answer comes after all.
  ASSERT_TRUE(agent.set_remote_credentials({"new-peer", kPeer.password}, PeerKind::full, now));
  static_cast<void>(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now));
  drain();
  EXPECT_EQ(requests_to(kRemote), 1U);
}

TEST_F(AgentTest, RestartsAfterItHasFailed) {
  connect();
  run_for(31s);
  ASSERT_EQ(agent.state(), AgentState::failed);
  take();
  agent.restart(now);
  EXPECT_EQ(agent.state(), AgentState::new_);
  ASSERT_TRUE(agent.set_remote_credentials({"new-peer", kPeer.password}, PeerKind::full, now));
  static_cast<void>(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now));
  drain();
  EXPECT_EQ(requests_to(kRemote), 1U);
}

}  // namespace
}  // namespace wdc::ice
