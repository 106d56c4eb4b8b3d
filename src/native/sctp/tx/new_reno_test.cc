// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/new_reno.h"

#include <gtest/gtest.h>

#include "src/native/sctp/tx/retransmission_timeout.h"

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPacket = 1'000;

AckedData acked(std::size_t bytes, std::size_t in_flight) { return {{}, bytes, in_flight, true, false, {}}; }

TEST(NewRenoTest, StartsWithTenPackets) { EXPECT_EQ(NewReno(kPacket).window(), 10 * kPacket); }

TEST(NewRenoTest, SlowStartGrowsByWhatWasAckedUpToTwoPackets) {
  NewReno reno(kPacket);
  reno.handle_ack(acked(500, 10'000));
  EXPECT_EQ(reno.window(), 10'500U);
  reno.handle_ack(acked(10'000, 10'000));
  EXPECT_EQ(reno.window(), 12'500U);
}

TEST(NewRenoTest, AReceiverGainsNothingBySplittingItsAcknowledgements) {
  for (const bool avoiding : {false, true}) {
    NewReno whole(kPacket);
    NewReno split(kPacket);
    if (avoiding) whole.handle_loss(10'000, {});
    if (avoiding) split.handle_loss(10'000, {});
    for (int round = 0; round < 100; ++round) {
      whole.handle_ack(acked(2 * kPacket, whole.window()));
      for (std::size_t i = 0; i < 2 * kPacket / 10; ++i) split.handle_ack(acked(10, split.window()));
    }
    EXPECT_LE(split.window(), whole.window());
  }
}

TEST(NewRenoTest, AnUnusedWindowDoesNotGrow) {
  NewReno reno(kPacket);
  reno.handle_ack(acked(1'000, 5'000));
  EXPECT_EQ(reno.window(), 10'000U);
}

TEST(NewRenoTest, NothingGrowsInRecoveryOrWithoutCumulativeProgress) {
  NewReno reno(kPacket);
  AckedData ack = acked(1'000, 10'000);
  ack.in_recovery = true;
  reno.handle_ack(ack);
  ack = acked(1'000, 10'000);
  ack.cumulative_advanced = false;
  reno.handle_ack(ack);
  EXPECT_EQ(reno.window(), 10'000U);
}

TEST(NewRenoTest, LossHalvesAndAvoidanceAddsAPacketARoundTrip) {
  NewReno reno(kPacket);
  reno.handle_loss(10'000, {});
  EXPECT_EQ(reno.window(), 5'000U);
  EXPECT_EQ(reno.slow_start_threshold(), 5'000U);
  reno.handle_ack(acked(1'000, 5'000));  // one more packet of slow start, as the window equals the threshold
  const std::size_t before = reno.window();
  for (std::size_t bytes = 0; bytes < before; bytes += 1'000) reno.handle_ack(acked(1'000, before));
  EXPECT_EQ(reno.window(), before + kPacket);
}

TEST(NewRenoTest, NeverFallsBelowFourPacketsAfterALossNorBelowOneAfterATimeout) {
  NewReno reno(kPacket);
  for (int i = 0; i < 5; ++i) reno.handle_loss(1'000, {});
  EXPECT_EQ(reno.window(), 4 * kPacket);
  reno.handle_timeout({});
  EXPECT_EQ(reno.window(), kPacket);
  EXPECT_EQ(reno.slow_start_threshold(), 4 * kPacket);
}

TEST(RetransmissionTimeoutTest, FollowsTheRules) {
  RetransmissionTimeout timeout({.initial = 3s, .min = 100ms, .max = 10s});
  EXPECT_EQ(timeout.value(), Duration(3s));
  timeout.observe(200ms);  // C2: 200 + 4 * 100
  EXPECT_EQ(timeout.value(), Duration(600ms));
  timeout.observe(200ms);  // C3: variation 75
  EXPECT_EQ(timeout.value(), Duration(500ms));
  timeout.back_off();
  EXPECT_EQ(timeout.value(), Duration(1s));
}

TEST(RetransmissionTimeoutTest, StaysWithinItsBounds) {
  RetransmissionTimeout timeout({.initial = 3s, .min = 100ms, .max = 10s});
  for (int i = 0; i < 10; ++i) timeout.observe(1ms);
  EXPECT_EQ(timeout.value(), Duration(100ms));
  for (int i = 0; i < 20; ++i) timeout.back_off();
  EXPECT_EQ(timeout.value(), Duration(10s));
}

}  // namespace
}  // namespace wdc::sctp
