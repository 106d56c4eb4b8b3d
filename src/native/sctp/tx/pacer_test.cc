// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/pacer.h"

#include <gtest/gtest.h>

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPacket = 1'000;

Pacer::Path path(Duration round_trip, std::size_t window) {
  return {
      .window = window, .packet_size = kPacket, .in_slow_start = false, .smoothed = round_trip, .shortest = round_trip};
}

/// Packets that leave at once.
std::size_t burst(Pacer& pacer, const Pacer::Path& path, TimePoint now) {
  std::size_t count = 0;
  for (; pacer.may_send(path, now) && count < 10'000; ++count) pacer.note_sent(kPacket);
  return count;
}

TEST(PacerTest, AShortPathIsNotPaced) {
  Pacer pacer;
  EXPECT_EQ(burst(pacer, path(1ms, 100 * kPacket), TimePoint(1s)), 10'000U);
}

TEST(PacerTest, ABurstIsShortHoweverLongNothingWasSent) {
  Pacer pacer;
  EXPECT_EQ(burst(pacer, path(50ms, 100 * kPacket), TimePoint(1s)), Pacer::kLeastBurst);
  EXPECT_EQ(burst(pacer, path(50ms, 1'000'000 * kPacket), TimePoint(100s)), Pacer::kMostBurst);
}

TEST(PacerTest, AWindowAndAQuarterLeavesInARoundTrip) {
  for (const bool in_slow_start : {false, true}) {
    Pacer pacer;
    Pacer::Path paced = path(50ms, 400 * kPacket);
    paced.in_slow_start = in_slow_start;
    TimePoint now(1s);
    static_cast<void>(burst(pacer, paced, now));
    std::size_t count = 0;
    for (const TimePoint end = now + 50ms; now < end;) {
      const TimePoint next = pacer.next(paced);
      ASSERT_GT(next, now);
      now = next;
      const std::size_t sent = burst(pacer, paced, now);
      EXPECT_LE(sent, Pacer::kMostBurst);
      count += sent;
    }
    EXPECT_NEAR(static_cast<double>(count), in_slow_start ? 800 : 500, 20);
  }
}

}  // namespace
}  // namespace wdc::sctp
