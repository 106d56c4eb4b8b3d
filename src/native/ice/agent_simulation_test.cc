// SPDX-License-Identifier: MIT
// Two agents over a seeded network: NATs of all kinds, loss, role conflicts, restarts, changes of interface.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/sim/ice_world.h"

namespace wdc::ice {
namespace {

using namespace std::chrono_literals;
using sim::address;
using sim::IceEnd;
using sim::IceWorld;
using sim::IceWorldOptions;
using sim::NatKind;

std::uint64_t seeds() {
  const char* const wanted = std::getenv("WDC_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 60;
}

IceWorldOptions lossy() {
  IceWorldOptions options;
  options.network = {.delay = 20ms, .jitter = 20ms, .loss = 0.1, .duplicate = 0.02};
  return options;
}

void expect_same_path(const IceWorld& world) {
  const auto of_a = world.a.agent.selected_path();
  const auto of_b = world.b.agent.selected_path();
  ASSERT_TRUE(of_a && of_b);
  EXPECT_TRUE(world.a.agent.may_send(*of_a, world.now));
  EXPECT_TRUE(world.b.agent.may_receive(*of_b));
}

// ---- NATs

struct Nats {
  std::optional<NatKind> a, b;
};

/// Whether hole punching can work without a relay: not where a symmetric NAT's port has to be guessed.
bool can_connect(const Nats& nats) {
  const auto is = [](std::optional<NatKind> nat, NatKind kind) { return nat == kind; };
  if (is(nats.a, NatKind::symmetric)) return !is(nats.b, NatKind::symmetric) && !is(nats.b, NatKind::port_restricted);
  if (is(nats.b, NatKind::symmetric)) return !is(nats.a, NatKind::port_restricted);
  return true;
}

void place(IceWorld& world, const Nats& nats) {
  const auto outside = [](std::string_view text) { return native::IpAddress::parse(text).value(); };
  if (nats.a) {
    world.add_address(world.a, "192.168.1.2:5000", world.network.add_nat(*nats.a, outside("198.51.100.1")));
  } else {
    world.add_address(world.a, "198.51.100.1:5000");
  }
  if (nats.b) {
    world.add_address(world.b, "10.0.0.2:6000", world.network.add_nat(*nats.b, outside("198.51.100.2")));
  } else {
    world.add_address(world.b, "198.51.100.2:6000");
  }
  world.a.agent.add_server(IceWorld::kServer, world.now);
  world.b.agent.add_server(IceWorld::kServer, world.now);
}

class NatTest : public testing::TestWithParam<int> {
 protected:
  static std::optional<NatKind> kind(int number) {
    if (number == 4) return std::nullopt;
    return static_cast<NatKind>(number);
  }
  [[nodiscard]] static Nats nats() { return {kind(GetParam() / 5), kind(GetParam() % 5)}; }
};

TEST_P(NatTest, ConnectsWherePunchingCan) {
  for (std::uint64_t seed = 1; seed <= 1 + seeds() / 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    IceWorldOptions options;
    if (seed > 1) options = lossy();
    IceWorld world(options, seed);
    place(world, nats());
    const bool connected = world.connect(35s);
    ASSERT_EQ(connected, can_connect(nats()));
    if (connected) {
      expect_same_path(world);
      world.run_for(60s);  // the NATs' bindings are kept
      EXPECT_TRUE(world.is_connected() || seed > 1);
      expect_same_path(world);
    } else {
      EXPECT_EQ(world.a.agent.state(), AgentState::failed);
      EXPECT_EQ(world.b.agent.state(), AgentState::failed);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllKinds, NatTest, testing::Range(0, 25));

TEST(IceSimulationTest, ConnectsInsideOneNetworkBehindOneNat) {
  IceWorld world;
  const auto nat = world.network.add_nat(NatKind::symmetric, native::IpAddress::parse("198.51.100.1").value());
  world.add_address(world.a, "192.168.1.2:5000", nat);
  world.add_address(world.b, "192.168.1.3:5000", nat);
  world.a.agent.add_server(IceWorld::kServer, world.now);
  world.b.agent.add_server(IceWorld::kServer, world.now);
  ASSERT_TRUE(world.connect());
  EXPECT_EQ(world.a.agent.selected_path()->remote, address("192.168.1.3:5000"));
  EXPECT_EQ(world.a.last<PathEvent>()->local_type, CandidateType::host);
}

TEST(IceSimulationTest, ReportsTheTypesOfTheAddressesInUse) {
  IceWorld world;
  place(world, {NatKind::port_restricted, NatKind::port_restricted});
  ASSERT_TRUE(world.connect());
  EXPECT_EQ(world.a.last<PathEvent>()->local_type, CandidateType::server_reflexive);
  EXPECT_EQ(world.a.last<PathEvent>()->remote_type, CandidateType::server_reflexive);
  EXPECT_EQ(world.a.candidates.size(), 2U);
  EXPECT_NE(world.a.candidates[1].find("typ srflx raddr 192.168.1.2 rport 5000"), std::string::npos);
  EXPECT_EQ(world.a.count<GatheringDoneEvent>(), 1U);
}

// ---- seeds

TEST(IceSimulationTest, ConnectsOverALossyNetworkWithManyAddresses) {
  for (std::uint64_t seed = 1; seed <= seeds() && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    sim::Random random(seed);
    IceWorldOptions options = lossy();
    options.network.loss = static_cast<double>(random.below(30)) / 100;
    // Both may think they control, or neither.
    options.a.role = random.chance(0.5) ? Role::controlling : Role::controlled;
    options.b.role = random.chance(0.5) ? Role::controlling : Role::controlled;
    options.signaling = std::chrono::milliseconds(random.below(200));
    IceWorld world(options, seed);
    const auto add = [&](IceEnd& end, const std::string& net, std::uint64_t count) {
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::string host = net + std::to_string(i + 1);
        const auto preference = static_cast<std::uint16_t>(1'000 * i + 7);
        world.add_address(
            end,
            i % 2 == 0 ? host + ":5000"
                       : "[2001:db8::" + host.substr(host.rfind('.') + 1) + (&end == &world.a ? "a]:5000" : "b]:5000"),
            {}, preference);
      }
    };
    add(world.a, "198.51.100.", 1 + random.below(4));
    add(world.b, "192.0.2.", 1 + random.below(4));
    // Addresses that nobody is at: their checks fail in silence.
    for (std::uint64_t i = 0; i < random.below(20); ++i) {
      const auto dead = parse_candidate("d" + std::to_string(i) + " 1 udp 2130706431 192.0.2." +
                                        std::to_string(100 + i) + " 9 typ host");
      static_cast<void>(world.a.agent.add_remote_candidate(*dead, world.now));
    }
    ASSERT_TRUE(world.connect(30s));
    expect_same_path(world);
    EXPECT_NE(world.a.agent.role(), world.b.agent.role());
    // Where answers to the first nomination were lost, a second one follows.
    const auto agree = [&] {
      const auto of_a = world.a.agent.selected_path();
      const auto of_b = world.b.agent.selected_path();
      return of_a && of_b && of_a->local == of_b->remote && of_a->remote == of_b->local;
    };
    EXPECT_TRUE(world.run_until(agree, 10s));
  }
}

TEST(IceSimulationTest, StaysConnectedThroughLossForMinutes) {
  for (std::uint64_t seed = 1; seed <= seeds() / 6 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    IceWorld world(lossy(), seed);
    world.add_address(world.a, "198.51.100.1:5000");
    world.add_address(world.b, "198.51.100.2:5000");
    ASSERT_TRUE(world.connect());
    for (int minute = 0; minute < 10; ++minute) {
      world.run_for(60s);
      ASSERT_NE(world.a.agent.state(), AgentState::failed);
      ASSERT_NE(world.b.agent.state(), AgentState::failed);
    }
    // Consent costs little: five seconds apart, and a little more where answers are lost.
    EXPECT_LT(world.a.agent.stats().checks_sent, 300U);
  }
}

TEST(IceSimulationTest, RestartsWhileTheOldPathGoesOn) {
  for (std::uint64_t seed = 1; seed <= seeds() / 3 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    IceWorldOptions options;
    if (seed > 1) options = lossy();
    IceWorld world(options, seed);
    world.add_address(world.a, "198.51.100.1:5000");
    world.add_address(world.b, "198.51.100.2:5000");
    ASSERT_TRUE(world.connect());
    const auto old_path = *world.a.agent.selected_path();
    const Credentials old = world.a.agent.local_credentials();
    world.run_for(7s);
    world.a.candidates.clear();
    world.a.agent.restart(world.now);
    // A slow answer: the old path is kept alive meanwhile, at both ends.
    world.drain();
    world.run_for(25s);
    EXPECT_EQ(world.a.agent.selected_path(), old_path);
    EXPECT_TRUE(world.a.agent.may_send(old_path, world.now));
    EXPECT_TRUE(world.b.agent.may_send(*world.b.agent.selected_path(), world.now));
    EXPECT_NE(world.a.agent.local_credentials(), old);
    EXPECT_EQ(world.a.candidates.size(), 1U);
    world.b.agent.restart(world.now);
    world.signal();
    // Candidates of before are not heard twice: the ends are told again.
    for (IceEnd* const end : {&world.a, &world.b}) {
      IceEnd& other = end == &world.a ? world.b : world.a;
      const auto text = end->candidates.back();
      world.after(
          100ms, [&, text] { static_cast<void>(other.agent.add_remote_candidate(*parse_candidate(text), world.now)); });
    }
    ASSERT_TRUE(world.run_until([&] { return world.is_connected(); }, 30s));
    world.run_for(40s);
    EXPECT_TRUE(world.is_connected() || seed > 1);
    expect_same_path(world);
  }
}

TEST(IceSimulationTest, FollowsAnInterfaceChangeOfEitherEnd) {
  for (std::uint64_t seed = 1; seed <= seeds() / 3 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    IceWorldOptions options;
    if (seed > 2) options = lossy();
    IceWorld world(options, seed);
    world.add_address(world.a, "198.51.100.1:5000");
    world.add_address(world.b, "198.51.100.2:5000");
    ASSERT_TRUE(world.connect());
    IceEnd& mover = seed % 2 == 0 ? world.a : world.b;
    world.run_for(10s);
    world.remove_address(mover, seed % 2 == 0 ? "198.51.100.1:5000" : "198.51.100.2:5000");
    EXPECT_FALSE(mover.agent.selected_path());
    EXPECT_EQ(mover.agent.state(), AgentState::disconnected);
    world.run_for(500ms);
    world.add_address(mover, "203.0.113.77:5000");
    ASSERT_TRUE(world.run_until(
        [&] {
          const auto path = world.a.agent.selected_path();
          const auto back = world.b.agent.selected_path();
          return world.is_connected() && path && back && path->local == back->remote && path->remote == back->local;
        },
        28s));
  }
}

TEST(IceSimulationTest, FallsBackToAnotherPathWhenTheOneInUseBreaks) {
  for (std::uint64_t seed = 1; seed <= seeds() / 3 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    IceWorld world({}, seed);
    world.add_address(world.a, "198.51.100.1:5000", {}, 1'000);
    world.add_address(world.a, "198.51.100.9:5000", {}, 500);
    world.add_address(world.b, "198.51.100.2:5000");
    ASSERT_TRUE(world.connect());
    EXPECT_EQ(world.a.agent.selected_path()->local, address("198.51.100.1:5000"));
    world.run_for(20s);
    world.network.remove_socket(address("198.51.100.1:5000"));  // nobody tells the agent
    ASSERT_TRUE(world.run_until(
        [&] {
          const auto path = world.a.agent.selected_path();
          return world.is_connected() && path && path->local == address("198.51.100.9:5000") &&
                 world.b.agent.selected_path()->remote == path->local;
        },
        15s));
  }
}

}  // namespace
}  // namespace wdc::ice
