// SPDX-License-Identifier: MIT
// How channels end: what was accepted is delivered, and both sides learn why.
#include <vector>

#include "far_end.h"
#include "pattern.h"
#include "suite.h"

namespace conformance {
namespace {

using wdc::Errc;

constexpr std::uint32_t kSeed = 77;
constexpr std::uint32_t kQueued = 2'000;

Command watch_kilobytes() { return Command().with("verify", kSeed).with("sizes", 1'000).with("type", "binary"); }

wdc::Task<bool> send_kilobytes(Test& t, wdc::DataChannel& channel, std::uint32_t count) {
  std::vector<std::byte> bytes(1'000);
  for (std::uint32_t i = 0; i < count; ++i) {
    fill_pattern(bytes, kSeed, i);
    auto sent = co_await channel.send_bytes(bytes);
    if (!t.check_ok(sent, "send")) co_return false;
  }
  co_return true;
}

void expect_all(Test& t, const Reply& report, std::uint32_t count) {
  CHECK_EQ(report.number("count"), count);
  CHECK_EQ(report.text("mismatch"), "");
  CHECK_EQ(report.text("state"), "closed");
}

CASE("close by the driver delivers 2000 of 2000 queued messages") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 4 << 20;
  auto channel = co_await create_channel(t, far, 1, watch_kilobytes(), options);
  REQUIRE(channel);
  const bool sent = co_await send_kilobytes(t, channel, kQueued);
  REQUIRE(sent);
  CHECK(channel.buffered_amount() > 0);
  auto closed = co_await channel.close();
  CHECK_OK(closed);
  CHECK(channel.ready_state() == wdc::ReadyState::closed);
  CHECK_OK(channel.close_reason());
  auto report = co_await report_at_close(far, 1);
  expect_all(t, report, kQueued);
}

CASE("close, then the connection destroyed at once: 2000 of 2000 arrive") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto made = co_await far.ask(Command("peer").with("p", 1));
  REQUIRE(made.ok());
  auto peer = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(peer);
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 4 << 20;
  auto channel = peer->create_data_channel("doomed", options);
  REQUIRE_OK(channel);
  const bool connected = co_await connect_by_hand(t, far, *peer, 1, Offerer::driver);
  REQUIRE(connected);
  auto adopted = co_await far.ask(Command("adopt").with("p", 1).with("c", 1).with(watch_kilobytes()));
  REQUIRE(adopted.ok());
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  const bool sent = co_await send_kilobytes(t, *channel, kQueued);
  REQUIRE(sent);
  auto closed = co_await channel->close();
  CHECK_OK(closed);
  *peer = wdc::PeerConnection();
  auto report = co_await report_at_close(far, 1);
  expect_all(t, report, kQueued);
}

CASE("close by the far end delivers 2000 of 2000 and ends the stream cleanly") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await accept_channel(t, far, 1);
  REQUIRE(channel);
  auto sending = co_await far.ask(Command("send")
                                      .with("c", 1)
                                      .with("count", kQueued)
                                      .with("sizes", 1'000)
                                      .with("seed", kSeed)
                                      .with("burst", 1)
                                      .with("then", "close"));
  REQUIRE(sending.ok());
  auto stream = channel.message_stream();
  std::uint32_t count = 0;
  while (auto message = co_await stream.next()) {
    REQUIRE(has_pattern(message->bytes(), kSeed, count));
    ++count;
  }
  CHECK_EQ(count, kQueued);
  CHECK_OK(stream.end_reason());
  const bool ended = co_await until(t.loop, [&] { return channel.ready_state() == wdc::ReadyState::closed; });
  CHECK(ended);
  CHECK_OK(channel.close_reason());
  auto late = co_await channel.send_text("too late");
  CHECK_ERROR(late, Errc::closed);
  CHECK_ERROR(channel.try_send_text("too late"), Errc::closed);
  CHECK_ERROR(channel.try_receive(), Errc::consumer_busy);
  auto closed = co_await channel.close();
  CHECK_OK(closed);
}

CASE("what was unread when the far end closed can still be read") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await accept_channel(t, far, 1);
  REQUIRE(channel);
  auto sending = co_await far.ask(
      Command("send").with("c", 1).with("count", 50).with("sizes", 1'000).with("seed", kSeed).with("then", "close"));
  REQUIRE(sending.ok());
  const bool ended = co_await until(t.loop, [&] { return channel.ready_state() == wdc::ReadyState::closed; });
  REQUIRE(ended);
  for (std::uint32_t i = 0; i < 50; ++i) {
    auto message = channel.try_receive();
    REQUIRE_OK(message);
    CHECK(has_pattern(message->bytes(), kSeed, i));
  }
  CHECK_ERROR(channel.try_receive(), Errc::closed);
}

wdc::Task<wdc::Result<void>> send_one(wdc::DataChannel& channel, std::size_t size, std::uint32_t index) {
  auto message = wdc::Message::with_size(size);
  fill_pattern(message.writable_bytes(), kSeed, index);
  co_return co_await channel.send(std::move(message));
}

CASE("the far end closes while sends go on: a clean end, 30 of 30 times") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  for (int number = 1; number <= 30; ++number) {
    auto channel = co_await create_channel(t, far, number);
    REQUIRE(channel);
    auto told = wdc::spawn(t.loop, far.ask(Command("close").with("c", number)));
    wdc::Result<void> sent;
    while ((sent = co_await channel.send_text("still here"))) co_await wdc::sleep_for(1ms);
    CHECK_ERROR(sent, Errc::closed);
    const bool ended =
        co_await until(t.loop, [&] { return channel.ready_state() == wdc::ReadyState::closed && told.done(); });
    REQUIRE(ended);
    CHECK_OK(channel.close_reason());
  }
}

CASE("close while sends wait: they go first") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 100'000;
  options.flow.send_low_water_mark = 50'000;
  auto channel = co_await create_channel(
      t, far, 1, Command().with("verify", kSeed).with("sizes", 60'000).with("type", "binary"), options);
  REQUIRE(channel);
  std::vector<wdc::Spawned<wdc::Result<void>>> sends;
  for (std::uint32_t i = 0; i < 40; ++i) sends.push_back(wdc::spawn(t.loop, send_one(channel, 60'000, i)));
  const bool waiting = co_await until(t.loop, [&] { return channel.stats().send_queue_operations > 0; });
  REQUIRE(waiting);
  auto closing = channel.close();
  CHECK_ERROR(channel.try_send_text("after close"), Errc::closed);
  auto late = co_await channel.send_text("after close");
  CHECK_ERROR(late, Errc::closed);
  auto closed = co_await std::move(closing);
  CHECK_OK(closed);
  for (auto& send : sends) {
    REQUIRE(send.done());
    CHECK_OK(send.take());
  }
  auto report = co_await report_at_close(far, 1);
  expect_all(t, report, 40);
}

CASE("close twice, and close from both sides at once") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, watch_kilobytes());
  REQUIRE(channel);
  const bool sent = co_await send_kilobytes(t, channel, 20);
  REQUIRE(sent);
  auto first = channel.close();
  auto second = channel.close();
  auto told = co_await far.ask(Command("close").with("c", 1));
  CHECK(told.ok());
  auto one = co_await std::move(second);
  CHECK_OK(one);
  auto other = co_await std::move(first);
  CHECK_OK(other);
  auto third = co_await channel.close();
  CHECK_OK(third);
}

CASE("close before the channel is open") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto channel = session->peer().create_data_channel("changed my mind");
  REQUIRE_OK(channel);
  auto closed = co_await channel->close();
  CHECK_OK(closed);
  CHECK(channel->ready_state() == wdc::ReadyState::closed);
}

CASE("close gives up at its timeout while the far end is frozen") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  t.step("freeze");
  t.runner.request("freeze");
  const bool frozen = co_await until(t.loop, [&] { return t.runner.request_done(); });
  const auto start = t.loop.now();
  t.step("close of a frozen far end");
  auto closed = co_await channel.close(500ms);
  const auto took = elapsed(t.loop, start);
  t.step("thaw");
  t.runner.request("thaw");
  const bool thawed = co_await until(t.loop, [&] { return t.runner.request_done(); });
  CHECK(frozen && thawed);
  CHECK_ERROR(closed, Errc::timed_out);
  CHECK(took >= 500ms);
  CHECK(took < 2s);
  CHECK(channel.ready_state() == wdc::ReadyState::closed);
}

CASE("a channel destroyed without close delivers what was accepted") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  {
    auto channel = co_await create_channel(t, far, 1, watch_kilobytes());
    REQUIRE(channel);
    const bool sent = co_await send_kilobytes(t, channel, 500);
    REQUIRE(sent);
  }
  auto report = co_await report_at_close(far, 1);
  expect_all(t, report, 500);
}

CASE("a channel replaced by assignment closes gracefully too") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, watch_kilobytes());
  REQUIRE(channel);
  const bool sent = co_await send_kilobytes(t, channel, 100);
  REQUIRE(sent);
  channel = co_await create_channel(t, far, 2, watch_kilobytes());
  REQUIRE(channel);
  auto first = co_await report_at_close(far, 1);
  expect_all(t, first, 100);
  auto closed = co_await channel.close();
  CHECK_OK(closed);
}

