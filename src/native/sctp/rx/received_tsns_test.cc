// SPDX-License-Identifier: MIT
#include "src/native/sctp/rx/received_tsns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "tests/support/sim/random.h"

namespace wdc::sctp {
namespace {

std::vector<GapBlock> gaps(const ReceivedTsns& tsns) {
  std::array<GapBlock, 300> blocks{};
  const std::size_t count = tsns.gap_blocks(blocks, tsns.highest());
  return {blocks.begin(), blocks.begin() + static_cast<std::ptrdiff_t>(count)};
}

void record(ReceivedTsns& tsns, std::uint32_t tsn) { tsns.record(tsns.unwrap(Tsn(tsn))); }

TEST(ReceivedTsnsTest, FollowsTheTsnsInOrder) {
  ReceivedTsns tsns(Tsn(10));
  EXPECT_EQ(tsns.cumulative().wire(), Tsn(9));
  for (std::uint32_t tsn = 10; tsn < 1'000; ++tsn) record(tsns, tsn);
  EXPECT_EQ(tsns.cumulative().wire(), Tsn(999));
  EXPECT_FALSE(tsns.has_gap());
}

// RFC 9260 section 3.3.4: TSNs up to 12, then 14, 15 and 17 (the figure's cumulative TSN is 12).
TEST(ReceivedTsnsTest, ReportsTheGapsOfTheRfcsFigure) {
  ReceivedTsns tsns(Tsn(10));
  for (const std::uint32_t tsn : {10U, 11U, 12U, 14U, 15U, 17U}) record(tsns, tsn);
  EXPECT_EQ(tsns.cumulative().wire(), Tsn(12));
  EXPECT_EQ(gaps(tsns), (std::vector<GapBlock>{{2, 3}, {5, 5}}));
  record(tsns, 13);
  EXPECT_EQ(tsns.cumulative().wire(), Tsn(15));
  EXPECT_EQ(gaps(tsns), (std::vector<GapBlock>{{2, 2}}));
}

TEST(ReceivedTsnsTest, KnowsDuplicatesBelowAndAboveTheCumulativeTsn) {
  ReceivedTsns tsns(Tsn(10));
  record(tsns, 10);
  record(tsns, 12);
  EXPECT_EQ(tsns.judge(tsns.unwrap(Tsn(10))), ReceivedTsns::Arrival::duplicate);
  EXPECT_EQ(tsns.judge(tsns.unwrap(Tsn(12))), ReceivedTsns::Arrival::duplicate);
  EXPECT_EQ(tsns.judge(tsns.unwrap(Tsn(11))), ReceivedTsns::Arrival::fresh);
  EXPECT_EQ(tsns.judge(tsns.unwrap(Tsn(5))), ReceivedTsns::Arrival::duplicate);
}

TEST(ReceivedTsnsTest, TakesGapsUpTo65535AndNotBeyond) {
  ReceivedTsns tsns(Tsn(1));
  EXPECT_EQ(tsns.judge(tsns.unwrap(Tsn(65'536))), ReceivedTsns::Arrival::too_far);
  record(tsns, 65'535);
  EXPECT_EQ(gaps(tsns), (std::vector<GapBlock>{{65'535, 65'535}}));
}

TEST(ReceivedTsnsTest, CrossesTheWrap) {
  ReceivedTsns tsns(Tsn(0xfffffffe));
  for (const std::uint32_t tsn : {0xfffffffeU, 0U, 2U}) record(tsns, tsn);
  EXPECT_EQ(tsns.cumulative().wire(), Tsn(0xfffffffe));
  EXPECT_EQ(gaps(tsns), (std::vector<GapBlock>{{2, 2}, {4, 4}}));
  record(tsns, 0xffffffffU);
  EXPECT_EQ(tsns.cumulative().wire(), Tsn(0));
}

TEST(ReceivedTsnsTest, AdvancesOverWhatIsMissing) {
  ReceivedTsns tsns(Tsn(10));
  for (const std::uint32_t tsn : {11U, 14U, 15U}) record(tsns, tsn);
  tsns.advance_to(tsns.unwrap(Tsn(13)));
  EXPECT_EQ(tsns.cumulative().wire(), Tsn(15));
  tsns.advance_to(tsns.unwrap(Tsn(20)));
  EXPECT_EQ(tsns.cumulative().wire(), Tsn(20));
  EXPECT_FALSE(tsns.has_gap());
  tsns.advance_to(tsns.unwrap(Tsn(18)));
  EXPECT_EQ(tsns.cumulative().wire(), Tsn(20));
}

TEST(ReceivedTsnsTest, LimitsTheBlocksToWhatIsAsked) {
  ReceivedTsns tsns(Tsn(1));
  for (std::uint32_t tsn = 2; tsn < 100; tsn += 2) record(tsns, tsn);
  std::array<GapBlock, 3> blocks{};
  EXPECT_EQ(tsns.gap_blocks(blocks, tsns.highest()), 3U);
  EXPECT_EQ(tsns.gap_blocks(blocks, tsns.unwrap(Tsn(5))), 2U);
}

TEST(ReceivedTsnsTest, AgreesWithASetUnderRandomArrivals) {
  constexpr std::uint32_t kSeed = 7;
  sim::Random random(kSeed);
  ReceivedTsns tsns(Tsn(0xfffff000));
  std::set<std::int64_t> model;
  std::int64_t model_cumulative = tsns.cumulative().value();
  for (int i = 0; i < 20'000; ++i) {
    const auto tsn = tsns.cumulative().plus(static_cast<std::int64_t>(random() % 500) - 20);
    const bool fresh = tsn.value() > model_cumulative && !model.contains(tsn.value());
    ASSERT_EQ(tsns.judge(tsn) == ReceivedTsns::Arrival::fresh, fresh);
    if (random() % 50 == 0) {
      const auto to = tsns.cumulative().plus(static_cast<std::int64_t>(random() % 700));
      tsns.advance_to(to);
      model_cumulative = std::max(model_cumulative, to.value());
    } else if (fresh) {
      tsns.record(tsn);
      model.insert(tsn.value());
    }
    while (model.contains(model_cumulative + 1)) ++model_cumulative;
    model.erase(model.begin(), model.upper_bound(model_cumulative));
    ASSERT_EQ(tsns.cumulative().value(), model_cumulative) << "seed " << kSeed << " step " << i;
    std::size_t in_gaps = 0;
    for (const GapBlock& block : gaps(tsns)) in_gaps += static_cast<std::size_t>(block.end - block.start + 1);
    if (gaps(tsns).size() < 300) {
      ASSERT_EQ(in_gaps, model.size());
    }
  }
}

}  // namespace
}  // namespace wdc::sctp
