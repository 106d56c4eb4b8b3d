// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

#include "src/native/ice/agent.h"
#include "tests/support/sim/ice_world.h"

namespace wdc::ice {

using namespace std::chrono_literals;
using sim::address;
using sim::IceRandom;
using sim::IceWorld;
using sim::IceWorldOptions;

inline const Credentials kPeer{"peer", "the-password-of-the-peer"};

inline Candidate host_candidate(std::string_view where, std::uint32_t priority = 2'130'706'431) {
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

}  // namespace wdc::ice
