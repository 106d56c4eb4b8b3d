// SPDX-License-Identifier: MIT
#include "src/native/engine/send_turns.h"

#include <gtest/gtest.h>

#include <vector>

namespace wdc::native {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMany = SendTurns::kAtOnce + 2;

class SendTurnsTest : public ::testing::Test {
 protected:
  SendTurnsTest() : members(kMany) {}

  /// All ask, in order; the first ones have turns, the others wait.
  void all_ask() {
    for (std::size_t i = 0; i < kMany; ++i) EXPECT_EQ(turns.may_send(members[i], now), i < SendTurns::kAtOnce) << i;
  }

  TimePoint now{1h};
  SendTurns turns;
  std::vector<SendTurns::Member> members;
};

TEST_F(SendTurnsTest, SoManyMaySendAtOnceAndTheOthersWait) {
  all_ask();
  EXPECT_EQ(turns.poll_begun(), nullptr);
  EXPECT_EQ(turns.next_deadline(members.back(), now), now + SendTurns::kPatience);
  EXPECT_EQ(turns.next_deadline(members.front(), now), now + SendTurns::kIdle);
}

TEST_F(SendTurnsTest, ATurnHasNoEndWhileNobodyWaits) {
  EXPECT_TRUE(turns.may_send(members[0], now));
  turns.note_sent(members[0], 100 * SendTurns::kBytes, now);
  now += 1min;
  EXPECT_TRUE(turns.may_send(members[0], now));
  EXPECT_EQ(turns.next_deadline(members[0], now), kNever);
}

TEST_F(SendTurnsTest, ATurnEndsAfterItsBytesAndTheNextOneInLineIsTold) {
  all_ask();
  turns.note_sent(members[0], SendTurns::kBytes - 1, now);
  EXPECT_TRUE(turns.may_send(members[0], now));
  turns.note_sent(members[0], 1'200, now);
  EXPECT_FALSE(turns.may_send(members[0], now));
  EXPECT_EQ(turns.poll_begun(), &members[SendTurns::kAtOnce]);
  EXPECT_EQ(turns.poll_begun(), nullptr);
  EXPECT_TRUE(turns.may_send(members[SendTurns::kAtOnce], now));
}

TEST_F(SendTurnsTest, ATurnEndsAfterItsTimeHoweverMuchIsSent) {
  all_ask();
  for (const auto end = now + SendTurns::kTime; now < end; now += SendTurns::kIdle / 2) {
    for (std::size_t i = 0; i < SendTurns::kAtOnce; ++i) {
      EXPECT_TRUE(turns.may_send(members[i], now));
      turns.note_sent(members[i], 1'200, now);
    }
  }
  EXPECT_TRUE(turns.may_send(members.back(), now));
  EXPECT_EQ(turns.poll_begun(), &members[SendTurns::kAtOnce]);
}

TEST_F(SendTurnsTest, WhoSendsNothingKeepsItsTurnForAMoment) {
  all_ask();
  now += SendTurns::kIdle - 1ns;
  EXPECT_FALSE(turns.may_send(members.back(), now));
  EXPECT_TRUE(turns.may_send(members.back(), now + 1ns));
}

TEST_F(SendTurnsTest, WhoPausesKeepsItsTurnUntilThatEnds) {
  all_ask();
  turns.pause(members[0], now);
  EXPECT_TRUE(turns.may_send(members[0], now));
  turns.note_sent(members[0], SendTurns::kBytes, now);
  turns.pause(members[0], now);
  EXPECT_EQ(turns.poll_begun(), &members[SendTurns::kAtOnce]);
  turns.pause(members.back(), now);  // which waits: it has nothing to wait for any more
  turns.leave(members[1], now);
  EXPECT_EQ(turns.poll_begun(), nullptr);
}

TEST_F(SendTurnsTest, WhoLeavesMakesRoom) {
  all_ask();
  turns.leave(members[SendTurns::kAtOnce], now);  // from the line
  turns.leave(members[1], now);                   // from its turn
  EXPECT_EQ(turns.poll_begun(), &members.back());
  turns.leave(members.back(), now);
  turns.leave(members.back(), now);  // twice is once
  EXPECT_EQ(turns.poll_begun(), nullptr);
}

TEST_F(SendTurnsTest, EverybodyGetsAsMany) {
  std::vector<int> counts(kMany);
  for (int round = 0; round < 600; ++round) {
    for (std::size_t i = 0; i < kMany; ++i) {
      if (!turns.may_send(members[i], now)) continue;
      turns.note_sent(members[i], SendTurns::kBytes, now);
      ++counts[i];
    }
    now += 10us;
  }
  for (const int count : counts) EXPECT_NEAR(count, counts[0], 2);
}

}  // namespace
}  // namespace wdc::native
