// SPDX-License-Identifier: MIT
#include "apps/server/rate_limiter.h"

#include <gtest/gtest.h>

namespace wdc::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(1000)};

TEST(TokenBucketTest, GivesItsBurstAndThenNothing) {
  TokenBucket bucket({.per_second = 10, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.try_take(1, kStart));
  EXPECT_FALSE(bucket.try_take(1, kStart));
}

TEST(TokenBucketTest, GainsTokensWithTime) {
  TokenBucket bucket({.per_second = 10, .burst = 3});
  ASSERT_TRUE(bucket.try_take(3, kStart));
  EXPECT_FALSE(bucket.try_take(1, kStart + milliseconds(99)));
  EXPECT_TRUE(bucket.try_take(1, kStart + milliseconds(101)));
}

TEST(TokenBucketTest, NeverHoldsMoreThanItsBurst) {
  TokenBucket bucket({.per_second = 10, .burst = 3});
  ASSERT_TRUE(bucket.try_take(3, kStart));
  EXPECT_FALSE(bucket.try_take(4, kStart + seconds(3600)));
  EXPECT_TRUE(bucket.try_take(3, kStart + seconds(3600)));
}

TEST(TokenBucketTest, TakesNothingWhenItRefuses) {
  TokenBucket bucket({.per_second = 1, .burst = 3});
  ASSERT_TRUE(bucket.try_take(1, kStart));
  ASSERT_FALSE(bucket.try_take(3, kStart));
  EXPECT_TRUE(bucket.try_take(2, kStart));
}

TEST(TokenBucketTest, GainsNothingWhenTimeGoesBack) {
  TokenBucket bucket({.per_second = 10, .burst = 1});
  ASSERT_TRUE(bucket.try_take(1, kStart));
  EXPECT_FALSE(bucket.try_take(1, kStart - seconds(10)));
  EXPECT_FALSE(bucket.try_take(1, kStart));
}

TEST(TokenBucketTest, SaysHowLongToWait) {
  TokenBucket bucket({.per_second = 4, .burst = 2});
  EXPECT_EQ(bucket.wait_for(1, kStart), milliseconds(0));
  ASSERT_TRUE(bucket.try_take(2, kStart));
  EXPECT_FALSE(bucket.is_full(kStart));
  EXPECT_EQ(bucket.wait_for(1, kStart), milliseconds(250));
  EXPECT_TRUE(bucket.is_full(kStart + milliseconds(500)));
}

}  // namespace
}  // namespace wdc::server
