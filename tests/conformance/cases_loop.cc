// SPDX-License-Identifier: MIT
// The loop of the home: timers, posted functions, tasks, and what they cost.
#include <array>
#include <vector>

#include "allocation_counter.h"
#include "far_end.h"
#include "pattern.h"
#include "suite.h"

namespace conformance {
namespace {

using wdc::Errc;

CASE("sleep_for is never early and not very late") {
  for (const auto delay : {0ms, 1ms, 10ms, 100ms}) {
    const auto start = t.loop.now();
    co_await wdc::sleep_for(delay);
    CHECK(t.loop.now() - start >= delay);
    CHECK(elapsed(t.loop, start) < delay + 200ms);
  }
}

wdc::Task<void> sleep_and_note(int value, std::vector<int>& order) {
  co_await wdc::sleep_for(std::chrono::milliseconds(value));
  order.push_back(value);
}

CASE("many sleeps end in the order of their time, cancelled ones never") {
  std::vector<int> order;
  std::vector<wdc::Spawned<void>> sleeps;
  for (int value : {50, 10, 40, 20, 30, 15, 35}) sleeps.push_back(wdc::spawn(t.loop, sleep_and_note(value, order)));
  co_await wdc::sleep_for(0ms);
  sleeps[5].cancel();
  sleeps[6].cancel();
  co_await wdc::sleep_for(100ms);
  CHECK(order == (std::vector<int>{10, 20, 30, 40, 50}));
}

CASE("posted functions run later, in order") {
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) CHECK_OK(t.loop.post([&order, i] { order.push_back(i); }));
  CHECK(order.empty());
  const bool ran = co_await until(t.loop, [&] { return order.size() == 100; });
  CHECK(ran);
  for (int i = 0; i < 100 && i < static_cast<int>(order.size()); ++i) CHECK_EQ(order[static_cast<std::size_t>(i)], i);
}

wdc::Task<int> number(int value) { co_return value; }

CASE("a million awaits in a row run in a bounded stack") {
  std::uint64_t sum = 0;
  for (int i = 0; i < 1'000'000; ++i) sum += static_cast<std::uint64_t>(co_await number(1));
  CHECK_EQ(sum, 1'000'000);
}

CASE("with_timeout and when_any give the first and cancel the others") {
  auto late = co_await wdc::with_timeout(wdc::sleep_for(10s), 10ms);
  CHECK_ERROR(late, Errc::timed_out);
  auto early = co_await wdc::with_timeout(number(7), 10s);
  REQUIRE_OK(early);
  CHECK_EQ(*early, 7);
  auto first = co_await wdc::when_any(wdc::sleep_for(10s), number(3), wdc::sleep_for(20s));
  CHECK_EQ(first.index(), 1);
}

constexpr std::uint32_t kSeed = 2'026;
constexpr std::uint32_t kMessages = 100'000;
constexpr std::size_t kSize = 64;

/// On their way at most.
constexpr std::uint32_t kBehind = 1'000;

/// All that can be on its way has come back, and nobody has read it: what queues and pools take at most.
wdc::Task<bool> burst(Test& t, const wdc::DataChannel& channel) {
  const bool arrived = co_await until(t.loop, [&] { return channel.stats().receive_queue_messages == kBehind; });
  co_return t.check(arrived, "all echoes arrive");
}

enum class First : std::uint8_t { burst, reading };

/// Sends `count` messages to the far end, which echoes them, and reads the echoes.
wdc::Task<bool> round_trips(Test& t, wdc::DataChannel& channel, wdc::MessageStream& stream, std::uint32_t count,
                            First first) {
  std::array<std::byte, kSize> bytes;
  std::uint32_t sent_count = 0;
  for (std::uint32_t received = 0; received < count; ++received) {
    while (sent_count < count && sent_count < received + kBehind) {
      fill_pattern(bytes, kSeed, sent_count++);
      auto sent = co_await channel.send_bytes(bytes);
      if (!sent) co_return t.check_ok(sent, "send");
    }
    if (received == 0 && first == First::burst) {
      const bool arrived = co_await burst(t, channel);
      if (!arrived) co_return false;
    }
    auto message = co_await stream.next();
    if (!message) co_return t.check(false, "the stream goes on");
    if (!has_pattern(message->bytes(), kSeed, received)) co_return t.check(false, "the echo is what was sent");
  }
  co_return true;
}

SLOW_CASE("100000 messages each way allocate nothing and take no more memory", 60s) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto channel = co_await create_channel(t, *session, 1, Command().with("echo", 1));
  REQUIRE(channel);
  auto stream = channel.message_stream();
  t.step("warming up");
  const bool warm = co_await round_trips(t, channel, stream, 5'000, First::burst);
  REQUIRE(warm);
  t.step("100000 messages");
  // The two coroutines' frames are made before the counting starts.
  auto measured = round_trips(t, channel, stream, kMessages, First::reading);
  const auto allocations_before = allocations();
  const auto memory_before = memory_bytes();
  const bool done = co_await std::move(measured);
  const auto allocations_made = allocations() - allocations_before;
  const auto memory_taken = memory_bytes() - memory_before;
  CHECK(done);
  CHECK_EQ(allocations_made, 0);
  CHECK_EQ(memory_taken, 0);
  CHECK(channel.stats().messages_received >= kMessages);
}

}  // namespace
}  // namespace conformance
