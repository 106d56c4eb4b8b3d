// SPDX-License-Identifier: MIT
// Full buffers in both directions: waiting, order, limits, policies, and the same by polling.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "far_end.h"
#include "pattern.h"
#include "suite.h"

namespace conformance {
namespace {

using wdc::Errc;

constexpr std::uint32_t kSeed = 5;

SLOW_CASE("64 MiB through a small window to a slow reader", 60s) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  constexpr std::size_t kSize = 65'536;
  constexpr std::uint32_t kCount = 1'024;
  constexpr std::size_t kHigh = 256 << 10;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = kHigh;
  options.flow.send_low_water_mark = 64 << 10;
  auto channel = co_await create_channel(
      t, far, 1, Command().with("verify", kSeed).with("sizes", kSize).with("type", "binary").with("slow", 1), options);
  REQUIRE(channel);
  std::vector<std::byte> bytes(kSize);
  std::uint64_t most_buffered = 0;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    t.step("message " + std::to_string(i));
    fill_pattern(bytes, kSeed, i);
    auto sent = co_await channel.send_bytes(bytes);
    REQUIRE_OK(sent);
    most_buffered = std::max(most_buffered, channel.buffered_amount());
  }
  const auto stalls = channel.stats().stalls;
  const std::uint64_t collected = t.settings.framed ? kSize + 100 : 0;  // the frame that is being made, with its head
  t.check(most_buffered <= kHigh + (1 + stalls) * kSize + collected,
          "most that was buffered: " + show(most_buffered) + ", stalls: " + show(stalls));
  CHECK(channel.stats().send_waits > 0);
  t.step("arrival");
  auto report = co_await report_of(far, 1, kCount);
  CHECK_EQ(report.number("bytes"), std::uint64_t{kSize} * kCount);
  CHECK_EQ(report.text("mismatch"), "");
}

