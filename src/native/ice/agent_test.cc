// SPDX-License-Identifier: MIT
#include "src/native/ice/agent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

#include "src/native/ice/sha1.h"
#include "tests/support/sim/hex.h"
#include "tests/support/sim/ice_world.h"

namespace wdc::ice {
namespace {

using namespace std::chrono_literals;
using sim::address;
using sim::IceRandom;
using sim::IceWorld;
using sim::IceWorldOptions;

const Credentials kPeer{"peer", "the-password-of-the-peer"};

Candidate host_candidate(std::string_view where, std::uint32_t priority = 2'130'706'431) {
  return {.foundation = "h",
          .priority = priority,
          .address = address(where),
          .host_name = {},
          .type = CandidateType::host,
          .related = {},
          .username_fragment = {}};
}

/// A request of the peer's.
struct Check {
  bool use_candidate = false;
  std::optional<std::uint64_t> controlling{};
  std::optional<std::uint64_t> controlled = 1;
  std::optional<std::uint32_t> priority = 1'862'270'975;
  std::string username{};  // empty: the right one
  std::string password{};  // empty: the right one
};

/// One agent, and a peer made of the test's own hands.
class AgentTest : public testing::Test {
 protected:
  explicit AgentTest(const AgentOptions& options = {.role = Role::controlling}) : agent(options, random) {
    agent.add_local_address(kLocal, CandidateType::host, 30'000, now);
    drain();
  }

  [[nodiscard]] std::vector<std::byte> request(const Check& check = {}) {
    StunWriter writer(StunClass::request, StunMethod::binding, new_transaction());
    const Credentials& ours = agent.local_credentials();
    writer.add_username(check.username.empty() ? ours.username_fragment + ":peer" : check.username);
    if (check.priority) writer.add_priority(*check.priority);
    if (check.controlling) writer.add_controlling(*check.controlling);
    if (check.controlled) writer.add_controlled(*check.controlled);
    if (check.use_candidate) writer.add_use_candidate();
    writer.add_integrity(check.password.empty() ? ours.password : check.password);
    return writer.finish();
  }
  [[nodiscard]] TransactionId new_transaction() {
    TransactionId transaction;
    transaction.bytes[0] = static_cast<std::byte>(++transactions);
    return transaction;
  }
  Arrival give(const std::vector<std::byte>& bytes, const SocketAddress& from) {
    const Arrival arrival = agent.handle_datagram(bytes, {kLocal, from}, now);
    drain();
    return arrival;
  }
  /// An answer to a check of the agent's.
  [[nodiscard]] static std::vector<std::byte> answer(const Transmit& check, std::string_view password = kPeer.password,
                                                     std::string_view mapped = "198.51.100.1:5000") {
    StunWriter writer(StunClass::success, StunMethod::binding, StunMessage::parse(check.bytes)->transaction);
    writer.add_xor_mapped_address(address(mapped));
    writer.add_integrity(password);
    return writer.finish();
  }
  [[nodiscard]] static std::vector<std::byte> refusal(const Transmit& check, StunErrorCode code) {
    StunWriter writer(StunClass::error, StunMethod::binding, StunMessage::parse(check.bytes)->transaction);
    writer.add_error_code(code, "");
    writer.add_integrity(kPeer.password);
    return writer.finish();
  }
  void drain() {
    while (auto transmit = agent.poll_transmit()) sent.push_back(std::move(*transmit));
    while (auto event = agent.poll_event()) events.push_back(std::move(*event));
  }
  void run_until(TimePoint end) {
    for (int rounds = 0; agent.next_deadline() <= end; ++rounds) {
      ASSERT_LT(rounds, 10'000);
      now = std::max(now, agent.next_deadline());
      agent.handle_timeout(now);
      drain();
    }
    now = end;
  }
  void run_for(Duration time) { run_until(now + time); }
  /// Takes what was sent since the last call.
  std::vector<Transmit> take() { return std::exchange(sent, {}); }
  [[nodiscard]] static StunMessage read(const Transmit& transmit) { return StunMessage::parse(transmit.bytes).value(); }
  [[nodiscard]] std::size_t requests_to(const SocketAddress& to) const {
    return static_cast<std::size_t>(std::ranges::count_if(sent, [&](const Transmit& transmit) {
      return transmit.path.remote == to && read(transmit).message_class == StunClass::request;
    }));
  }
  void set_peer(PeerKind kind = PeerKind::full) {
    ASSERT_TRUE(agent.set_remote_credentials(kPeer, kind, now));
    drain();
  }
  /// The path to kRemote is valid and, where we control, nominated.
  void connect() {
    set_peer();
    ASSERT_EQ(agent.add_remote_candidate(host_candidate("192.0.2.1:6000"), now), AddResult::added);
    drain();
    for (int i = 0; i < 2; ++i) {
      for (const Transmit& check : take()) give(answer(check), kRemote);
    }
    ASSERT_TRUE(agent.selected_path());
    take();
  }
  template <class Kind>
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(events, [](const AgentEvent& event) { return std::holds_alternative<Kind>(event); }));
  }

  const SocketAddress kLocal = address("198.51.100.1:5000");
  const SocketAddress kRemote = address("192.0.2.1:6000");
  const SocketAddress kStranger = address("203.0.113.9:7000");
  IceRandom random{7};
  Agent agent;
  TimePoint now{std::chrono::seconds(1'000)};
  std::vector<Transmit> sent;
  std::vector<AgentEvent> events;
  int transactions = 0;
};

class ControlledAgentTest : public AgentTest {
 protected:
  ControlledAgentTest() : AgentTest({.role = Role::controlled}) {}
};

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
