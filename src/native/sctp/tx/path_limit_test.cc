// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/path_limit.h"

#include <gtest/gtest.h>

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;

TEST(PathLimitTest, AShortPathHoldsLittle) {
  PathLimit limit;
  EXPECT_EQ(limit.bytes(), PathLimit::kLeast);
  limit.observe(20us, TimePoint(1s));
  EXPECT_EQ(limit.bytes(), PathLimit::kLeast);
  limit.observe(-1ns, TimePoint(1s));
  EXPECT_EQ(limit.bytes(), PathLimit::kLeast);
}

TEST(PathLimitTest, ALongPathHoldsMoreThanAnyWindow) {
  PathLimit limit;
  limit.observe(3ms, TimePoint(1s));
  EXPECT_EQ(limit.bytes(), 6'000'000U);
  limit.observe(1h, TimePoint(2s));
  EXPECT_EQ(limit.bytes(), 6'000'000U);
}

TEST(PathLimitTest, QueuesDoNotCountAsLength) {
  PathLimit limit;
  limit.observe(1ms, TimePoint(1s));
  for (int i = 0; i < 100; ++i) limit.observe(20ms, TimePoint(1s + i * 10ms));
  EXPECT_EQ(limit.bytes(), 2'000'000U);
}

TEST(PathLimitTest, APathThatHasBecomeLongerIsKnownAfterTwoPeriods) {
  PathLimit limit;
  limit.observe(20us, TimePoint(1s));
  limit.observe(50ms, TimePoint(1s + PathLimit::kPeriod));
  EXPECT_EQ(limit.bytes(), PathLimit::kLeast);
  limit.observe(50ms, TimePoint(1s + 2 * PathLimit::kPeriod));
  EXPECT_EQ(limit.bytes(), 100'000'000U);
}

}  // namespace
}  // namespace wdc::sctp
