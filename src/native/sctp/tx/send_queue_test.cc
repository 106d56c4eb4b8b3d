// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/send_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;

class SendQueueTest : public testing::Test {
 protected:
  ~SendQueueTest() override { queue.clear(); }
  MessageIndex push(std::uint16_t stream, std::size_t size, TimePoint expires = kNever) {
    const MessageIndex index = messages.take();
    messages[index] = OutgoingMessage{};
    messages[index].payload = Payload::forever(std::span(bytes).first(size));
    messages[index].stream = StreamId(stream);
    messages[index].expires = expires;
    queue.push(index);
    return index;
  }
  /// Sends one fragment of at most `most` bytes; the stream it was of, or -1.
  int step(std::size_t most, DataKind kind = DataKind::data) {
    const MessageIndex index = queue.front(now, kind);
    if (index == kNoMessage) return -1;
    OutgoingMessage& message = messages[index];
    const int stream = message.stream.value();
    if (message.next_fragment == 0) queue.assign_number(message, kind);
    queue.advance(std::min(most, message.payload.size() - message.sent));
    if (message.is_cut()) forget_message(messages, index);
    return stream;
  }
  std::string steps(int count, std::size_t most, DataKind kind = DataKind::data) {
    std::string streams;
    for (int i = 0; i < count; ++i) streams += std::to_string(step(most, kind));
    return streams;
  }

  std::array<std::byte, 100'000> bytes{};
  TimePoint now{1s};
  MessageSlab messages;
  SendQueue queue{messages};
};

TEST_F(SendQueueTest, StreamsOfEqualWeightShareTheTurns) {
  for (int i = 0; i < 3; ++i) {
    push(1, 100);
    push(2, 100);
  }
  EXPECT_EQ(steps(7, 1'000), "122112-1");
}

TEST_F(SendQueueTest, AMessageIsCutToItsEndBeforeAnotherStreamHasItsTurn) {
  push(1, 300);
  push(2, 300);
  EXPECT_EQ(steps(6, 100), "111222");
}

TEST_F(SendQueueTest, FragmentsAlternateWhereMessagesMayInterleave) {
  push(1, 300);
  push(2, 300);
  EXPECT_EQ(steps(6, 100, DataKind::i_data), "122112");
}

TEST_F(SendQueueTest, BytesCountAndNotMessages) {
  for (int i = 0; i < 20; ++i) push(1, 10);
  for (int i = 0; i < 2; ++i) push(2, 100);
  std::map<int, int> first_half;
  for (int i = 0; i < 11; ++i) ++first_half[step(1'000)];
  EXPECT_EQ(first_half[1], 10);
  EXPECT_EQ(first_half[2], 1);
}

TEST_F(SendQueueTest, WeightsShareTheBandwidth) {
  queue.set_weight(StreamId(1), 512);
  queue.set_weight(StreamId(2), 128);
  for (int i = 0; i < 100; ++i) {
    push(1, 100);
    push(2, 100);
  }
  std::map<int, int> turns;
  for (int i = 0; i < 100; ++i) ++turns[step(1'000)];
  EXPECT_NEAR(turns[1], 80, 1);
}

TEST_F(SendQueueTest, AStreamThatWasIdleGetsNoCredit) {
  for (int i = 0; i < 100; ++i) push(1, 100);
  steps(50, 1'000);
  for (int i = 0; i < 50; ++i) push(2, 100);
  EXPECT_EQ(steps(8, 1'000).find("222"), std::string::npos);
}

TEST_F(SendQueueTest, ASmallMessageWaitsForNoLargeOneThatIsInterleaved) {
  push(1, 100'000);
  step(1'000, DataKind::i_data);
  push(2, 10);
  EXPECT_LE(steps(2, 1'000, DataKind::i_data).find('2'), 1U);
}

TEST_F(SendQueueTest, DropsWhatExpiredBeforeItWasSent) {
  push(1, 100, now + 10ms);
  push(1, 100);
  now += 10ms;
  EXPECT_EQ(step(1'000), 1);
  EXPECT_EQ(step(1'000), -1);
  EXPECT_EQ(queue.expired(), 1U);
  EXPECT_EQ(messages.used(), 0U);
}

TEST_F(SendQueueTest, CountsWhatIsBufferedAndTellsWhenItIsLow) {
  queue.set_low_threshold(StreamId(1), 150);
  for (int i = 0; i < 3; ++i) push(1, 100);
  EXPECT_EQ(queue.buffered(StreamId(1)), 300U);
  step(1'000);
  EXPECT_FALSE(queue.poll_low());
  step(1'000);
  EXPECT_EQ(queue.poll_low(), StreamId(1));
  EXPECT_FALSE(queue.poll_low());
  step(1'000);
  EXPECT_FALSE(queue.poll_low());
  EXPECT_EQ(queue.buffered(), 0U);
}

TEST_F(SendQueueTest, DiscardsWhatWasNotBegunAndKeepsOnePpid) {
  push(1, 300);
  push(1, 100);
  messages[push(1, 100)].ppid = Ppid(50);
  push(1, 100);
  push(2, 100);
  queue.set_low_threshold(StreamId(1), 300);
  EXPECT_EQ(step(100), 1);
  const MessageIndex begun = queue.discard(StreamId(1), Ppid(50));
  ASSERT_NE(begun, kNoMessage);
  EXPECT_EQ(messages[begun].sent, 100U);
  EXPECT_EQ(queue.buffered(StreamId(1)), 300U);
  EXPECT_EQ(queue.poll_low(), StreamId(1));
  push(1, 10);
  EXPECT_EQ(steps(6, 100), "11211-1");
  EXPECT_EQ(messages.used(), 0U);
}

TEST_F(SendQueueTest, IsEmptyAtOnceWhenAllIsDiscarded) {
  for (std::uint16_t stream = 1; stream <= 3; ++stream) push(stream, 100);
  step(50);
  push(3, 100);
  EXPECT_EQ(queue.discard(StreamId(2), Ppid(50)), kNoMessage);
  EXPECT_EQ(queue.discard(StreamId(3), Ppid(50)), kNoMessage);
  EXPECT_EQ(queue.discard(StreamId(9), Ppid(50)), kNoMessage);
  EXPECT_TRUE(queue.is_idle(StreamId(2)));
  EXPECT_EQ(steps(2, 100), "1-1");
  EXPECT_TRUE(queue.empty());
  push(2, 100);
  EXPECT_EQ(queue.discard(StreamId(2), Ppid(50)), kNoMessage);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.buffered(), 0U);
}

TEST_F(SendQueueTest, SsnsWrapAndUnorderedMessagesTakeNone) {
  OutgoingMessage message;
  for (std::uint32_t i = 0; i < 65'536; ++i) queue.assign_number(message, DataKind::data);
  EXPECT_EQ(message.number, 65'535U);
  message.unordered = true;
  queue.assign_number(message, DataKind::data);
  message.unordered = false;
  queue.assign_number(message, DataKind::data);
  EXPECT_EQ(message.number, 0U);
}

TEST_F(SendQueueTest, MidsCountOrderedAndUnorderedApart) {
  OutgoingMessage message;
  for (const bool unordered : {false, true, true, false}) {
    message.unordered = unordered;
    queue.assign_number(message, DataKind::i_data);
  }
  EXPECT_EQ(message.number, 1U);
  queue.reset_numbers(StreamId(0));
  queue.assign_number(message, DataKind::i_data);
  EXPECT_EQ(message.number, 0U);
}

}  // namespace
}  // namespace wdc::sctp