CASE("abort: waiting sends fail, readers end with aborted, the far end sees the close") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 100'000;
  options.flow.send_low_water_mark = 50'000;
  auto channel = co_await create_channel(t, far, 1, Command(), options);
  REQUIRE(channel);
  auto stream = channel.message_stream();
  std::vector<wdc::Spawned<wdc::Result<void>>> sends;
  for (std::uint32_t i = 0; i < 60; ++i) sends.push_back(wdc::spawn(t.loop, send_one(channel, 60'000, i)));
  const bool waiting = co_await until(t.loop, [&] { return channel.stats().send_queue_operations > 0; });
  REQUIRE(waiting);
  channel.abort();
  CHECK_ERROR(channel.try_send_text("after abort"), Errc::aborted);
  auto message = co_await stream.next();
  CHECK(!message);
  CHECK_ERROR(stream.end_reason(), Errc::aborted);
  CHECK_ERROR(channel.close_reason(), Errc::aborted);
  CHECK(channel.ready_state() == wdc::ReadyState::closed);
  int failed = 0;
  for (auto& send : sends) {
    auto result = co_await std::move(send);
    if (result) continue;
    ++failed;
    CHECK_ERROR(result, Errc::aborted);
  }
  CHECK(failed > 0);
  auto report = co_await report_at_close(far, 1);
  CHECK_EQ(report.text("state"), "closed");
  channel.abort();
  auto closed = co_await channel.close();
  CHECK(!closed);
}

CASE("abort while close waits ends it") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  const bool sent = co_await send_kilobytes(t, channel, 300);
  REQUIRE(sent);
  auto closing = channel.close();
  channel.abort();
  auto closed = co_await std::move(closing);
  CHECK_ERROR(closed, Errc::aborted);
}

/// Clean, or one of the reasons that a connection gives.
bool is_end_of_connection(const Test& t, const wdc::Result<void>& reason) {
  if (reason) return true;
  const auto code = reason.error().code();
  // Where a browser tells a broken channel as a clean close, framed mode knows better.
  if (t.settings.framed && code == Errc::aborted) return true;
  return code == Errc::connection_closed || code == Errc::transport_error || code == Errc::peer_lost;
}

CASE("the far end closes its whole connection: the channels end soon and say why") {
  wdc::PeerConnectionOptions peer_options;
  peer_options.disconnected_timeout = 1s;
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto made = co_await far.ask(Command("peer").with("p", 1));
  REQUIRE(made.ok());
  auto peer = wdc::PeerConnection::create(t.loop, peer_options);
  REQUIRE_OK(peer);
  auto channel = peer->create_data_channel("cut off");
  REQUIRE_OK(channel);
  const bool connected = co_await connect_by_hand(t, far, *peer, 1, Offerer::driver);
  REQUIRE(connected);
  auto adopted = co_await far.ask(Command("adopt").with("p", 1).with("c", 1));
  REQUIRE(adopted.ok());
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  auto sending = co_await far.ask(
      Command("send").with("c", 1).with("count", 200).with("sizes", 1'000).with("seed", kSeed).with("then", "pcclose"));
  REQUIRE(sending.ok());
  const auto start = t.loop.now();
  auto stream = channel->message_stream();
  std::uint32_t count = 0;
  while (auto message = co_await stream.next()) {
    REQUIRE(has_pattern(message->bytes(), kSeed, count));
    ++count;
  }
  CHECK(count <= 200);
  CHECK(is_end_of_connection(t, stream.end_reason()));
  CHECK(elapsed(t.loop, start) < 10s);
  auto late = co_await channel->send_text("anybody there?");
  CHECK(!late);
}

CASE("the driver closes its connection: everything on it ends with connection_closed") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto made = co_await far.ask(Command("peer").with("p", 1));
  REQUIRE(made.ok());
  auto peer = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(peer);
  auto channel = peer->create_data_channel("one");
  REQUIRE_OK(channel);
  const bool connected = co_await connect_by_hand(t, far, *peer, 1, Offerer::driver);
  REQUIRE(connected);
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  auto adopted = co_await far.ask(Command("adopt").with("p", 1).with("c", 1));
  REQUIRE(adopted.ok());
  auto stream = channel->message_stream();
  peer->close();
  auto message = co_await stream.next();
  CHECK(!message);
  CHECK_ERROR(stream.end_reason(), Errc::connection_closed);
  CHECK_ERROR(channel->close_reason(), Errc::connection_closed);
  auto accepted = co_await peer->accept_data_channel();
  CHECK(!accepted);
  auto event = co_await peer->next_negotiation_event();
  while (event) event = co_await peer->next_negotiation_event();
  CHECK(peer->connection_state() == wdc::ConnectionState::closed);
  auto refused = peer->create_data_channel("after close");
  CHECK_ERROR(refused, Errc::connection_closed);
  auto offer = co_await peer->create_offer();
  CHECK_ERROR(offer, Errc::connection_closed);
  auto report = co_await report_at_close(far, 1);
  CHECK_EQ(report.text("state"), "closed");
}

CASE("the far end's page goes away: the channels end") {
  wdc::PeerConnectionOptions options;
  options.disconnected_timeout = 1s;
  auto session = co_await meet(t, options);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  auto stream = channel.message_stream();
  const bool vanishing = co_await far.tell(Command("vanish"));
  REQUIRE(vanishing);
  const auto start = t.loop.now();
  t.step("end of the stream");
  auto message = co_await stream.next();
  CHECK(!message);
  CHECK(is_end_of_connection(t, stream.end_reason()));
  CHECK(elapsed(t.loop, start) < 9s);
  t.step("restart");
  t.runner.request("restart");
  const bool restarted = co_await until(
      t.loop, [&] { return t.runner.request_done(); }, 15s);
  CHECK(restarted);
}

/// Adds up by how much short timers, one after the other, come too late: what a busy machine adds to the chain of them
/// by which a browser notices silence.
wdc::Task<void> measure_lateness(Test& t, bool& stop, std::chrono::milliseconds& late) {
  while (!stop) {
    const auto start = t.loop.now();
    co_await wdc::sleep_for(100ms);
    late += elapsed(t.loop, start) - 100ms;
  }
}

/// `what` is done to the far end; the channel ends within the stated time, for one of the reasons.
wdc::Task<void> killed(Test& t, std::string what, bool may_say_goodbye) {
  wdc::PeerConnectionOptions options;
  options.disconnected_timeout = 2s;
  auto session = co_await meet(t, options);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  auto stream = channel.message_stream();
  t.step(what);
  t.runner.request(what);
  const bool dead = co_await until(t.loop, [&] { return t.runner.request_done(); });
  CHECK(dead);
  const auto start = t.loop.now();
  bool stop = false;
  std::chrono::milliseconds lateness{};
  auto measuring = wdc::spawn(t.loop, measure_lateness(t, stop, lateness));
  t.step("end of the stream of a killed far end");
  auto message = co_await stream.next();
  CHECK(!message);
  const auto took = elapsed(t.loop, start);
  stop = true;
  co_await std::move(measuring);
  // 12 s until a browser notices silence (PeerConnectionOptions::disconnected_timeout), the 2 s chosen above, and 1 s
  // for what is not timers.
  t.check(took - lateness < 15s, "the end came after " + show(took) + "; timers were late by " + show(lateness));
  const auto reason = stream.end_reason();
  auto late = co_await channel.send_text("anybody there?");
  if (may_say_goodbye) {
    CHECK(is_end_of_connection(t, reason));
    CHECK(!late);
  } else {
    CHECK_ERROR(reason, Errc::peer_lost);
    CHECK_ERROR(channel.close_reason(), Errc::peer_lost);
    CHECK_ERROR(late, Errc::peer_lost);
  }
  t.step("restart");
  t.runner.request("restart");
  const bool restarted = co_await until(
      t.loop, [&] { return t.runner.request_done(); }, 30s);
  CHECK(restarted);
}
SLOW_CASE("the far end's page is killed: its channels end within the stated time", 60s) {
  co_await killed(t, "kill page", true);
}
SLOW_CASE("the far end is killed as a whole, without a word: peer_lost within the stated time", 60s) {
  co_await killed(t, "kill", false);
}

}  // namespace
}  // namespace conformance
