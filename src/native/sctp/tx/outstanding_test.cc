// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/outstanding.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;

class OutstandingTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kInitial = 0xfffffff0;  // wraps in most tests

  MessageIndex add(std::size_t fragments = 1, std::optional<std::uint16_t> max_retransmits = {}) {
    const MessageIndex index = messages.take();
    OutgoingMessage& message = messages[index];
    message = OutgoingMessage{};
    message.payload = Payload(std::span(bytes).first(100 * fragments), this,
                              [](void* test, ByteView) noexcept { ++static_cast<OutstandingTest*>(test)->released; });
    message.max_retransmits = max_retransmits;
    for (std::uint32_t i = 0; i < fragments; ++i) {
      outstanding.add(index, i * 100, 100, i, {}, now);
      message.sent += 100;
      ++message.next_fragment;
    }
    return index;
  }
  SackOutcome sack(std::int64_t cumulative, std::vector<GapBlock> gaps = {}) {
    const SackToSend chunk{Tsn(kInitial).plus(cumulative), 1'000'000, gaps, {}};
    std::vector<std::byte> written(chunk.size());
    chunk.write(written.data());
    return outstanding.handle_sack(*SackChunk::parse(*ChunkWalk(written).next()), now);
  }
  /// The lost chunks, as numbers from the initial TSN; each is sent again.
  std::vector<std::int64_t> retransmit_all() {
    std::vector<std::int64_t> sent;
    while (const auto lost = outstanding.next_lost(now)) {
      sent.push_back(lost->tsn.since(UnwrappedTsn(Tsn(kInitial))));
      outstanding.mark_retransmitted(lost->tsn);
    }
    return sent;
  }
  using Numbers = std::vector<std::int64_t>;

  std::array<std::byte, 2'000> bytes{};
  int released = 0;
  TimePoint now{1s};
  MessageSlab messages;
  Outstanding outstanding{messages, Tsn(kInitial), DataChunk::kHeaderSize};
};

