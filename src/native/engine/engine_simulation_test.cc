// SPDX-License-Identifier: MIT
// Two whole connections over a seeded network, in virtual time: NATs of all kinds, loss from the first check on, an
// interface that goes away, restarts, peers that vanish. WDC_SEEDS: how many seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/support/sim/engine_world.h"

namespace wdc::native {
namespace {

using namespace std::chrono_literals;
using sim::EngineChannel;
using sim::EngineEnd;
using sim::EngineWorld;
using sim::EngineWorldOptions;
using sim::NatKind;
using sim::NetworkOptions;

std::uint64_t seeds() {
  const char* const wanted = std::getenv("WDC_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 25;
}

void place(EngineWorld& world, std::optional<NatKind> nat_a = {}, std::optional<NatKind> nat_b = {}) {
  const auto outside = [](std::string_view text) { return IpAddress::parse(text).value(); };
  if (nat_a)
    world.add_address(world.a, "192.168.1.2:5000", world.network.add_nat(*nat_a, outside("198.51.100.1")));
  else
    world.add_address(world.a, "198.51.100.1:5000");
  if (nat_b)
    world.add_address(world.b, "10.0.0.2:6000", world.network.add_nat(*nat_b, outside("198.51.100.2")));
  else
    world.add_address(world.b, "198.51.100.2:6000");
  for (EngineEnd* const end : {&world.a, &world.b}) {
    end->asks_server = nat_a || nat_b;
    end->begin();
  }
}

/// Whether hole punching can work without a relay: not where a symmetric NAT's port has to be guessed.
bool can_connect(std::optional<NatKind> a, std::optional<NatKind> b) {
  if (a == NatKind::symmetric) return b != NatKind::symmetric && b != NatKind::port_restricted;
  return b != NatKind::symmetric || a != NatKind::port_restricted;
}

std::vector<std::string> texts(sim::Random& random, std::size_t count, std::size_t longest) {
  std::vector<std::string> made;
  for (std::size_t i = 0; i < count; ++i)
    made.push_back(std::to_string(i) + std::string(random.below(longest), static_cast<char>('a' + i % 26)));
  return made;
}

/// Both open, `near` of a and the one that b was given.
bool open(EngineWorld& world, EngineChannel& near, Duration limit = 60s) {
  return world.run_until([&] { return near.is_open && !world.b.channels.empty() && world.b.channels.back()->is_open; },
                         limit);
}

bool say_all(EngineChannel& channel, const std::vector<std::string>& all) {
  return std::ranges::all_of(all, [&](const std::string& text) { return channel.send(text); });
}

class EngineNatTest : public testing::TestWithParam<int> {
 protected:
  static std::optional<NatKind> kind(int number) {
    if (number == 4) return std::nullopt;
    return static_cast<NatKind>(number);
  }
};

TEST_P(EngineNatTest, ConnectsAndTalksWherePunchingCan) {
  const auto nat_a = kind(GetParam() / 5);
  const auto nat_b = kind(GetParam() % 5);
  for (std::uint64_t seed = 1; seed <= 1 + seeds() / 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EngineWorldOptions options;
    if (seed > 1) options.network = {.delay = 20ms, .jitter = 20ms, .loss = 0.1, .duplicate = 0.02};
    EngineWorld world(options, seed);
    place(world, nat_a, nat_b);
    auto& near = world.a.create_channel("punched");
    if (!can_connect(nat_a, nat_b)) {
      ASSERT_TRUE(world.run_until([&] { return world.a.state == ConnectionState::failed; }, 60s));
      ASSERT_TRUE(world.run_until([&] { return near.is_closed; }, 1s));
      ASSERT_TRUE(near.error);
      EXPECT_EQ(near.error->code(), Errc::peer_lost);
      continue;
    }
    ASSERT_TRUE(open(world, near));
    auto& far = *world.b.channels.back();
    ASSERT_TRUE(near.send("there") && far.send("back"));
    ASSERT_TRUE(world.run_until([&] { return !near.messages.empty() && !far.messages.empty(); }, 30s));
    EXPECT_EQ(far.messages[0], "there");
    EXPECT_EQ(near.messages[0], "back");
  }
}

INSTANTIATE_TEST_SUITE_P(AllKinds, EngineNatTest, testing::Range(0, 25));

TEST(EngineSimulationTest, DeliversEverythingOverALossyNetworkFromTheFirstCheckOn) {
  for (std::uint64_t seed = 1; seed <= seeds() && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    sim::Random random(seed);
    EngineWorldOptions options;
    options.network = {.delay = std::chrono::milliseconds(1 + random.below(80)),
                       .jitter = std::chrono::milliseconds(random.below(20)),
                       .loss = static_cast<double>(random.below(15)) / 100,
                       .duplicate = static_cast<double>(random.below(3)) / 100};
    options.signaling = std::chrono::milliseconds(random.below(200));
    EngineWorld world(options, seed);
    place(world, random.chance(0.5) ? std::optional(NatKind::port_restricted) : std::nullopt);
    auto& near = world.a.create_channel("a's");
    // Both may begin at once.
    EngineChannel* const of_b = random.chance(0.3) ? &world.b.create_channel("b's") : nullptr;
    ASSERT_TRUE(world.run_until([&] { return near.is_open && (of_b == nullptr || of_b->is_open); }, 60s));
    const auto there = texts(random, 40, 8'000);
    ASSERT_TRUE(say_all(near, there));
    ASSERT_TRUE(world.run_until(
        [&] { return !world.b.channels.empty() && world.b.channels.back()->messages.size() >= there.size(); }, 300s));
    auto& far = *world.b.channels.back();
    ASSERT_EQ(far.messages, there);
    const auto back = texts(random, 40, 8'000);
    ASSERT_TRUE(say_all(far, back));
    // A close delivers what is queued.
    far.backend->close();
    ASSERT_TRUE(world.run_until([&] { return near.is_closed && far.is_closed; }, 300s));
    ASSERT_EQ(near.messages, back);
    EXPECT_FALSE(near.error);
    world.a.peer().close();
    // Where the goodbye is lost, silence tells it.
    ASSERT_TRUE(world.run_until([&] { return world.b.state != ConnectionState::connected; }, 60s));
  }
}

TEST(EngineSimulationTest, TheSameSeedIsTheSameStory) {
  const auto run = [](std::uint64_t seed) {
    EngineWorldOptions options;
    options.network = {.delay = 10ms, .jitter = 10ms, .loss = 0.1};
    EngineWorld world(options, seed);
    place(world);
    auto& near = world.a.create_channel("told twice");
    EXPECT_TRUE(open(world, near));
    EXPECT_TRUE(near.send(std::string(50'000, 'x')));
    EXPECT_TRUE(world.run_until([&] { return !world.b.channels.back()->messages.empty(); }, 60s));
    return std::pair(world.now, world.network.sent());
  };
  static_cast<void>(run(1));  // makes the certificate
  EXPECT_EQ(run(5), run(5));
}

TEST(EngineSimulationTest, GoesOnWhenAnInterfaceGoesAway) {
  for (std::uint64_t seed = 1; seed <= 1 + seeds() / 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EngineWorld world({.network = {.delay = 20ms, .loss = seed > 1 ? 0.05 : 0}}, seed);
    world.add_address(world.a, "198.51.100.1:5000");
    world.add_address(world.a, "198.51.100.3:5000");
    world.add_address(world.b, "198.51.100.2:6000");
    auto& near = world.a.create_channel("roaming");
    ASSERT_TRUE(open(world, near));
    world.run_for(5s);
    const auto used = world.a.peer().transport()->ice().selected_path()->local;
    world.network.remove_socket(used);
    ASSERT_TRUE(near.send("by another way"));
    auto& far = *world.b.channels.back();
    ASSERT_TRUE(world.run_until([&] { return !far.messages.empty(); }, 30s));
    EXPECT_NE(world.a.peer().transport()->ice().selected_path()->local, used);
    world.run_for(40s);
    ASSERT_TRUE(near.send("still") && far.send("here"));
    ASSERT_TRUE(world.run_until([&] { return far.messages.size() == 2 && near.messages.size() == 1; }, 30s));
  }
}

TEST(EngineSimulationTest, KeepsItsChannelsThroughAnIceRestartUnderLoss) {
  for (std::uint64_t seed = 1; seed <= 1 + seeds() / 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    sim::Random random(seed);
    EngineWorld world({.network = {.delay = 20ms, .jitter = 5ms, .loss = 0.1}}, seed);
    place(world, NatKind::address_restricted);
    auto& near = world.a.create_channel("restarted");
    ASSERT_TRUE(open(world, near));
    const auto all = texts(random, 60, 4'000);
    ASSERT_TRUE(say_all(near, all));
    const auto before = world.a.peer().transport()->ice().local_credentials().username_fragment;
    (random.chance(0.5) ? world.a : world.b).peer().restart_ice();
    auto& far = *world.b.channels.back();
    ASSERT_TRUE(world.run_until([&] { return far.messages.size() == all.size(); }, 120s));
    EXPECT_EQ(far.messages, all);
    EXPECT_NE(world.a.peer().transport()->ice().local_credentials().username_fragment, before);
    world.run_for(60s);
    EXPECT_FALSE(near.is_closed || far.is_closed);
  }
}

TEST(EngineSimulationTest, TellsThatAPeerHasVanishedAndMeetsItAgain) {
  for (std::uint64_t seed = 1; seed <= 1 + seeds() / 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EngineWorld world({.network = {.delay = 20ms, .loss = seed > 1 ? 0.1 : 0}}, seed);
    place(world, NatKind::port_restricted, NatKind::full_cone);
    auto& near = world.a.create_channel("left alone");
    ASSERT_TRUE(open(world, near));
    world.b.channels.clear();
    world.b.die();
    ASSERT_TRUE(world.run_until([&] { return world.a.state == ConnectionState::disconnected; }, 10s));
    ASSERT_TRUE(world.run_until([&] { return near.is_closed; }, 31s));
    ASSERT_TRUE(near.error);
    EXPECT_EQ(near.error->code(), Errc::peer_lost);
    EXPECT_EQ(world.a.state, ConnectionState::failed);
    world.a.begin();
    world.b.begin();
    auto& again = world.b.create_channel("again");
    ASSERT_TRUE(world.run_until([&] { return again.is_open && !world.a.channels.empty(); }, 60s));
    ASSERT_TRUE(again.send("hello"));
    ASSERT_TRUE(world.run_until([&] { return !world.a.channels.back()->messages.empty(); }, 30s));
  }
}

TEST(EngineSimulationTest, AnAbortedChannelDropsWhatIsQueued) {
  EngineWorld world({.network = {.delay = 20ms}});
  place(world);
  auto& near = world.a.create_channel("dropped");
  auto& beside = world.a.create_channel("beside it");
  ASSERT_TRUE(world.run_until([&] { return near.is_open && beside.is_open && world.b.channels.size() == 2; }, 10s));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(near.send(std::string(100'000, 'x')));
  ASSERT_TRUE(beside.send("unharmed"));
  world.run_for(50ms);
  ASSERT_GT(near.backend->buffered_amount(), 5'000'000U);
  near.backend->close();
  near.backend->abort();  // no longer to the end
  EXPECT_EQ(near.backend->buffered_amount(), 0U);
  auto& far = *world.b.channels[0];
  auto& other = *world.b.channels[1];
  ASSERT_TRUE(world.run_until([&] { return near.is_closed && far.is_closed && !other.messages.empty(); }, 5s));
  EXPECT_LT(far.messages.size(), 50U);
  EXPECT_EQ(other.messages[0], "unharmed");
  EXPECT_FALSE(near.error || far.error);
  auto& next = world.a.create_channel("next");
  ASSERT_TRUE(world.run_until([&] { return next.is_open && world.b.channels.size() == 3; }, 5s));
  ASSERT_TRUE(next.send("and on"));
  ASSERT_TRUE(world.run_until([&] { return !world.b.channels[2]->messages.empty(); }, 5s));
}

TEST(EngineSimulationTest, AHomeMayLimitWhatAChannelQueuesAndTellsWhenThereIsRoom) {
  EngineWorld world({.network = {.delay = 20ms}});
  place(world);
  auto& near = world.a.create_channel("limited");
  near.backend->set_buffered_amount_low_threshold(200'000);
  ASSERT_TRUE(world.run_until([&] { return near.is_open && world.b.channels.size() == 1; }, 10s));
  const std::string text(50'000, 'x');
  const auto bytes = std::as_bytes(std::span(text));
  world.a.most_queued = 120'000;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(near.send(text));
  const auto refused = near.backend->send(bytes, MessageType::binary);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::would_block);
  // Its own threshold lies above what it was allowed: half of that counts.
  ASSERT_TRUE(world.run_until([&] { return near.times_low > 0; }, 5s));
  EXPECT_LE(near.backend->buffered_amount(), 60'000U);
  EXPECT_TRUE(near.send(text));
  // And its own again where there is no limit any more.
  world.a.most_queued = native::PeerHost::kNoQueueLimit;
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(near.send(text));
  const int times = near.times_low;
  ASSERT_TRUE(world.run_until([&] { return near.times_low > times; }, 5s));
  EXPECT_GT(near.backend->buffered_amount(), 60'000U);
  ASSERT_TRUE(world.run_until([&] { return world.b.channels[0]->messages.size() == 12; }, 5s));
}

TEST(EngineSimulationTest, AChannelAbortedAtOnceIsStillOpenedAndClosedForThePeer) {
  EngineWorld world({.network = {.delay = 20ms}});
  place(world);
  auto& first = world.a.create_channel("first");
  ASSERT_TRUE(open(world, first));
  auto& brief = world.a.create_channel("brief");
  ASSERT_TRUE(world.run_until([&] { return brief.is_open; }, 5s));
  brief.backend->abort();
  ASSERT_TRUE(world.run_until([&] { return brief.is_closed && world.b.channels.size() == 2; }, 5s));
  ASSERT_TRUE(world.run_until([&] { return world.b.channels[1]->is_closed; }, 5s));
  EXPECT_FALSE(brief.error);
}

TEST(EngineSimulationTest, AChannelOnAStreamWhoseLastResetIsNotAnsweredYetWorksOnceItIs) {
  constexpr std::size_t kIds = 64;  // so many are open at once that the next one takes an id again
  const NetworkOptions network{.delay = 20ms};
  EngineWorld world({.network = network});
  place(world);
  for (std::size_t i = 0; i < kIds; ++i) world.a.create_channel("before");
  const auto all = [&](auto condition) {
    return std::ranges::all_of(world.a.channels, condition) && std::ranges::all_of(world.b.channels, condition);
  };
  ASSERT_TRUE(world.run_until([&] { return world.b.channels.size() == kIds; }, 10s));
  for (const auto& channel : std::span(world.a.channels).subspan(1)) channel->backend->close();
  world.run_for(1s);
  auto& last = *world.a.channels.front();
  last.backend->close();
  // b hears of it and asks in its turn; a's answer is lost, and a takes an id again before b can ask once more.
  world.run_for(30ms);
  ASSERT_FALSE(last.is_closed);
  world.network.set_options({.delay = 20ms, .loss = 1});
  ASSERT_TRUE(world.run_until([&] { return last.is_closed; }, 100ms));
  world.run_for(1ms);
  world.network.set_options(network);
  auto& near = world.a.create_channel("again");
  ASSERT_TRUE(world.run_until([&] { return world.b.channels.size() == kIds + 1; }, 100ms));
  auto& far = *world.b.channels.back();
  ASSERT_EQ(far.backend->id(), last.backend->id());
  const std::string text = "not yet";
  const auto refused = far.backend->send(std::as_bytes(std::span(text)), MessageType::binary);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::would_block);
  ASSERT_TRUE(world.run_until([&] { return far.times_low > 0; }, 5s));
  ASSERT_TRUE(near.send("there") && far.send("back"));
  ASSERT_TRUE(world.run_until([&] { return !near.messages.empty() && !far.messages.empty(); }, 5s));
  far.backend->close();
  ASSERT_TRUE(world.run_until([&] { return near.is_closed && far.is_closed; }, 5s));
  EXPECT_TRUE(all([](const auto& channel) { return !channel->error; }));
}

class EarlyMessagesTest : public testing::Test {
 protected:
  void begin(EngineWorldOptions options) {
    options.network = {.delay = 20ms};
    world.emplace(options);
    place(*world);
    auto& first = world->a.create_channel("first");
    near = &world->a.create_channel("agreed", {.negotiated = true, .id = 7});
    ASSERT_TRUE(open(*world, first));
    ASSERT_TRUE(world->run_until([&] { return near->is_open; }, 5s));
  }
  EngineChannel& create_late() { return world->b.create_channel("agreed", {.negotiated = true, .id = 7}); }

  std::optional<EngineWorld> world;
  EngineChannel* near = nullptr;
};

TEST_F(EarlyMessagesTest, OfANegotiatedChannelWaitUntilItIsCreated) {
  ASSERT_NO_FATAL_FAILURE(begin({}));
  sim::Random random(1);
  const auto early = texts(random, 20, 2'000);
  ASSERT_TRUE(say_all(*near, early));
  world->run_for(1s);
  auto& late = create_late();
  ASSERT_TRUE(near->send("later"));
  ASSERT_TRUE(world->run_until([&] { return late.messages.size() == early.size() + 1; }, 5s));
  EXPECT_TRUE(std::ranges::equal(early, std::span(late.messages).first(early.size())));
  EXPECT_EQ(late.messages.back(), "later");
  EXPECT_FALSE(near->is_closed);
}

TEST_F(EarlyMessagesTest, CloseTheChannelWhenTheyAreTooMany) {
  EngineWorldOptions options;
  options.transport.early_messages = 3;
  ASSERT_NO_FATAL_FAILURE(begin(options));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(near->send("kept"));
  world->run_for(1s);
  ASSERT_FALSE(near->is_closed);
  ASSERT_TRUE(near->send("one too many"));
  ASSERT_TRUE(world->run_until([&] { return near->is_closed; }, 5s));
}

TEST_F(EarlyMessagesTest, GoWithAChannelThatIsClosedMeanwhile) {
  ASSERT_NO_FATAL_FAILURE(begin({}));
  ASSERT_TRUE(near->send("never read"));
  near->backend->close();
  world->run_for(1s);
  auto& late = create_late();
  world->run_for(1s);
  EXPECT_TRUE(late.messages.empty());
}

}  // namespace
}  // namespace wdc::native
