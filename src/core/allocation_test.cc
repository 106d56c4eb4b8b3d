// SPDX-License-Identifier: MIT
// No memory is allocated per message once everything has grown to its size.
#include <array>
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace {
std::atomic<std::uint64_t> allocations{0};
}

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  std::abort();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace wdc {
namespace {

using Allocations = test::LoopTest;

Task<int> receive(DataChannel& channel, int count) {
  auto stream = channel.message_stream();
  int received = 0;
  while (received < count) {
    auto message = co_await stream.next();
    if (!message) break;
    received += message->bytes().size() == 64 ? 1 : 0;
  }
  co_return received;
}

Task<int> send(DataChannel& channel, int count) {
  const std::array<std::byte, 64> data{};
  int sent = 0;
  for (int i = 0; i < count; ++i) {
    auto result = co_await channel.send_bytes(data);
    sent += result ? 1 : 0;
  }
  co_return sent;
}

TEST_F(Allocations, CountsThoseOfThisProgram) {
  const auto before = allocations.load();
  ::operator delete(::operator new(8));  // called directly: not to be optimised away
  EXPECT_GT(allocations.load(), before);
}

TEST_F(Allocations, NoneFor100000MessagesEachWay) {
  constexpr int kWarmUp = 20'000;
  constexpr int kMessages = 100'000;
  auto pair = make_pair({.send_high_water_mark = 65'536, .send_low_water_mark = 16'384},
                        {.send_high_water_mark = 65'536, .send_low_water_mark = 16'384});
  const auto exchange = [&](int count) {
    auto near_in = spawn(*loop, receive(pair.near, count));
    auto far_in = spawn(*loop, receive(pair.far, count));
    auto near_out = spawn(*loop, send(pair.near, count));
    auto far_out = spawn(*loop, send(pair.far, count));
    loop->poll();
    const auto before = allocations.load();
    while (!near_in.done() || !far_in.done()) loop->poll();
    const auto made = allocations.load() - before;
    EXPECT_EQ(near_in.take(), count);
    EXPECT_EQ(far_in.take(), count);
    EXPECT_EQ(near_out.take(), count);
    EXPECT_EQ(far_out.take(), count);
    return made;
  };
  exchange(kWarmUp);
  const auto waits = pair.near.stats().send_waits;
  EXPECT_EQ(exchange(kMessages), 0U);
  EXPECT_GT(pair.near.stats().send_waits, waits);  // backpressure was part of it
}

/// Small messages on a framed channel: batches, credit and control.
TEST_F(Allocations, NoneFor100000FramedMessagesEachWay) {
  constexpr int kWarmUp = 200'000;
  constexpr int kMessages = 100'000;
  const FlowOptions flow{.send_high_water_mark = 262'144, .send_low_water_mark = 65'536};
  core::ChannelInfo info;
  info.protocol = "wdc.framed.v1";
  auto pair = make_pair(flow, flow, ReadyState::open, info);
  settle();
  const auto exchange = [&](int count) {
    auto near_in = spawn(*loop, receive(pair.near, count));
    auto far_in = spawn(*loop, receive(pair.far, count));
    auto near_out = spawn(*loop, send(pair.near, count));
    auto far_out = spawn(*loop, send(pair.far, count));
    loop->poll();
    const auto before = allocations.load();
    while (!near_in.done() || !far_in.done()) loop->poll();
    const auto made = allocations.load() - before;
    EXPECT_EQ(near_in.take(), count);
    EXPECT_EQ(far_in.take(), count);
    EXPECT_EQ(near_out.take(), count);
    EXPECT_EQ(far_out.take(), count);
    return made;
  };
  exchange(kWarmUp);
  const auto waits = pair.near.stats().send_waits;
  const auto frames = pair.near.stats().frames_sent;
  EXPECT_EQ(exchange(kMessages), 0U);
  EXPECT_GT(pair.near.stats().send_waits, waits);  // backpressure was part of it
  EXPECT_LT(pair.near.stats().frames_sent - frames, 1'000U);
}

TEST_F(Allocations, NoneForTimers) {
  auto body = []() -> Task<> {
    for (int i = 0; i < 10'000; ++i) co_await sleep_for(std::chrono::microseconds(i % 7));
  };
  auto sleeping = spawn(*loop, body());
  loop->poll();
  const auto before = allocations.load();
  loop->run();
  EXPECT_TRUE(sleeping.done());
  EXPECT_EQ(allocations.load() - before, 0U);
}

}  // namespace
}  // namespace wdc