TEST_F(OutstandingTest, CumulativeAcknowledgementReleasesMessages) {
  for (int i = 0; i < 30; ++i) add();
  EXPECT_EQ(outstanding.in_flight_bytes(), 30U * 116);
  const auto outcome = sack(19);
  EXPECT_TRUE(outcome.valid && outcome.cumulative_advanced);
  EXPECT_EQ(outcome.acked_bytes, 20U * 116);
  EXPECT_EQ(released, 20);
  EXPECT_EQ(outstanding.in_flight_bytes(), 10U * 116);
  EXPECT_EQ(outstanding.in_flight_payload(), 1'000U);
}

TEST_F(OutstandingTest, AMessageIsReleasedWithItsLastFragment) {
  add(3);
  sack(1);
  EXPECT_EQ(released, 0);
  sack(2);
  EXPECT_EQ(released, 1);
  EXPECT_EQ(messages.used(), 0U);
}

TEST_F(OutstandingTest, RejectsAWholeSackThatAcknowledgesWhatWasNotSent) {
  for (int i = 0; i < 5; ++i) add();
  EXPECT_FALSE(sack(5).valid);
  EXPECT_FALSE(sack(1, {{2, 4}}).valid);  // TSN 5 does not exist
  EXPECT_FALSE(sack(1, {{2, 2}, {3, 60'000}}).valid);
  EXPECT_EQ(outstanding.in_flight_bytes(), 5U * 116);
  EXPECT_EQ(released, 0);
}

TEST_F(OutstandingTest, RejectsGapBlocksThatAreNone) {
  for (int i = 0; i < 5; ++i) add();
  EXPECT_FALSE(sack(0, {{0, 1}}).valid);
  EXPECT_FALSE(sack(0, {{3, 2}}).valid);
}

TEST_F(OutstandingTest, IgnoresAnOldSack) {
  for (int i = 0; i < 5; ++i) add();
  sack(3);
  EXPECT_FALSE(sack(2).valid);
}

TEST_F(OutstandingTest, ThreeReportsMakeAChunkLost) {
  for (int i = 0; i < 6; ++i) add();
  EXPECT_EQ(sack(0, {{2, 2}}).lost_chunks, 0U);
  EXPECT_EQ(sack(0, {{2, 3}}).lost_chunks, 0U);
  EXPECT_EQ(sack(0, {{2, 4}}).lost_chunks, 1U);
  EXPECT_EQ(retransmit_all(), Numbers{1});
}

TEST_F(OutstandingTest, ARepeatedSackIsNoReport) {
  for (int i = 0; i < 6; ++i) add();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sack(0, {{2, 2}}).lost_chunks, 0U);
}

TEST_F(OutstandingTest, ARetransmissionThatIsLostIsFoundAgain) {
  for (int i = 0; i < 6; ++i) add();
  for (std::uint16_t end = 2; end <= 4; ++end) sack(0, {{2, end}});
  EXPECT_EQ(retransmit_all(), Numbers{1});
  EXPECT_EQ(sack(0, {{2, 5}}).lost_chunks, 0U);  // sent before the retransmission: says nothing
  for (int i = 0; i < 3; ++i) add();
  EXPECT_EQ(sack(0, {{2, 6}}).lost_chunks, 0U);
  EXPECT_EQ(sack(0, {{2, 7}}).lost_chunks, 0U);
  EXPECT_EQ(sack(0, {{2, 8}}).lost_chunks, 1U);
  EXPECT_EQ(retransmit_all(), Numbers{1});
}

TEST_F(OutstandingTest, GapAcknowledgedChunksAreOutOfFlightButKept) {
  for (int i = 0; i < 4; ++i) add();
  EXPECT_EQ(sack(0, {{2, 3}}).acked_bytes, 3U * 116);
  EXPECT_EQ(outstanding.in_flight_bytes(), 116U);
  EXPECT_EQ(released, 1);
}

TEST_F(OutstandingTest, RenegedChunksAreInFlightAgain) {
  for (int i = 0; i < 4; ++i) add();
  sack(0, {{2, 3}});
  const auto outcome = sack(0);
  EXPECT_TRUE(outcome.valid && outcome.reneged);
  EXPECT_EQ(outstanding.in_flight_bytes(), 3U * 116);
  outstanding.handle_timeout();
  EXPECT_EQ(retransmit_all(), (Numbers{1, 2, 3}));
}

TEST_F(OutstandingTest, ATimeoutLosesEverythingInFlight) {
  for (int i = 0; i < 4; ++i) add();
  sack(0, {{2, 2}});
  outstanding.handle_timeout();
  EXPECT_EQ(outstanding.in_flight_bytes(), 0U);
  EXPECT_EQ(retransmit_all(), (Numbers{1, 3}));
  EXPECT_EQ(outstanding.in_flight_bytes(), 2U * 116);
}

TEST_F(OutstandingTest, MeasuresTheRoundTripOfAChunkThatWasSentOnce) {
  add();
  now += 30ms;
  add();
  EXPECT_EQ(sack(0).round_trip, Duration(30ms));
  outstanding.handle_timeout();
  retransmit_all();
  now += 30ms;
  EXPECT_EQ(sack(1).round_trip, std::nullopt);  // Karn's algorithm
}

TEST_F(OutstandingTest, GivesUpAMessageThatWasSentOftenEnough) {
  const MessageIndex first = add(2, 0);
  add(1);
  outstanding.handle_timeout();
  EXPECT_EQ(retransmit_all(), Numbers{2});
  EXPECT_EQ(outstanding.poll_abandoned(), first);
  EXPECT_EQ(outstanding.poll_abandoned(), kNoMessage);
  EXPECT_EQ(outstanding.forward_point().since(UnwrappedTsn(Tsn(kInitial))), 1);
  sack(2);
  EXPECT_EQ(released, 2);
  EXPECT_TRUE(outstanding.empty());
}

TEST_F(OutstandingTest, SendsAsOftenAsTheLimitSays) {
  add(1, 2);
  for (int i = 0; i < 2; ++i) {
    outstanding.handle_timeout();
    EXPECT_EQ(retransmit_all(), Numbers{0});
  }
  outstanding.handle_timeout();
  EXPECT_EQ(retransmit_all(), Numbers{});
}

TEST_F(OutstandingTest, GivesUpAMessageWhoseLifetimeIsOver) {
  messages[add()].expires = now + 10ms;
  now += 10ms;
  outstanding.handle_timeout();
  EXPECT_EQ(retransmit_all(), Numbers{});
  EXPECT_EQ(outstanding.forward_point(), outstanding.next_tsn().previous());
}

TEST_F(OutstandingTest, HoldsNoMoreThanGapBlocksCanName) {
  for (int i = 0; i < 65'535; ++i) {
    ASSERT_FALSE(outstanding.full());
    add();
  }
  EXPECT_TRUE(outstanding.full());
  EXPECT_TRUE(sack(-1, {{65'535, 65'535}}).valid);
  EXPECT_TRUE(sack(65'534).valid);
  EXPECT_TRUE(outstanding.empty());
  EXPECT_EQ(released, 65'535);
}

}  // namespace
}  // namespace wdc::sctp
