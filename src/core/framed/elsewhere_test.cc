// SPDX-License-Identifier: MIT
// What JavaScript does past the core: frames with one message that it sends and takes itself, and frames that it fills.
#include <cstring>
#include <string>
#include <string_view>

#include "src/core/channel.h"
#include "src/core/framed/framing.h"
#include "tests/support/framed_channels.h"

namespace wdc {
namespace {

using FramedElsewhere = test::FramedChannelTest;

TEST_F(FramedElsewhere, CountWhatWentAndCameElsewhere) {
  auto pair = framed_pair();
  auto& near = *core::Channel::behind(pair.near)->framing();
  auto& far = *core::Channel::behind(pair.far)->framing();
  constexpr std::uint64_t kCost = 128 + 3 + 3;
  EXPECT_EQ(far.room_elsewhere(), 0U);  // nobody waits
  auto messages = pair.far.message_stream();
  auto reading = start(messages.next());
  settle();
  ASSERT_GE(far.room_elsewhere(), 1'000'000U);
  ASSERT_GE(near.send_room_elsewhere(), 10 * kCost);
  near.send_elsewhere(10, 30, 10 * kCost);
  EXPECT_EQ(pair.near.delivery().in_doubt, 30U);
  far.take_elsewhere(10, 30, 10 * kCost);
  ASSERT_TRUE(pair.near.try_send_text("abc"));
  EXPECT_EQ(near.send_room_elsewhere(), 0U);  // a message of this turn may still wait
  settle();
  ASSERT_TRUE(reading.done());
  EXPECT_EQ(reading.take()->as_text(), "abc");
  ASSERT_TRUE(pair.near.try_send_text("def"));
  settle();
  EXPECT_EQ(far.room_elsewhere(), 0U);  // one is here
  reading = start(messages.next());
  settle();
  EXPECT_EQ(reading.take()->as_text(), "def");
  reading = start(messages.next());
  settle();
  // The one that makes it a quarter of the window has to come here, and the credit is told at once.
  const auto frames = pair.far.stats().frames_sent;
  while (const auto count = far.room_elsewhere() / kCost) {
    near.send_elsewhere(count, 3 * count, count * kCost);
    far.take_elsewhere(count, 3 * count, count * kCost);
  }
  settle();
  EXPECT_EQ(pair.far.stats().frames_sent, frames);
  ASSERT_TRUE(pair.near.try_send_text("ghi"));
  settle();
  EXPECT_EQ(reading.take()->as_text(), "ghi");
  reading = start(messages.next());
  settle();
  EXPECT_EQ(pair.far.stats().frames_sent, frames + 1);
  EXPECT_EQ(pair.near.stats().messages_sent, pair.far.stats().messages_received);
  auto closing = start(pair.near.close());
  settle();
  EXPECT_EQ(near.send_room_elsewhere() + far.room_elsewhere(), 0U);
  EXPECT_FALSE(reading.take());
  EXPECT_TRUE(closing.take());
  EXPECT_EQ(pair.near.delivery().acknowledged, pair.near.stats().bytes_sent);
  EXPECT_EQ(pair.near.delivery().in_doubt + pair.near.delivery().unsent, 0U);
}

TEST_F(FramedElsewhere, LendTheFrameInWhichTheyCollect) {
  auto pair = framed_pair();
  auto& near = *core::Channel::behind(pair.near)->framing();
  EXPECT_EQ(near.lend().messages, 0U);
  ASSERT_TRUE(pair.near.try_send_text("first"));  // went at once
  EXPECT_EQ(near.lend().messages, 0U);
  ASSERT_TRUE(pair.near.try_send_text("second"));
  auto room = near.lend();
  ASSERT_GE(room.messages, 1'000U);
  ASSERT_GE(room.largest, 60'000U);
  std::memcpy(room.place, "thirdfifth", 10);
  const std::uint32_t sizes[]{5, 0, 5};
  near.append_lent(sizes);
  EXPECT_EQ(near.lend().place, room.place + 10);
  EXPECT_EQ(pair.near.stats().messages_sent, 5U);
  EXPECT_EQ(pair.near.delivery().unsent, 16U);
  ASSERT_TRUE(pair.near.try_send_text("sixth"));
  settle();
  for (const std::string_view text : {"first", "second", "third", "", "fifth", "sixth"}) {
    auto message = pair.far.try_receive();
    ASSERT_TRUE(message);
    const auto bytes = message->bytes();
    EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), text);
  }
  settle();
  EXPECT_EQ(pair.near.stats().messages_sent, pair.far.stats().messages_received);
  EXPECT_EQ(near.lend().messages, 0U);  // that turn is over
}

TEST_F(FramedElsewhere, LendNothingThatASendWouldNotHave) {
  const auto lent_after = [](Pair& pair) {
    EXPECT_TRUE(pair.near.try_send_text("1"));
    EXPECT_TRUE(pair.near.try_send_text("2"));
    return core::Channel::behind(pair.near)->framing()->lend();
  };
  auto narrow = framed_pair({}, {.framed = {.window = 1'000}});
  EXPECT_EQ(lent_after(narrow).largest, 500U - 128 - 5);  // half of a window holds it, alone in its frame
  auto narrowest = framed_pair({}, {.framed = {.window = 260}});
  EXPECT_EQ(lent_after(narrowest).messages, 0U);
  auto small = framed_pair({}, {.framed = {.max_message_size = 100}});
  EXPECT_EQ(lent_after(small).largest, 100U);
  auto credit = framed_pair({.framed = {.frame_size = 4'000}}, {.framed = {.window = 10'000}});
  EXPECT_LE(lent_after(credit).bytes, 4'000U);
  EXPECT_GT(lent_after(credit).bytes, 3'000U);
  settle();
  ASSERT_TRUE(credit.near.try_send_text(std::string(3'900, 'x')));
  while (credit.near.try_send_text(std::string(1'000, 'x'))) {
  }
  // As many bytes as there is credit for, in messages that a send would have refused.
  EXPECT_LT(core::Channel::behind(credit.near)->framing()->lend().bytes, 1'000U);

  auto closes = framed_pair();
  EXPECT_GT(lent_after(closes).messages, 0U);
  closes.near.abort();
  EXPECT_EQ(core::Channel::behind(closes.near)->framing()->lend().messages, 0U);
}

}  // namespace
}  // namespace wdc
