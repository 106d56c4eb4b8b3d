// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/cubic.h"

#include <gtest/gtest.h>

#include "src/native/sctp/tx/new_reno.h"

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPacket = 1'000;

/// A path that acknowledges a whole window, two packets at a time, in every round trip.
void run(CongestionController& controller, TimePoint& now, Duration round_trip, Duration time) {
  for (const TimePoint end = now + time; now < end;) {
    const std::size_t window = controller.window();
    const auto sacks = std::max<std::size_t>(window / (2 * kPacket), 1);
    for (std::size_t i = 0; i < sacks; ++i) {
      now += round_trip / static_cast<std::int64_t>(sacks);
      controller.handle_ack({now, 2 * kPacket, controller.window(), true, false, round_trip});
    }
  }
}

TEST(CubicTest, SlowStartDoublesInARoundTrip) {
  Cubic cubic(kPacket);
  TimePoint now{};
  run(cubic, now, 50ms, 50ms);
  EXPECT_EQ(cubic.window(), 20 * kPacket);
  EXPECT_TRUE(cubic.in_slow_start());
}

TEST(CubicTest, SlowStartEndsWhereTwoRoundTripsInARowAreLonger) {
  Cubic cubic(kPacket);
  TimePoint now{};
  while (cubic.window() < 40 * kPacket) run(cubic, now, 20ms, 20ms);
  const auto measure = [&](Duration round_trip) {
    cubic.handle_ack({now, kPacket, cubic.window(), true, false, round_trip});
  };
  measure(25ms);  // a hiccup
  measure(20ms);
  measure(25ms);
  EXPECT_TRUE(cubic.in_slow_start());
  measure(25ms);
  EXPECT_FALSE(cubic.in_slow_start());
  const std::size_t window = cubic.window();
  run(cubic, now, 30ms, 30ms);
  EXPECT_LT(cubic.window(), window + 5 * kPacket);
}

TEST(CubicTest, SlowStartOfAFewPacketsIsNotEndedByLateAcknowledgements) {
  Cubic cubic(kPacket);
  for (const Duration round_trip : {Duration(1ms), Duration(200ms), Duration(200ms), Duration(200ms)})
    cubic.handle_ack({TimePoint{}, kPacket, cubic.window(), true, false, round_trip});
  EXPECT_TRUE(cubic.in_slow_start());
}

TEST(CubicTest, ALossLeavesSevenTenths) {
  Cubic cubic(kPacket);
  cubic.handle_loss(10 * kPacket, {});
  EXPECT_EQ(cubic.window(), 7 * kPacket);
  EXPECT_FALSE(cubic.in_slow_start());
  cubic.handle_timeout({});
  EXPECT_EQ(cubic.window(), kPacket);
  for (int i = 0; i < 5; ++i) cubic.handle_loss(kPacket, {});
  EXPECT_EQ(cubic.window(), 4 * kPacket);
}

TEST(CubicTest, TheWindowBeforeTheLossIsReachedByTimeHoweverLongTheRoundTrip) {
  for (const Duration round_trip : {Duration(20ms), Duration(100ms)}) {
    Cubic cubic(kPacket);
    TimePoint now{};
    while (cubic.window() < 1'000 * kPacket) run(cubic, now, round_trip, round_trip);
    const std::size_t before = cubic.window();
    cubic.handle_loss(before, now);
    run(cubic, now, round_trip, 4s);
    EXPECT_GT(cubic.window(), before * 85 / 100);
    EXPECT_LT(cubic.window(), before);
    run(cubic, now, round_trip, 8s);
    EXPECT_GT(cubic.window(), before * 99 / 100);
  }
}

TEST(CubicTest, GrowsNoSlowerThanNewRenoWhereTheRoundTripIsShort) {
  Cubic cubic(kPacket);
  NewReno reno(kPacket);
  TimePoint cubic_now{};
  TimePoint reno_now{};
  cubic.handle_loss(10 * kPacket, {});
  reno.handle_loss(10 * kPacket, {});
  run(cubic, cubic_now, 1ms, 500ms);
  run(reno, reno_now, 1ms, 500ms);
  EXPECT_GE(cubic.window(), reno.window() * 9 / 10);
}

TEST(CubicTest, NothingGrowsUnusedInRecoveryOrWithoutCumulativeProgress) {
  for (const bool avoiding : {false, true}) {
    Cubic cubic(kPacket);
    if (avoiding) cubic.handle_loss(20 * kPacket, {});
    const std::size_t window = cubic.window();
    cubic.handle_ack({TimePoint(1s), 1'000, window, true, true, {}});
    cubic.handle_ack({TimePoint(2s), 1'000, window, false, false, {}});
    cubic.handle_ack({TimePoint(3s), 1'000, window / 2, true, false, {}});
    EXPECT_EQ(cubic.window(), window);
  }
}

}  // namespace
}  // namespace wdc::sctp
