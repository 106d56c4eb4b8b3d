// SPDX-License-Identifier: MIT
#include "src/native/sctp/numbers.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace wdc::sctp {
namespace {

static_assert(!std::is_convertible_v<Tsn, Ssn> && !std::is_convertible_v<std::uint32_t, Tsn>);
static_assert(!std::is_constructible_v<StreamId, Ppid>);

TEST(NumbersTest, UnwrapsForwardsAcrossTheWrap) {
  const UnwrappedTsn before(Tsn(0xfffffffe));
  EXPECT_EQ(UnwrappedTsn::near(before, Tsn(3)).since(before), 5);
}

TEST(NumbersTest, UnwrapsBackwardsAcrossTheWrap) {
  const UnwrappedTsn after = UnwrappedTsn(Tsn(0xffffffff)).plus(4);
  EXPECT_EQ(after.wire(), Tsn(3));
  EXPECT_EQ(UnwrappedTsn::near(after, Tsn(0xffffffff)).since(after), -4);
}

TEST(NumbersTest, UnwrapsBelowZeroAtTheStart) {
  const UnwrappedSsn start(Ssn(0));
  const UnwrappedSsn old = UnwrappedSsn::near(start, Ssn(65535));
  EXPECT_EQ(old.since(start), -1);
  EXPECT_EQ(old.wire(), Ssn(65535));
  EXPECT_LT(old, start);
}

TEST(NumbersTest, FollowsASerialNumberThroughManyWraps) {
  UnwrappedSsn at(Ssn(0));
  for (std::int64_t i = 0; i < 1'000'000; i += 1'000) {
    at = UnwrappedSsn::near(at, Ssn(static_cast<std::uint16_t>(i)));
    ASSERT_EQ(at.value(), i);
  }
}

TEST(NumbersTest, SerialNumbersWrap) {
  EXPECT_EQ(Ssn(65535).next(), Ssn(0));
  EXPECT_EQ(Tsn(0).plus(-1), Tsn(0xffffffff));
}

}  // namespace
}  // namespace wdc::sctp
