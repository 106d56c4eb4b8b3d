// SPDX-License-Identifier: MIT
#include "src/native/sctp/state_cookie.h"

#include <gtest/gtest.h>

namespace wdc::sctp {
namespace {

constexpr SipHashKey kKey{1, 2};

StateCookie example() {
  return {TimePoint(std::chrono::seconds(5)), VerificationTag(1), VerificationTag(2), Tsn(3), Tsn(4), 5, 6, 7,
          {true, false, true, true},          VerificationTag(8), VerificationTag(9)};
}

TEST(StateCookieTest, OpensWhatItSigned) {
  const auto bytes = example().sign(kKey);
  const auto cookie = StateCookie::open(bytes, kKey);
  ASSERT_TRUE(cookie);
  EXPECT_EQ(cookie->created, example().created);
  EXPECT_EQ(cookie->peer_initial_tsn, Tsn(4));
  EXPECT_EQ(cookie->peer_inbound_streams, 7);
  EXPECT_EQ(cookie->peer_capabilities, example().peer_capabilities);
  EXPECT_EQ(cookie->peer_tie_tag, VerificationTag(9));
}

TEST(StateCookieTest, RefusesEveryForgedBit) {
  const auto bytes = example().sign(kKey);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto forged = bytes;
    forged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(StateCookie::open(forged, kKey)) << bit;
  }
}

TEST(StateCookieTest, RefusesAnotherKeyAndOtherSizes) {
  const auto bytes = example().sign(kKey);
  EXPECT_FALSE(StateCookie::open(bytes, SipHashKey{1, 3}));
  EXPECT_FALSE(StateCookie::open(std::span(bytes).first(63), kKey));
  EXPECT_FALSE(StateCookie::open({}, kKey));
}

}  // namespace
}  // namespace wdc::sctp
