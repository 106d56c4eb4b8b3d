// SPDX-License-Identifier: MIT
#include "src/native/sctp/association.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/sim/wire.h"

// A path with a short queue, as a socket's buffer is while its thread waits for a core: much is lost at a time, and
// often the last of all that was sent.
namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;
using namespace sim;

/// A gigabit, and a queue of 64 KiB.
LinkOptions short_queue() {
  LinkOptions link = delayed(100us);
  link.bits_per_second = 1'000'000'000;
  link.queue_bytes = std::size_t{64} << 10;
  return link;
}

class LoadTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(pair.connect()); }

  /// Keeps a megabyte queued for a time; returns how many bytes arrived.
  std::size_t send_for(Duration duration) {
    std::size_t arrived = 0;
    const auto keep_busy = [&](const End&) {
      while (pair.a.association.buffered() < (std::size_t{1} << 20))
        EXPECT_EQ(pair.a.send(0, message, pair.now), SendStatus::ok);
      for (; !pair.b.messages.empty(); pair.b.messages.pop_front()) arrived += pair.b.messages.front().bytes.size();
    };
    keep_busy(pair.a);
    pair.after_burst = keep_busy;
    pair.run_for(duration);
    pair.after_burst = nullptr;
    return arrived;
  }
  [[nodiscard]] AssociationStats stats() const { return pair.a.association.stats(); }

  const std::string message = std::string(std::size_t{64} << 10, 'x');
  Pair pair{plain(), plain(), short_queue(), delayed(100us), 1};
};

TEST_F(LoadTest, AShortQueueIsFilledWithoutWaitingForTheTimer) {
  const std::size_t arrived = send_for(1s);
  EXPECT_EQ(stats().timeouts, 0U);
  EXPECT_GE(arrived, 100'000'000U);
}

TEST_F(LoadTest, PausesOfTheReaderCostLittleMoreThanTheirTime) {
  LinkOptions paused = short_queue();
  paused.bits_per_second = 26'000'000;
  std::size_t arrived = 0;
  for (int i = 0; i < 10; ++i) {
    pair.a_to_b.set_options(paused);
    arrived += send_for(20ms);
    pair.a_to_b.set_options(short_queue());
    arrived += send_for(80ms);
  }
  EXPECT_EQ(stats().timeouts, 0U);
  EXPECT_GE(arrived, 60'000'000U);
}

TEST_F(LoadTest, ABurstWhoseEndIsLostIsDoneSoon) {
  for (int i = 0; i < 20; ++i) {
    const TimePoint began = pair.now;
    for (int k = 0; k < 16; ++k) ASSERT_EQ(pair.a.send(0, message, pair.now), SendStatus::ok);
    ASSERT_TRUE(pair.run_until([&] { return pair.b.messages.size() == 16; }, 10s));
    pair.b.messages.clear();
    EXPECT_LT(pair.now - began, 100ms);
    pair.run_for(1s);
  }
  EXPECT_EQ(stats().timeouts, 0U);
}

TEST_F(LoadTest, TheLastPacketsAreSentAgainLongBeforeTheTimer) {
  send_for(10ms);
  pair.run_for(1s);
  bool drops = true;
  pair.tap = [&](bool from_a, std::span<const std::byte>) { return !from_a || !drops; };
  for (const std::size_t size : {3'000U, 300U}) {
    pair.b.messages.clear();
    drops = true;
    ASSERT_EQ(pair.a.send(0, std::string(size, 'x'), pair.now), SendStatus::ok);
    pair.settle();
    drops = false;
    const TimePoint began = pair.now;
    ASSERT_TRUE(pair.run_until([&] { return !pair.b.messages.empty(); }, 10s));
    // A lone packet's SACK may be delayed by 200 ms.
    EXPECT_LT(pair.now - began, size > 1'200 ? 20ms : 220ms);
    pair.run_for(1s);
  }
  EXPECT_EQ(stats().timeouts, 0U);
  EXPECT_EQ(stats().probes, 2U);
}

/// RFC 8985 section 7.4.
TEST_F(LoadTest, AProbeThatAloneRepairedALossCostsAsMuchAsALoss) {
  send_for(10ms);
  pair.run_for(1s);
  std::uint64_t probes = stats().probes;
  for (const bool is_lost : {true, false}) {
    pair.b.messages.clear();
    const std::size_t before = stats().congestion_window;
    // Either the packet is lost, or the acknowledgement of it is, so that both it and the probe arrive.
    bool drops = true;
    pair.tap = [&](bool from_a, std::span<const std::byte>) {
      return from_a != is_lost || !std::exchange(drops, false);
    };
    ASSERT_EQ(pair.a.send(0, std::string(300, 'x'), pair.now), SendStatus::ok);
    // What tells it is the acknowledgement of something later.
    pair.run_for(1s);
    ASSERT_EQ(pair.a.send(0, std::string(300, 'x'), pair.now), SendStatus::ok);
    pair.run_for(1s);
    EXPECT_EQ(pair.b.messages.size(), 2U);
    EXPECT_EQ(stats().timeouts, 0U);
    EXPECT_EQ(stats().probes, ++probes);
    if (is_lost) {
      EXPECT_LT(stats().congestion_window, before);
    } else {
      EXPECT_EQ(stats().congestion_window, before);
    }
  }
}

TEST_F(LoadTest, AProbeUsesUpNoRetransmissionOfAMessage) {
  send_for(10ms);
  pair.run_for(1s);
  pair.b.messages.clear();
  int data_packets = 0;
  pair.tap = [&](bool from_a, std::span<const std::byte> packet) {
    if (!from_a || Wire::type_of(packet) != ChunkType::data) return true;
    ++data_packets;
    return false;
  };
  ASSERT_EQ(pair.a.send(0, std::string(3'000, 'x'), pair.now, {.max_retransmits = 0}), SendStatus::ok);
  pair.run_for(5s);
  EXPECT_EQ(data_packets, 3);
  EXPECT_TRUE(pair.b.messages.empty());
}

/// 25 MB/s, 50 ms there and back, and a queue of 64 KiB, as the buffer of a browser's socket.
class LongPathTest : public LoadTest {
 protected:
  void SetUp() override {
    LinkOptions link = delayed(25ms);
    link.bits_per_second = 200'000'000;
    link.queue_bytes = std::size_t{64} << 10;
    pair.a_to_b.set_options(link);
    pair.b_to_a.set_options(delayed(25ms));
    ASSERT_TRUE(pair.connect());
  }
};

TEST_F(LongPathTest, AWindowIsSpreadOverItsRoundTrip) {
  send_for(3s);
  const std::size_t arrived = send_for(3s);
  EXPECT_EQ(stats().timeouts, 0U);
  EXPECT_GE(arrived, 40'000'000U);
}

TEST_F(LongPathTest, ASteadyWindowLosesNothingToItsOwnTrains) {
  // The peer's window is less than what the path holds: nothing but a train can be lost.
  send_for(300ms);
  EXPECT_EQ(stats().retransmissions, 0U);
  EXPECT_GE(stats().congestion_window, 100'000U);
}

}  // namespace
}  // namespace wdc::sctp
