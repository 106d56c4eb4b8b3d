// SPDX-License-Identifier: MIT
// A reader that stalls, and then is slow: what its side and the sender's keep in memory stays within the windows,
// however much is sent. Counts the bytes that operator new and malloc have given out and not got back.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/support/loop_fixture.h"

namespace wdc::test {
namespace {

/// Live bytes of the heap. Sanitizers replace the heap: there it is 0, and only what arrives is looked at.
std::uint64_t live_bytes() { return mallinfo2().uordblks + mallinfo2().hblkhd; }

class FramedReadersThatStall : public LoopTest {
 protected:
  static constexpr std::uint64_t kTotal = std::uint64_t{128} << 20;

  Task<std::uint64_t> send_all(DataChannel& channel, std::size_t size, std::uint64_t total) {
    const std::vector<std::byte> data(size);
    std::uint64_t sent = 0;
    for (; sent < total; sent += size)
      if (!co_await channel.send_bytes(data)) break;
    co_return sent;
  }

  /// Sends `total` bytes in messages of this size to a reader that takes nothing for a while, and then a little each
  /// turn. The most that lives above what lived while everything was warm and empty.
  std::uint64_t most_bytes(std::size_t size, const FlowOptions& flow, std::uint64_t total = kTotal) {
    core::ChannelInfo info;
    info.protocol = "wdc.framed.v1";
    auto pair = make_pair(flow, flow, ReadyState::open, info);
    settle();
    const std::uint64_t before = live_bytes();
    std::uint64_t most = 0;
    std::uint64_t received = 0;
    auto sending = start(send_all(pair.near, size, total));
    const auto turn = [&] {
      loop->poll();
      most = std::max(most, live_bytes() - std::min(before, live_bytes()));
    };
    for (int turns = 0; turns < 2'000; ++turns) turn();
    EXPECT_FALSE(sending.done());
    const auto stalled = pair.near.delivery();
    EXPECT_EQ(stalled.acknowledged, 0U);
    EXPECT_LE(stalled.in_doubt, flow.framed.window + flow.framed.whole_total +
                                    flow.framed.messages_in_progress * flow.framed.message_window +
                                    flow.send_high_water_mark);
    while (received < total) {
      for (std::uint64_t some = 0; some < 200'000; some += size) {
        auto message = pair.far.try_receive();
        if (!message) break;
        received += message->size();
      }
      turn();
    }
    settle();
    EXPECT_EQ(received, total);
    EXPECT_TRUE(sending.done());
    EXPECT_EQ(sending.take(), total);
    return most;
  }
};

TEST_F(FramedReadersThatStall, KeepAWindowOfSmallMessages) {
  const FlowOptions flow;
  // The window at the reader; at the sender and on the way a high mark's worth.
  EXPECT_LE(most_bytes(1'024, flow), flow.framed.window + 2 * flow.send_high_water_mark);
}

TEST_F(FramedReadersThatStall, KeepAWindowOfTheSmallestFrames) {
  FlowOptions flow;
  flow.framed.window = 1 << 20;
  flow.framed.frame_size = 256;
  EXPECT_LE(most_bytes(64, flow, kTotal / 16), 2 * flow.framed.window + 2 * flow.send_high_water_mark);
}

TEST_F(FramedReadersThatStall, KeepAWindowOfEachLargeMessage) {
  const FlowOptions flow;
  // The first is put together whole, by doubling.
  const std::uint64_t size = 1 << 20;
  EXPECT_LE(most_bytes(size, flow), 3 * size + flow.framed.whole_total +
                                        flow.framed.messages_in_progress * flow.framed.message_window +
                                        2 * flow.send_high_water_mark);
}

class FramedPeersThatClaim : public LoopTest {
 protected:
  FramedPeersThatClaim() {
    core::ChannelInfo info;
    info.protocol = "wdc.framed.v1";
    pair_ = make_pair({}, {}, ReadyState::open, info);
    settle();
    pair_.wire->automatic = false;  // the other end knows nothing of what comes in its name
  }
  void inject(std::initializer_list<int> frame) {
    std::vector<std::byte> bytes;
    for (const int octet : frame) bytes.push_back(static_cast<std::byte>(octet));
    pair_.wire->inject(1, Message::binary(bytes));
    settle();
  }
  Pair pair_;
};

TEST_F(FramedPeersThatClaim, GetMemoryForWhatCameOnly) {
  auto stream = pair_.far.message_stream();
  const std::uint64_t before = live_bytes();
  for (int id = 0; id < 16; ++id) inject({0x19, id, 0x90, 0, 0, 0, 1, 2, 3});  // sized: 256 MiB
  EXPECT_EQ(pair_.far.ready_state(), ReadyState::open);
  EXPECT_LE(live_bytes(), before + (256 << 10));
  inject({0x19, 16, 0x90, 0, 0, 0, 1, 2, 3});
  EXPECT_EQ(pair_.far.close_reason().error(), Error(Errc::protocol_error, "too_many_messages"));
}

TEST_F(FramedPeersThatClaim, AreRefusedWhatIsLargerThanTheLargestNumber) {
  auto stream = pair_.far.message_stream();
  inject({0x19, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1});  // 2^62 - 1
  EXPECT_EQ(pair_.far.ready_state(), ReadyState::open);
  EXPECT_EQ(pair_.far.stats().messages_dropped, 1U);
  // Limits of the same size are taken, smaller ones after them are not.
  inject({0x01, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0});
  EXPECT_EQ(pair_.far.ready_state(), ReadyState::open);
  EXPECT_TRUE(run(pair_.far.send_text("still sent")));
  inject({0x01, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0, 0});
  EXPECT_EQ(pair_.far.close_reason().error(), Error(Errc::protocol_error, "control_impossible"));
}

TEST_F(FramedPeersThatClaim, SpendNoTimeOfOthersWithEmptyMessages) {
  constexpr std::uint64_t kFrames = 20'000;
  for (std::uint64_t i = 0; i < kFrames; ++i)
    pair_.wire->inject(1, Message::binary(std::array{std::byte{2}, std::byte{4}, std::byte{0}, std::byte{0xE4},
                                                     std::byte{0xFF}, std::byte{0xFF}}));
  EXPECT_EQ(pair_.far.stats().receive_queue_messages, kFrames * 65'536);
  pair_.far.abort();  // throws them away, a billion
  EXPECT_EQ(pair_.far.stats().messages_dropped, kFrames * 65'536);
}

}  // namespace
}  // namespace wdc::test
