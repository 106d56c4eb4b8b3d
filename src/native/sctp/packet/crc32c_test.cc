// SPDX-License-Identifier: MIT
#include "src/native/sctp/packet/crc32c.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "tests/support/sim/random.h"

namespace wdc::sctp {
namespace {

std::uint32_t crc_by(const Crc32cImplementation& implementation, std::span<const std::byte> bytes) {
  return ~implementation.update(~std::uint32_t{0}, bytes.data(), bytes.size());
}

std::vector<std::byte> repeated(std::byte value, std::size_t count) { return std::vector<std::byte>(count, value); }

// RFC 3720 appendix B.4, and the check value of the CRC catalogues.
TEST(Crc32cTest, EveryImplementationGivesThePublishedValues) {
  std::vector<std::byte> up(32);
  for (std::size_t i = 0; i < up.size(); ++i) up[i] = static_cast<std::byte>(i);
  const std::vector<std::byte> down(up.rbegin(), up.rend());
  constexpr std::string_view kDigits = "123456789";
  for (const Crc32cImplementation& implementation : crc32c_implementations()) {
    SCOPED_TRACE(implementation.name);
    EXPECT_EQ(crc_by(implementation, repeated(std::byte{0}, 32)), 0x8a9136aaU);
    EXPECT_EQ(crc_by(implementation, repeated(std::byte{0xff}, 32)), 0x62a8ab43U);
    EXPECT_EQ(crc_by(implementation, up), 0x46dd794eU);
    EXPECT_EQ(crc_by(implementation, down), 0x113fdb5cU);
    EXPECT_EQ(crc_by(implementation, std::as_bytes(std::span(kDigits))), 0xe3069283U);
    EXPECT_EQ(crc_by(implementation, {}), 0U);
  }
}

TEST(Crc32cTest, EveryImplementationAgreesAtEveryLengthAndAlignment) {
  sim::Random random(1);
  std::vector<std::byte> bytes(4000);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  const Crc32cImplementation& portable = crc32c_implementations().front();
  for (const Crc32cImplementation& implementation : crc32c_implementations()) {
    SCOPED_TRACE(implementation.name);
    for (std::size_t size = 0; size < 3000; size += size < 1400 ? 1 : 37) {
      const auto part = std::span(bytes).subspan(size % 9, size);
      ASSERT_EQ(crc_by(implementation, part), crc_by(portable, part)) << size << " bytes";
    }
  }
}

TEST(Crc32cTest, EveryImplementationContinuesFromAState) {
  std::vector<std::byte> bytes(2500, std::byte{0x5a});
  const std::uint32_t whole = crc32c(bytes);
  for (const Crc32cImplementation& implementation : crc32c_implementations()) {
    for (const std::size_t cut : {std::size_t{1}, std::size_t{143}, std::size_t{1152}, std::size_t{2400}}) {
      std::uint32_t state = implementation.update(~std::uint32_t{0}, bytes.data(), cut);
      state = implementation.update(state, bytes.data() + cut, bytes.size() - cut);
      EXPECT_EQ(~state, whole) << implementation.name << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace wdc::sctp
