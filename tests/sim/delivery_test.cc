// SPDX-License-Identifier: MIT
// Whole associations over a seeded bad network: every message exactly once and in order, or as its reliability says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "tests/support/sim/pair.h"

namespace wdc::sim {
namespace {

using namespace std::chrono_literals;
using sctp::AssociationOptions;
using sctp::SendStatus;

AssociationOptions options_with(bool interleaving) {
  AssociationOptions options;
  options.capabilities.message_interleaving = interleaving;
  return options;
}

LinkOptions bad_link() {
  LinkOptions link;
  link.delay = 20ms;
  link.bits_per_second = 20'000'000;
  link.loss = 0.05;
  link.reorder = 0.05;
  link.duplicate = 0.02;
  link.corrupt = 0.02;
  return link;
}

/// A message that says its stream, its number and, by its content, whether it is whole.
std::string numbered(std::uint16_t stream, std::uint32_t number, std::size_t size) {
  std::string text = std::to_string(stream) + ':' + std::to_string(number) + ';';
  while (text.size() < size) text += static_cast<char>('a' + (text.size() * 7 + number) % 26);
  return text;
}

/// Both ends send on a few streams at once, messages of all sizes; both shut down at the end.
void expect_clean_exchange(std::uint64_t seed, const AssociationOptions& options, const LinkOptions& link) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Pair pair(options, link, seed);
  ASSERT_TRUE(pair.connect(seed % 2 == 0));
  Random random(seed);
  std::map<std::uint16_t, std::vector<std::string>> sent_a, sent_b;
  for (std::uint32_t number = 0; number < 40; ++number) {
    for (auto* end : {&pair.a, &pair.b}) {
      const auto stream = static_cast<std::uint16_t>(random.below(4));
      const std::size_t size = random.chance(0.2) ? 1 + random.below(20'000) : 1 + random.below(300);
      const std::string text = numbered(stream, number, size);
      ASSERT_EQ(end->send(stream, text, pair.now), SendStatus::ok);
      (end == &pair.a ? sent_a : sent_b)[stream].push_back(text);
    }
    if (random.chance(0.3)) pair.run_for(Duration(static_cast<std::int64_t>(random.below(50'000'000))));
  }
  pair.a.association.shutdown(pair.now);
  if (seed % 3 == 0) pair.b.association.shutdown(pair.now);
  ASSERT_TRUE(pair.run_until(
      [&] { return pair.a.count<sctp::ClosedEvent>() == 1 && pair.b.count<sctp::ClosedEvent>() == 1; }, 300s));
  EXPECT_EQ(pair.a.last<sctp::ClosedEvent>()->reason, sctp::CloseReason::shutdown);
  EXPECT_EQ(pair.b.last<sctp::ClosedEvent>()->reason, sctp::CloseReason::shutdown);
  EXPECT_EQ(pair.a.pool.used_bytes() + pair.b.pool.used_bytes(), 0U);
  EXPECT_EQ(pair.a.association.stats().in_flight_bytes + pair.b.association.stats().in_flight_bytes, 0U);

  std::map<std::uint16_t, std::vector<std::string>> got_a, got_b;
  for (const Text& text : pair.a.messages) got_a[text.stream].push_back(text.bytes);
  for (const Text& text : pair.b.messages) got_b[text.stream].push_back(text.bytes);
  EXPECT_EQ(got_b, sent_a);
  EXPECT_EQ(got_a, sent_b);
}

std::uint64_t seeds() {
  const char* const wanted = std::getenv("WDC_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 150;
}

TEST(DeliveryTest, EveryMessageOnceAndInOrderOverABadLink) {
  for (std::uint64_t seed = 1; seed <= seeds() && !HasFailure(); ++seed) {
    expect_clean_exchange(seed, options_with(seed % 4 >= 2), bad_link());
  }
}

TEST(DeliveryTest, EveryMessageOnceAndInOrderThroughBurstsOfLoss) {
  LinkOptions link;
  link.delay = 10ms;
  link.burst_loss_start = 0.01;
  link.burst_loss_end = 0.2;
  for (std::uint64_t seed = 1; seed <= seeds() / 3 && !HasFailure(); ++seed) {
    expect_clean_exchange(seed, options_with(seed % 4 >= 2), link);
  }
}

TEST(DeliveryTest, AMegabyteMessageCrossesALossyLink) {
  for (const bool interleaving : {false, true}) {
    AssociationOptions options = options_with(interleaving);
    options.receive_message_size = std::size_t{2} << 20;
    LinkOptions link;
    link.delay = 10ms;
    link.loss = 0.01;
    Pair pair(options, link, 9);
    ASSERT_TRUE(pair.connect());
    const std::string text = numbered(0, 1, std::size_t{1} << 20);
    ASSERT_EQ(pair.a.send(0, text, pair.now), SendStatus::ok);
    ASSERT_TRUE(pair.run_until([&] { return !pair.b.messages.empty(); }, 120s));
    EXPECT_TRUE(pair.b.messages.front().bytes == text);
  }
}

TEST(DeliveryTest, UnreliableMessagesNeverBlockReliableOnes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(options_with(seed % 2 == 0), bad_link(), seed);
    ASSERT_TRUE(pair.connect());
    Random random(seed);
    std::vector<std::string> reliable;
    for (std::uint32_t number = 0; number < 200; ++number) {
      const std::size_t size = random.chance(0.1) ? 5'000 : 100;
      if (number % 2 == 0) {
        reliable.push_back(numbered(1, number, size));
        ASSERT_EQ(pair.a.send(1, reliable.back(), pair.now), SendStatus::ok);
      } else if (number % 4 == 1) {
        ASSERT_EQ(pair.a.send(2, numbered(2, number, size), pair.now, {.max_retransmits = 0}), SendStatus::ok);
      } else {
        ASSERT_EQ(pair.a.send(3, numbered(3, number, size), pair.now, {.unordered = true, .lifetime = 30ms}),
                  SendStatus::ok);
      }
      pair.run_for(2ms);
    }
    ASSERT_EQ(pair.a.send(1, "last", pair.now), SendStatus::ok);
    ASSERT_TRUE(pair.run_until(
        [&] {
          return !pair.b.messages.empty() &&
                 std::ranges::any_of(pair.b.messages, [](const Text& text) { return text.bytes == "last"; });
        },
        120s));
    reliable.push_back("last");
    std::vector<std::string> got;
    std::uint32_t last_unreliable = 0;
    std::size_t unreliable = 0;
    for (const Text& text : pair.b.messages) {
      if (text.stream == 1) got.push_back(text.bytes);
      if (text.stream != 1) {
        const auto number = static_cast<std::uint32_t>(std::strtoul(text.bytes.c_str() + 2, nullptr, 10));
        EXPECT_EQ(text.bytes, numbered(text.stream, number, text.bytes.size()));
        ++unreliable;
        if (text.stream == 2) {
          EXPECT_GT(number, last_unreliable);
          last_unreliable = number;
        }
      }
    }
    EXPECT_EQ(got, reliable);
    EXPECT_GT(unreliable, 50U);
    EXPECT_GT(pair.a.association.stats().abandoned_messages, 0U);
    // Nothing of what was given up stays behind.
    pair.run_for(5s);
    EXPECT_EQ(pair.b.association.stats().unread_bytes, 0U);
    EXPECT_EQ(pair.a.association.stats().in_flight_bytes, 0U);
  }
}

TEST(DeliveryTest, AHundredMegabitsForSixtySeconds) {
  AssociationOptions options;
  options.capabilities.zero_checksum = true;
  LinkOptions link;
  link.delay = 10ms;
  link.bits_per_second = 100'000'000;
  link.queue_bytes = 256 * 1024;
  Pair pair(options, link, 5);
  ASSERT_TRUE(pair.connect());
  static const std::string text(64 * 1024, 'x');
  std::size_t received = 0;
  const auto refill = [&](End& end) {
    if (&end == &pair.a) {
      while (pair.a.association.buffered() < 512 * 1024) {
        ASSERT_EQ(pair.a.association.send(sctp::StreamId(0), sctp::Ppid(53),
                                          sctp::Payload::forever(std::as_bytes(std::span(text))), {}, pair.now),
                  SendStatus::ok);
      }
    } else {
      for (const Text& message : pair.b.messages) received += message.bytes.size();
      pair.b.messages.clear();
    }
  };
  refill(pair.a);
  pair.after_burst = refill;
  pair.run_for(60s);
  const double megabits = static_cast<double>(received) * 8 / 60 / 1e6;
  std::printf("%.1f Mbit/s, %llu retransmissions, %llu packets\n", megabits,
              static_cast<unsigned long long>(pair.a.association.stats().retransmissions),
              static_cast<unsigned long long>(pair.a.association.stats().packets_sent));
  EXPECT_GT(megabits, 70);
}

}  // namespace
}  // namespace wdc::sim
