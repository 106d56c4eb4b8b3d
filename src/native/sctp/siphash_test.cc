// SPDX-License-Identifier: MIT
#include "src/native/sctp/siphash.h"

#include <gtest/gtest.h>

#include <vector>

namespace wdc::sctp {
namespace {

// The authors' test vectors: key 00 01 ... 0f, input 00 01 ... of the given length.
TEST(SipHashTest, GivesThePublishedValues) {
  constexpr SipHashKey kKey{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
  std::vector<std::byte> input;
  EXPECT_EQ(siphash128(kKey, input), (std::array<std::uint64_t, 2>{0xe6a825ba047f81a3U, 0x930255c71472f66dU}));
  input.push_back(std::byte{0});
  EXPECT_EQ(siphash128(kKey, input), (std::array<std::uint64_t, 2>{0x44af996bd8c187daU, 0x45fc229b11597634U}));
}

TEST(SipHashTest, DependsOnEveryByteAndOnTheKey) {
  std::vector<std::byte> input(21);
  const auto reference = siphash128({1, 2}, input);
  for (std::byte& byte : input) {
    byte = std::byte{1};
    EXPECT_NE(siphash128({1, 2}, input), reference);
    byte = std::byte{0};
  }
  EXPECT_NE(siphash128({1, 3}, input), reference);
}

}  // namespace
}  // namespace wdc::sctp