wdc::Task<void> send_in_turn(wdc::DataChannel& channel, std::uint32_t index, std::vector<std::uint32_t>& finished) {
  auto message = wdc::Message::with_size(20'000);
  fill_pattern(message.writable_bytes(), kSeed, index);
  auto sent = co_await channel.send(std::move(message));
  if (sent) finished.push_back(index);
}

CASE("500 sends at once keep their order") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  constexpr std::uint32_t kCount = 500;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 200'000;
  options.flow.send_low_water_mark = 100'000;
  auto channel = co_await create_channel(
      t, far, 1, Command().with("verify", kSeed).with("sizes", 20'000).with("type", "binary"), options);
  REQUIRE(channel);
  std::vector<std::uint32_t> finished;
  std::vector<wdc::Spawned<void>> sends;
  for (std::uint32_t i = 0; i < kCount; ++i) sends.push_back(wdc::spawn(t.loop, send_in_turn(channel, i, finished)));
  auto report = co_await report_of(far, 1, kCount);
  CHECK_EQ(report.number("count"), kCount);
  CHECK_EQ(report.text("mismatch"), "");
  CHECK_EQ(finished.size(), kCount);
  CHECK(std::is_sorted(finished.begin(), finished.end()));
}

wdc::Task<void> send_and_keep(wdc::DataChannel& channel, std::size_t size, std::optional<wdc::Result<void>>& result) {
  result = co_await channel.send(wdc::Message::with_size(size));
}

CASE("one send too many is send_queue_full, and those that wait go on") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 64 << 10;
  options.flow.send_low_water_mark = 16 << 10;
  options.flow.send_queue_operations = 4;
  auto channel = co_await create_channel(t, far, 1, Command(), options);
  REQUIRE(channel);
  // All within one turn of the loop: the first fills the buffer, four wait, the sixth is one too many.
  std::vector<std::optional<wdc::Result<void>>> results(6);
  std::vector<wdc::Spawned<void>> sends;
  for (std::size_t i = 0; i < results.size(); ++i)
    sends.push_back(wdc::spawn(t.loop, send_and_keep(channel, i == 0 ? 200'000 : 1'000, results[i])));
  const bool ended =
      co_await until(t.loop, [&] { return std::all_of(results.begin(), results.end(), [](auto& r) { return r; }); });
  REQUIRE(ended);
  for (std::size_t i = 0; i < 5; ++i) CHECK_OK(*results[i]);
  CHECK_ERROR(*results[5], Errc::send_queue_full);
  auto report = co_await report_of(far, 1, 5);
  CHECK_EQ(report.number("bytes"), 204'000);
}

CASE("try_send says would_block when full, and sends by polling alone get through") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  constexpr std::uint32_t kCount = 300;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 64 << 10;
  options.flow.send_low_water_mark = 16 << 10;
  auto channel = co_await create_channel(
      t, far, 1, Command().with("verify", kSeed).with("sizes", 10'000).with("type", "binary").with("echo", 1), options);
  REQUIRE(channel);
  std::vector<std::byte> bytes(10'000);
  std::uint32_t sent = 0;
  std::uint32_t received = 0;
  int full = 0;
  // A game's frame: send what fits, take what is there, and let the loop turn.
  const auto frame = [&] {
    while (sent < kCount) {
      fill_pattern(bytes, kSeed, sent);
      auto result = channel.try_send_bytes(bytes);
      if (!result) {
        CHECK_ERROR(result, Errc::would_block);
        ++full;
        break;
      }
      ++sent;
    }
    for (;;) {
      auto message = channel.try_receive();
      if (!message) {
        CHECK_ERROR(message, Errc::would_block);
        break;
      }
      CHECK(has_pattern(message->bytes(), kSeed, received));
      ++received;
    }
    return received == kCount || t.failed();
  };
  const bool done = co_await until(t.loop, frame, 15s);
  CHECK(done);
  CHECK(full > 0);
  CHECK_EQ(t.loop.poll(), 0);  // from inside the loop
  auto report = co_await report_of(far, 1, kCount);
  CHECK_EQ(report.text("mismatch"), "");
}

using Outcome = std::optional<wdc::Result<void>>;

/// In the very turn in which the others have begun: a fast home may have sent everything in the next one.
wdc::Task<void> try_to_overtake(Test& t, wdc::DataChannel& channel, const Outcome& first, const Outcome& second,
                                bool& refused) {
  if (!first || second) co_return;
  refused = true;
  CHECK_ERROR(channel.try_send_text("me first"), Errc::would_block);
}

CASE("try_send does not overtake sends that wait") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 64 << 10;
  options.flow.send_low_water_mark = 16 << 10;
  auto channel = co_await create_channel(t, far, 1, Command().with("keep", 1), options);
  REQUIRE(channel);
  Outcome first;
  Outcome second;
  bool refused = false;
  auto big = wdc::spawn(t.loop, send_and_keep(channel, 200'000, first));
  auto small = wdc::spawn(t.loop, send_and_keep(channel, 1'000, second));
  auto overtaking = wdc::spawn(t.loop, try_to_overtake(t, channel, first, second, refused));
  const bool done = co_await until(t.loop, [&] { return second.has_value(); });
  CHECK(done);
  CHECK(refused);
  auto report = co_await report_of(far, 1, 2);
  CHECK_EQ(report.number("bytes"), 201'000);
}

/// The far end sends 50 messages of 1000 bytes, and all have arrived when this returns.
wdc::Task<bool> overflow(Test& t, Session& far, wdc::DataChannel& channel) {
  auto sending =
      co_await far.ask(Command("send").with("c", 1).with("count", 50).with("sizes", 1'000).with("seed", kSeed));
  if (!sending.ok()) co_return false;
  const bool arrived = co_await until(t.loop, [&] {
    const auto stats = channel.stats();
    return stats.receive_queue_messages + stats.messages_dropped >= 50 ||
           channel.ready_state() == wdc::ReadyState::closed;
  });
  co_return t.check(arrived, "50 messages arrive or the channel closes");
}

wdc::DataChannelOptions small_queue(wdc::ReceiveOverflow policy) {
  wdc::DataChannelOptions options;
  options.flow.receive_queue_messages = 10;
  options.flow.receive_overflow = policy;
  return options;
}

/// What is left in the queue: messages `first` to `first + 9`.
void expect_ten(Test& t, wdc::DataChannel& channel, std::uint32_t first) {
  for (std::uint32_t i = first; i < first + 10; ++i) {
    auto message = channel.try_receive();
    if (!CHECK_OK(message)) return;
    CHECK(has_pattern(message->bytes(), kSeed, i));
  }
}

CASE("receive overflow closes the channel with an error after what was queued") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, Command(), small_queue(wdc::ReceiveOverflow::close_with_error));
  REQUIRE(channel);
  const bool full = co_await overflow(t, far, channel);
  REQUIRE(full);
  auto stream = channel.message_stream();
  for (std::uint32_t i = 0; i < 10; ++i) {
    auto message = co_await stream.next();
    REQUIRE(message);
    CHECK(has_pattern(message->bytes(), kSeed, i));
  }
  auto end = co_await stream.next();
  CHECK(!end);
  CHECK_ERROR(stream.end_reason(), Errc::receive_overflow);
  CHECK_ERROR(channel.close_reason(), Errc::receive_overflow);
  auto report = co_await report_at_close(far, 1);
  CHECK_EQ(report.text("state"), "closed");
}

CASE("receive overflow by bytes closes the channel too") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  wdc::DataChannelOptions options;
  options.flow.receive_queue_bytes = 10'000;
  auto channel = co_await create_channel(t, far, 1, Command(), options);
  REQUIRE(channel);
  const bool full = co_await overflow(t, far, channel);
  REQUIRE(full);
  expect_ten(t, channel, 0);
  CHECK_ERROR(channel.try_receive(), Errc::receive_overflow);
}

CASE("drop_oldest keeps the newest") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, Command(), small_queue(wdc::ReceiveOverflow::drop_oldest));
  REQUIRE(channel);
  const bool full = co_await overflow(t, far, channel);
  REQUIRE(full);
  CHECK_EQ(channel.stats().messages_dropped, 40);
  CHECK_EQ(channel.stats().bytes_dropped, 40'000);
  CHECK_EQ(channel.stats().receive_queue_messages, 10);
  expect_ten(t, channel, 40);
  CHECK_ERROR(channel.try_receive(), Errc::would_block);
  CHECK(channel.ready_state() == wdc::ReadyState::open);
}

CASE("drop_newest keeps the oldest") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, Command(), small_queue(wdc::ReceiveOverflow::drop_newest));
  REQUIRE(channel);
  const bool full = co_await overflow(t, far, channel);
  REQUIRE(full);
  CHECK_EQ(channel.stats().messages_dropped, 40);
  expect_ten(t, channel, 0);
  CHECK_ERROR(channel.try_receive(), Errc::would_block);
  CHECK(channel.ready_state() == wdc::ReadyState::open);
}

CASE("discard_received drops and counts everything, and sending goes on") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  wdc::DataChannelOptions options;
  options.flow.discard_received = true;
  auto channel = co_await create_channel(t, far, 1, Command(), options);
  REQUIRE(channel);
  const bool full = co_await overflow(t, far, channel);
  REQUIRE(full);
  CHECK_EQ(channel.stats().messages_dropped, 50);
  CHECK_EQ(channel.stats().bytes_dropped, 50'000);
  auto sent = co_await channel.send_text("still sending");
  REQUIRE_OK(sent);
  auto report = co_await report_of(far, 1, 1);
  CHECK_EQ(report.number("count"), 1);
}

CASE("a second consumer is refused until the first is gone") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  {
    auto first = channel.message_stream();
    auto second = channel.message_stream();
    auto nothing = co_await second.next();
    CHECK(!nothing);
    CHECK_ERROR(second.end_reason(), Errc::consumer_busy);
    CHECK_ERROR(channel.try_receive(), Errc::consumer_busy);
    CHECK_OK(first.end_reason());
    auto said = co_await far.ask(Command("say").with("c", 1).with("text", "for the first"));
    REQUIRE(said.ok());
    auto message = co_await first.next();
    REQUIRE(message);
    CHECK_EQ(message->as_text(), "for the first");
  }
  auto said = co_await far.ask(Command("say").with("c", 1).with("text", "for the next"));
  REQUIRE(said.ok());
  auto third = channel.message_stream();
  auto message = co_await third.next();
  REQUIRE(message);
  CHECK_EQ(message->as_text(), "for the next");
}

CASE("a second next() at the same time ends at once") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  auto stream = channel.message_stream();
  auto take = [](wdc::MessageStream& from, std::string& into) -> wdc::Task<void> {
    auto message = co_await from.next();
    into = message ? std::string(message->as_text()) : "nothing";
  };
  std::string first;
  auto waiting = wdc::spawn(t.loop, take(stream, first));
  co_await wdc::sleep_for(0ms);
  auto second = co_await stream.next();
  CHECK(!second);
  auto said = co_await far.ask(Command("say").with("c", 1).with("text", "one"));
  REQUIRE(said.ok());
  const bool done = co_await until(t.loop, [&] { return waiting.done(); });
  CHECK(done);
  CHECK_EQ(first, "one");
}

CASE("with_timeout around a send that waits takes it back") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 64 << 10;
  options.flow.send_low_water_mark = 0;
  auto channel = co_await create_channel(t, far, 1, Command().with("keep", 1), options);
  REQUIRE(channel);
  std::optional<wdc::Result<void>> filled;
  auto big = wdc::spawn(t.loop, send_and_keep(channel, 250'000, filled));
  const bool accepted = co_await until(t.loop, [&] { return filled.has_value(); });
  REQUIRE(accepted);
  // Zero milliseconds: the send has at most until the loop's next turn.
  auto text = co_await wdc::with_timeout(channel.send_text("perhaps"), 0ms);
  if (!text) CHECK_ERROR(text, Errc::timed_out);
  auto last = co_await channel.send_text("surely");
  REQUIRE_OK(last);
  auto report = co_await report_of(far, 1, text ? 3 : 2);
  CHECK_EQ(report.number("count"), text ? 3 : 2);
  CHECK_EQ(channel.stats().messages_sent, text ? 3 : 2);
}

}  // namespace
}  // namespace conformance
