// SPDX-License-Identifier: MIT
#include "src/native/ice/agent.h"

#include "src/native/ice/sha1.h"
#include "tests/support/ice/agent_fixture.h"
#include "tests/support/sim/hex.h"

namespace wdc::ice {
namespace {

// ---- the first milliseconds

TEST(AgentSpeedTest, ConnectsWithoutWaitingForAnythingButThePeer) {
  IceWorldOptions options;
  options.network.delay = 100us;
  options.signaling = 1ms;
  IceWorld world(options);
  world.add_address(world.a, "198.51.100.1:5000");
  world.add_address(world.a, "[2001:db8::1]:5000");
  world.add_address(world.b, "198.51.100.2:5000");
  world.add_address(world.b, "[2001:db8::2]:5000");
  const TimePoint start = world.now;
  ASSERT_TRUE(world.connect());
  EXPECT_LE(world.now - start, 3ms);
}

TEST_F(AgentTest, ChecksAtOnceWhenItKnowsThePeer) {
  set_peer();
  ASSERT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
  drain();
  ASSERT_EQ(sent.size(), 1U);
  const StunMessage check = read(sent[0]);
  EXPECT_EQ(check.username, "peer:" + agent.local_credentials().username_fragment);
  EXPECT_TRUE(check.is_authentic(kPeer.password));
  EXPECT_TRUE(check.has_fingerprint);
  EXPECT_TRUE(check.controlling);
  EXPECT_FALSE(check.use_candidate);  // regular nomination
  EXPECT_EQ(check.priority, candidate_priority(CandidateType::peer_reflexive, 30'000));
}

TEST_F(AgentTest, AnswersACheckAndChecksBackAtOnce) {
  set_peer();
  EXPECT_EQ(give(request(), kRemote), Arrival::handled);
  ASSERT_EQ(sent.size(), 2U);
  const StunMessage response = read(sent[0]);
  EXPECT_EQ(response.message_class, StunClass::success);
  EXPECT_EQ(response.xor_mapped_address, kRemote);
  EXPECT_TRUE(response.is_authentic(agent.local_credentials().password));
  EXPECT_EQ(read(sent[1]).message_class, StunClass::request);
  EXPECT_EQ(sent[1].path.remote, kRemote);  // peer-reflexive
}

TEST_F(AgentTest, RemembersChecksThatComeBeforeTheAnswer) {
  give(request(), kRemote);
  ASSERT_EQ(take().size(), 1U);  // answered
  EXPECT_TRUE(agent.may_receive({kLocal, kRemote}));
  set_peer();
  EXPECT_EQ(requests_to(kRemote), 1U);
}

TEST_F(AgentTest, PacesChecksAfterTheFirstFew) {
  set_peer();
  for (int i = 0; i < 40; ++i) {
    static_cast<void>(agent.add_remote_candidate(host_candidate("192.0.2." + std::to_string(i + 1) + ":6000"), now));
  }
  drain();
  // One foundation each would be checked one at a time: here all candidates share one, as on one host.
  run_for(2s);
  std::size_t checks = sent.size();
  EXPECT_LE(checks, 8U + 40U + 40U);
  EXPECT_GT(checks, 1U);
}

TEST_F(AgentTest, SpreadsChecksOfManyFoundations) {
  set_peer();
  for (int i = 0; i < 40; ++i) {
    Candidate candidate = host_candidate("192.0.2." + std::to_string(i + 1) + ":6000");
    candidate.foundation = std::to_string(i);
    static_cast<void>(agent.add_remote_candidate(candidate, now));
  }
  drain();
  EXPECT_EQ(take().size(), 8U);
  run_for(499ms);
  EXPECT_EQ(take().size(), 9U);
}

// ---- addresses that may be talked to

TEST_F(AgentTest, ListensOnlyToAddressesWithAnAuthenticatedCheck) {
  set_peer();
  EXPECT_FALSE(agent.may_receive({kLocal, kRemote}));
  give(request({.password = "some-other-password-of-22"}), kRemote);
  EXPECT_FALSE(agent.may_receive({kLocal, kRemote}));
  give(request(), kRemote);
  EXPECT_TRUE(agent.may_receive({kLocal, kRemote}));
  EXPECT_FALSE(agent.may_receive({kLocal, kStranger}));
  EXPECT_FALSE(agent.may_receive({kStranger, kRemote}));
  // Who has only asked may be heard, but nothing goes there until our own check was answered.
  EXPECT_FALSE(agent.may_send({kLocal, kRemote}, now));
  for (const Transmit& transmit : take()) {
    if (read(transmit).message_class == StunClass::request) give(answer(transmit), kRemote);
  }
  EXPECT_TRUE(agent.may_send({kLocal, kRemote}, now));
}

TEST_F(AgentTest, ChangesNothingForUnauthenticatedDatagrams) {
  set_peer();
  std::vector<std::vector<std::byte>> forged;
  forged.push_back(request({.use_candidate = true, .password = "some-other-password-of-22"}));
  forged.push_back(request({.username = "nobody:peer"}));
  forged.push_back(request({.username = agent.local_credentials().username_fragment}));  // no colon
  {
    StunWriter writer(StunClass::request, StunMethod::binding, new_transaction());  // no MESSAGE-INTEGRITY
    writer.add_username(agent.local_credentials().username_fragment + ":peer");
    writer.add_priority(1);
    writer.add_controlling(~std::uint64_t{0});
    forged.push_back(writer.finish());
  }
  {
    StunWriter writer(StunClass::request, StunMethod::binding, new_transaction());  // nothing at all
    forged.push_back(writer.finish());
  }
  const TimePoint deadline = agent.next_deadline();
  for (const auto& bytes : forged) EXPECT_EQ(give(bytes, kStranger), Arrival::dropped);
  EXPECT_TRUE(sent.empty());  // no error either: no amplification, no word to strangers
  EXPECT_EQ(agent.pair_count(), 0U);
  EXPECT_EQ(agent.remote_candidate_count(), 0U);
  EXPECT_EQ(agent.role(), Role::controlling);
  EXPECT_EQ(agent.next_deadline(), deadline);
  EXPECT_EQ(agent.stats().unauthenticated, forged.size());
}

TEST_F(AgentTest, TakesNoAnswerThatIsNotAuthentic) {
  set_peer();
  ASSERT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
  drain();
  const Transmit check = take().at(0);
  EXPECT_EQ(give(answer(check, "some-other-password-of-22"), kRemote), Arrival::dropped);
  EXPECT_FALSE(agent.may_receive({kLocal, kRemote}));
  // A forged error neither.
  StunWriter writer(StunClass::error, StunMethod::binding, read(check).transaction);
  writer.add_error_code(StunErrorCode::role_conflict, "");
  EXPECT_EQ(give(writer.finish(), kRemote), Arrival::dropped);
  EXPECT_EQ(agent.role(), Role::controlling);
  // And the real one counts still.
  EXPECT_EQ(give(answer(check), kRemote), Arrival::handled);
  EXPECT_TRUE(agent.may_send({kLocal, kRemote}, now));
  // Once.
  EXPECT_EQ(give(answer(check), kRemote), Arrival::dropped);
  EXPECT_EQ(agent.stats().unexpected_responses, 1U);
}

TEST_F(AgentTest, FailsAPairWhoseAnswerComesFromElsewhere) {
  set_peer();
  ASSERT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
  drain();
  give(answer(take().at(0)), kStranger);
  EXPECT_FALSE(agent.may_send({kLocal, kRemote}, now));
  EXPECT_FALSE(agent.may_send({kLocal, kStranger}, now));
  EXPECT_FALSE(agent.selected_path());
}

TEST_F(AgentTest, IgnoresAttributesAfterMessageIntegrity) {
  set_peer();
  // USE-CANDIDATE and a role conflict, added by somebody on the way.
  StunWriter writer(StunClass::request, StunMethod::binding, new_transaction());
  writer.add_username(agent.local_credentials().username_fragment + ":peer");
  writer.add_priority(1);
  writer.add_controlled(1);
  writer.add_integrity(agent.local_credentials().password);
  writer.add_controlling(~std::uint64_t{0});
  writer.add_use_candidate();
  EXPECT_EQ(give(writer.finish(), kRemote), Arrival::handled);
  EXPECT_EQ(agent.role(), Role::controlling);
  EXPECT_EQ(read(sent.at(0)).message_class, StunClass::success);
}

TEST_F(AgentTest, DropsABadFingerprint) {
  set_peer();
  auto bytes = request();
  bytes.back() ^= std::byte{1};
  EXPECT_EQ(give(bytes, kRemote), Arrival::dropped);
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(agent.stats().malformed, 1U);
}

TEST_F(AgentTest, NamesUnknownAttributesToAnAuthenticatedPeerOnly) {
  set_peer();
  // SOFTWARE with its type made one that has to be understood, signed by hand.
  const Credentials& ours = agent.local_credentials();
  StunWriter writer(StunClass::request, StunMethod::binding, new_transaction());
  writer.add_software("");
  writer.add_username(ours.username_fragment + ":peer");
  auto bytes = writer.finish();
  bytes.resize(bytes.size() - 8);  // without FINGERPRINT
  bytes[20] = std::byte{0x70};
  bytes[3] = static_cast<std::byte>(bytes.size() - 20 + 24);
  const auto forged = bytes;
  for (const std::string& password : {kPeer.password, ours.password}) {
    bytes = forged;
    const Sha1Digest digest = hmac_sha1(password, bytes);
    for (const std::byte byte : sim::hex("0008 0014")) bytes.push_back(byte);
    bytes.insert(bytes.end(), digest.begin(), digest.end());
    EXPECT_EQ(give(bytes, kRemote), password == ours.password ? Arrival::handled : Arrival::dropped);
  }
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(read(sent[0]).error_code, StunErrorCode::unknown_attribute);
  EXPECT_TRUE(read(sent[0]).is_authentic(ours.password));
  EXPECT_EQ(agent.pair_count(), 0U);
}

TEST_F(AgentTest, AnswersWithLessThanWasAsked) {
  set_peer();
  const auto bytes = request();
  give(bytes, kRemote);
  ASSERT_FALSE(sent.empty());
  EXPECT_LT(sent[0].bytes.size(), bytes.size());
  EXPECT_EQ(agent.stats().responses_sent, 1U);
}

TEST_F(AgentTest, RefusesItsOwnCredentialsAsThePeers) {
  EXPECT_FALSE(agent.set_remote_credentials(agent.local_credentials(), PeerKind::full, now));
  EXPECT_FALSE(agent.set_remote_credentials({"abc", kPeer.password}, PeerKind::full, now));
  EXPECT_FALSE(agent.set_remote_credentials({"abcd", "short"}, PeerKind::full, now));
  set_peer();
  EXPECT_TRUE(agent.set_remote_credentials(kPeer, PeerKind::full, now));
  EXPECT_FALSE(agent.set_remote_credentials({"other", kPeer.password}, PeerKind::full, now));
}

TEST_F(AgentTest, DoesNotTalkToItselfThroughAMirror) {
  set_peer();
  ASSERT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
  drain();
  EXPECT_EQ(give(take().at(0).bytes, kRemote), Arrival::dropped);
  EXPECT_TRUE(sent.empty());
}

TEST_F(AgentTest, DropsWhatComesInAtAnAddressThatIsGone) {
  set_peer();
  const auto bytes = request();
  agent.remove_local_address(kLocal, now);
  EXPECT_EQ(give(bytes, kRemote), Arrival::dropped);
  EXPECT_EQ(agent.stats().misdirected, 1U);
  EXPECT_TRUE(sent.empty());
}

// ---- roles

TEST_F(AgentTest, RefusesAPathThatAnotherConnectionHas) {
  set_peer();
  ASSERT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
  drain();
  take();
  agent.refuse_datagram(request({.password = "a wrong password of some length"}), {kLocal, kRemote}, now);
  drain();
  EXPECT_TRUE(take().empty());
  agent.refuse_datagram(request(), {kLocal, kRemote}, now);
  drain();
  const auto refusals = take();
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(read(refusals[0]).error_code, StunErrorCode::forbidden);
  EXPECT_TRUE(read(refusals[0]).is_authentic(agent.local_credentials().password));
  EXPECT_FALSE(agent.may_receive({kLocal, kRemote}));
  run_for(10s);
  EXPECT_TRUE(take().empty()) << "it is checked no more";
}

TEST_F(AgentTest, SettlesARoleConflictByTheTieBreaker) {
  set_peer();
  // The peer's is smaller: it is told to give way.
  give(request({.controlling = 0, .controlled = {}}), kRemote);
  ASSERT_EQ(sent.size(), 1U);
  const auto answers = take();
  const StunMessage error = read(answers[0]);
  EXPECT_EQ(error.error_code, StunErrorCode::role_conflict);
  EXPECT_TRUE(error.is_authentic(agent.local_credentials().password));
  EXPECT_EQ(agent.role(), Role::controlling);
  // Larger: we do.
  give(request({.controlling = ~std::uint64_t{0}, .controlled = {}}), kRemote);
  EXPECT_EQ(agent.role(), Role::controlled);
  EXPECT_EQ(read(take().at(0)).message_class, StunClass::success);
  EXPECT_EQ(count<RoleEvent>(), 1U);
}

TEST_F(AgentTest, GivesWayWhenToldOfARoleConflictAndChecksAgain) {
  set_peer();
  ASSERT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
  drain();
  give(refusal(take().at(0), StunErrorCode::role_conflict), kRemote);
  EXPECT_EQ(agent.role(), Role::controlled);
  const auto again = take();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_TRUE(read(again[0]).controlled);
}

TEST_F(AgentTest, EndsARoleConflictLoop) {
  set_peer();
  ASSERT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
  drain();
  // A peer that answers every check with a conflict, and asks in whatever role we have.
  std::size_t checks = 0;
  for (int round = 0; round < 200; ++round) {
    for (const Transmit& transmit : take()) {
      if (read(transmit).message_class != StunClass::request) continue;
      ++checks;
      give(refusal(transmit, StunErrorCode::role_conflict), kRemote);
    }
    run_for(50ms);
  }
  EXPECT_LT(checks, 20U);
  for (int round = 0; round < 50; ++round) {
    const bool controls = agent.role() == Role::controlling;
    give(request({.controlling = controls ? std::optional<std::uint64_t>(~std::uint64_t{0}) : std::nullopt,
                  .controlled = controls ? std::optional<std::uint64_t>() : 0}),
         kRemote);
  }
  EXPECT_LE(count<RoleEvent>(), 8U);
}

TEST_F(ControlledAgentTest, ControlsBesideALitePeer) {
  set_peer(PeerKind::lite);
  EXPECT_EQ(agent.role(), Role::controlling);
  ASSERT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
  drain();
  // It never checks itself.
  give(answer(take().at(0)), kRemote);
  const auto nomination = take();
  ASSERT_EQ(nomination.size(), 1U);
  EXPECT_TRUE(read(nomination[0]).use_candidate);
  give(answer(nomination[0]), kRemote);
  EXPECT_EQ(agent.state(), AgentState::completed);
}

// ---- nomination

TEST_F(AgentTest, NominatesTheFirstValidPairWhereNoneBetterIsOpen) {
  connect();
  EXPECT_EQ(agent.state(), AgentState::completed);
  EXPECT_EQ(count<PathEvent>(), 1U);
}

TEST_F(AgentTest, WaitsALittleForABetterPair) {
  set_peer();
  ASSERT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000", 100), now), AddResult::added);
  Candidate better = host_candidate("192.0.2.2:6000", 2'000'000'000);
  better.foundation = "other";
  ASSERT_EQ(agent.add_remote_candidate(better, now), AddResult::added);
  drain();
  const auto checks = take();
  ASSERT_EQ(checks.size(), 2U);
  give(answer(checks[0]), checks[0].path.remote);
  EXPECT_TRUE(agent.selected_path());  // data may flow already
  EXPECT_EQ(agent.state(), AgentState::connected);
  EXPECT_TRUE(take().empty());
  run_for(100ms);
  const auto nomination = take();
  ASSERT_EQ(nomination.size(), 1U);
  EXPECT_TRUE(read(nomination[0]).use_candidate);
  EXPECT_EQ(nomination[0].path.remote, kRemote);
}

TEST_F(ControlledAgentTest, AcceptsAggressiveNomination) {
  set_peer();
  // Every check nominates; the best valid pair is meant.
  for (const auto& from : {kRemote, kStranger}) {
    give(
        request({.use_candidate = true, .controlling = 5, .controlled = {}, .priority = from == kRemote ? 100U : 200U}),
        from);
  }
  for (const Transmit& transmit : take()) {
    if (read(transmit).message_class == StunClass::request) give(answer(transmit), transmit.path.remote);
  }
  EXPECT_EQ(agent.state(), AgentState::completed);
  EXPECT_EQ(agent.selected_path()->remote, kStranger);
}

TEST_F(ControlledAgentTest, FollowsThePeersLastNomination) {
  set_peer();
  for (const auto& from : {kRemote, kStranger}) {
    give(request({.controlling = 5, .controlled = {}, .priority = from == kRemote ? 200U : 100U}), from);
  }
  for (const Transmit& transmit : take()) {
    if (read(transmit).message_class == StunClass::request) give(answer(transmit), transmit.path.remote);
  }
  EXPECT_EQ(agent.selected_path()->remote, kRemote);
  EXPECT_EQ(agent.state(), AgentState::connected);
  const auto first = request({.use_candidate = true, .controlling = 5, .controlled = {}});
  give(first, kRemote);
  EXPECT_EQ(agent.state(), AgentState::completed);
  give(request({.use_candidate = true, .controlling = 5, .controlled = {}}), kStranger);
  EXPECT_EQ(agent.selected_path()->remote, kStranger);
  give(first, kRemote);  // late
  EXPECT_EQ(agent.selected_path()->remote, kStranger);
}

// ---- consent

TEST_F(AgentTest, ChecksConsentAboutEveryFiveSeconds) {
  connect();
  std::size_t checks = 0;
  const TimePoint end = now + 100s;
  while (now < end) {
    run_until(std::min(end, agent.next_deadline()));
    for (const Transmit& check : take()) {
      ++checks;
      now += 10ms;
      give(answer(check), kRemote);
    }
  }
  EXPECT_GE(checks, 100U / 6U);
  EXPECT_LE(checks, 100U / 4U);
  EXPECT_EQ(agent.state(), AgentState::completed);
  EXPECT_EQ(agent.stats().round_trip, Duration(10ms));
}

TEST_F(AgentTest, IsSilentWhenConsentIsLost) {
  connect();
  const TimePoint start = now;
  run_for(9s + 1ms);
  EXPECT_EQ(agent.state(), AgentState::disconnected);  // at most 6 s to the next check, and 3 s without an answer
  EXPECT_TRUE(agent.may_send({kLocal, kRemote}, now));
  run_until(start + 30s);
  EXPECT_EQ(agent.state(), AgentState::failed);
  EXPECT_FALSE(agent.may_send({kLocal, kRemote}, now));
  EXPECT_FALSE(agent.selected_path());
  take();
  EXPECT_EQ(agent.next_deadline(), native::kNever);
  EXPECT_EQ(give(request(), kRemote), Arrival::dropped);
  run_for(600s);
  EXPECT_TRUE(sent.empty());
}

TEST_F(AgentTest, IsNotRevivedByUnauthenticatedAnswers) {
  connect();
  const TimePoint start = now;
  while (now < start + 30s) {
    run_until(std::min(start + 30s, agent.next_deadline()));
    for (const Transmit& check : take()) give(answer(check, "some-other-password-of-22"), kRemote);
  }
  EXPECT_EQ(agent.state(), AgentState::failed);
}

TEST_F(AgentTest, EndsConsentWhenThePeerForbids) {
  connect();
  run_for(6s);
  give(refusal(take().at(0), StunErrorCode::forbidden), kRemote);
  EXPECT_FALSE(agent.may_send({kLocal, kRemote}, now));
}

TEST_F(AgentTest, ComesBackFromDisconnected) {
  connect();
  run_for(9s + 1ms);
  EXPECT_EQ(agent.state(), AgentState::disconnected);
  give(answer(take().back()), kRemote);
  EXPECT_EQ(agent.state(), AgentState::completed);
}

TEST_F(AgentTest, SaysNothingAfterClose) {
  connect();
  agent.close();
  EXPECT_EQ(give(request(), kRemote), Arrival::dropped);
  run_for(60s);
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(agent.state(), AgentState::closed);
  EXPECT_FALSE(agent.set_remote_credentials(kPeer, PeerKind::full, now));
}

TEST_F(AgentTest, FailsWithinTheTimeToConnect) {
  set_peer();
  static_cast<void>(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now));
  drain();
  const TimePoint start = now;
  run_until(start + 30s - 1ms);
  EXPECT_EQ(agent.state(), AgentState::checking);
  EXPECT_LE(requests_to(kRemote), 7U);
  run_until(start + 30s);
  EXPECT_EQ(agent.state(), AgentState::failed);
}

}  // namespace
}  // namespace wdc::ice
