// SPDX-License-Identifier: MIT
// Handles, streams, operations and tasks destroyed wherever it hurts most.
#include <memory>
#include <optional>
#include <vector>

#include "far_end.h"
#include "pattern.h"
#include "suite.h"

namespace conformance {
namespace {

using wdc::Errc;

constexpr std::uint32_t kSeed = 31;

wdc::Task<Reply> say(Session& far, int number, std::string text) {
  return far.ask(Command("say").with("c", number).with("text", text));
}

wdc::Task<void> take_one(wdc::MessageStream& stream, std::string& into) {
  auto message = co_await stream.next();
  into = message ? std::string(message->as_text()) : "end";
}

CASE("a task destroyed while it waits for a message loses nothing") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  auto stream = channel.message_stream();
  std::string first;
  std::string second;
  {
    auto waiting = wdc::spawn(t.loop, take_one(stream, first));
    co_await wdc::sleep_for(0ms);
    waiting.cancel();
  }
  auto timed_out = co_await wdc::with_timeout(stream.next(), 10ms);
  CHECK_ERROR(timed_out, Errc::timed_out);
  auto said = co_await say(far, 1, "kept");
  REQUIRE(said.ok());
  co_await take_one(stream, second);
  CHECK_EQ(first, "");
  CHECK_EQ(second, "kept");
}

wdc::Task<void> send_and_count(wdc::DataChannel& channel, std::uint32_t index, std::uint32_t& accepted) {
  auto message = wdc::Message::with_size(50'000);
  fill_pattern(message.writable_bytes(), kSeed, index);
  auto sent = co_await channel.send(std::move(message));
  if (sent) ++accepted;
}

CASE("sends destroyed while they wait send nothing, the others everything") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 100'000;
  options.flow.send_low_water_mark = 50'000;
  auto channel = co_await create_channel(
      t, far, 1, Command().with("verify", kSeed).with("any_order", 1).with("sizes", 50'000).with("type", "binary"),
      options);
  REQUIRE(channel);
  std::uint32_t accepted = 0;
  std::vector<wdc::Spawned<void>> sends;
  for (std::uint32_t i = 0; i < 30; ++i) sends.push_back(wdc::spawn(t.loop, send_and_count(channel, i, accepted)));
  const bool waiting = co_await until(t.loop, [&] { return channel.stats().send_queue_operations > 0; });
  REQUIRE(waiting);
  std::uint32_t cancelled = 0;
  for (std::size_t i = 1; i < sends.size(); i += 2)
    if (!sends[i].done()) {
      sends[i].cancel();
      ++cancelled;
    }
  for (auto& send : sends)
    if (!send.done()) {
      // Those of the others.
      const bool finished =
          co_await until(t.loop, [&] { return send.done() || channel.stats().send_queue_operations == 0; });
      REQUIRE(finished);
    }
  auto closed = co_await channel.close();
  CHECK_OK(closed);
  CHECK_EQ(channel.stats().messages_sent, accepted);
  CHECK(cancelled > 0);
  CHECK_EQ(accepted, 30 - cancelled);
  auto report = co_await report_at_close(far, 1);
  CHECK_EQ(report.number("count"), accepted);
  CHECK_EQ(report.text("mismatch"), "");
}

CASE("the handle destroyed on the first message: the stream goes on to a clean end") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  auto stream = channel.message_stream();
  auto sending = co_await far.ask(Command("send").with("c", 1).with("count", 1).with("sizes", 10).with("seed", kSeed));
  REQUIRE(sending.ok());
  auto message = co_await stream.next();
  REQUIRE(message);
  channel = wdc::DataChannel();
  t.step("end of the stream");
  while (message) message = co_await stream.next();
  CHECK_OK(stream.end_reason());
  auto report = co_await report_at_close(far, 1);
  CHECK_EQ(report.text("state"), "closed");
}

CASE("the stream destroyed on a message lets the next one in") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  auto sending =
      co_await far.ask(Command("send").with("c", 1).with("count", 10).with("sizes", 100).with("seed", kSeed));
  REQUIRE(sending.ok());
  for (std::uint32_t i = 0; i < 10; ++i) {
    auto stream = channel.message_stream();
    auto message = co_await stream.next();
    REQUIRE(message);
    CHECK(has_pattern(message->bytes(), kSeed, i));
  }
}

CASE("a task that owns its channel is destroyed in the middle of an echo") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  auto echo = [](wdc::DataChannel own, std::uint32_t& count) -> wdc::Task<void> {
    auto messages = own.message_stream();
    while (auto message = co_await messages.next()) {
      ++count;
      auto sent = co_await own.send(std::move(*message));
      if (!sent) co_return;
    }
  };
  std::uint32_t count = 0;
  auto running = wdc::spawn(t.loop, echo(std::move(channel), count));
  auto sending =
      co_await far.ask(Command("send").with("c", 1).with("count", 2'000).with("sizes", 2'000).with("seed", kSeed));
  REQUIRE(sending.ok());
  const bool busy = co_await until(t.loop, [&] { return count >= 20; });
  REQUIRE(busy);
  running.cancel();
  const auto at_cancel = count;
  auto report = co_await report_at_close(far, 1);
  CHECK_EQ(report.text("state"), "closed");
  CHECK_EQ(count, at_cancel);
  CHECK(report.number("count") <= static_cast<std::int64_t>(count));
}

CASE("a task destroys itself by destroying the connection it runs on") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto made = co_await far.ask(Command("peer").with("p", 1));
  REQUIRE(made.ok());
  auto peer = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(peer);
  auto channel = peer->create_data_channel("branch");
  REQUIRE_OK(channel);
  const bool connected = co_await connect_by_hand(t, far, *peer, 1, Offerer::driver);
  REQUIRE(connected);
  auto adopted = co_await far.ask(Command("adopt").with("p", 1).with("c", 1));
  REQUIRE(adopted.ok());
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  struct Everything {
    wdc::PeerConnection peer;
    wdc::DataChannel channel;
    std::optional<wdc::MessageStream> stream;
    wdc::Spawned<void> task;
    bool ran = false;
  };
  auto all = std::make_unique<Everything>();
  all->peer = std::move(*peer);
  all->channel = std::move(*channel);
  all->stream.emplace(all->channel.message_stream());
  bool destroyed = false;
  auto saw = [](std::unique_ptr<Everything>& owner, bool& done) -> wdc::Task<void> {
    auto message = co_await owner->stream->next();
    done = message.has_value();
    owner.reset();  // the task, its stream, its channel and its connection
  };
  all->task = wdc::spawn(t.loop, saw(all, destroyed));
  auto said = co_await say(far, 1, "saw it off");
  REQUIRE(said.ok());
  const bool gone = co_await until(t.loop, [&] { return destroyed && !all; });
  CHECK(gone);
}

CASE("a cancelled accept loses no channel") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto nothing = co_await wdc::with_timeout(far.peer().accept_data_channel(), 20ms);
  CHECK_ERROR(nothing, Errc::timed_out);
  auto channel = co_await accept_channel(t, far, 1);
  REQUIRE(channel);
  CHECK_EQ(channel.label(), "far-1");
}

CASE("channels nobody accepts go with their connection") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  for (int i = 1; i <= 5; ++i) {
    Command create("create");
    auto created = co_await far.ask(create.with("c", i).with("label", "unwanted"));
    REQUIRE(created.ok());
  }
  auto ready = co_await far.ask(Command("report").with("c", 5).with("opened", 1));
  CHECK(ready.ok());
}

CASE("incoming channels beyond the limit are closed") {
  wdc::PeerConnectionOptions options;
  options.incoming_channels = 3;
  auto session = co_await meet(t, options);
  REQUIRE(session);
  auto& far = *session;
  for (int i = 1; i <= 5; ++i) {
    Command create("create");
    auto created = co_await far.ask(create.with("c", i).with("label", "guest " + std::to_string(i)));
    REQUIRE(created.ok());
  }
  auto fourth = co_await report_at_close(far, 4);
  CHECK_EQ(fourth.text("state"), "closed");
  auto fifth = co_await report_at_close(far, 5);
  CHECK_EQ(fifth.text("state"), "closed");
  for (int i = 1; i <= 3; ++i) {
    auto channel = co_await far.peer().accept_data_channel();
    REQUIRE(channel);
    CHECK_EQ(channel->label(), "guest " + std::to_string(i));
  }
}

CASE("operations that were made and never awaited do nothing") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, Command().with("keep", 1));
  REQUIRE(channel);
  {
    auto never = channel.send_text("never");
    auto also_never = channel.wait_open();
    auto offer = far.peer().create_offer();
    auto accept = far.peer().accept_data_channel();
    auto stream = channel.message_stream();
    auto next = stream.next();
    static_cast<void>(never);
    static_cast<void>(also_never);
    static_cast<void>(offer);
    static_cast<void>(accept);
    static_cast<void>(next);
  }
  auto sent = co_await channel.send_text("only this");
  REQUIRE_OK(sent);
  auto seen = co_await far.ask(Command("take").with("c", 1));
  CHECK_EQ(seen.text("text"), "only this");
}

CASE("descriptions forgotten half-way harm nobody") {
  auto peer = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(peer);
  auto channel = peer->create_data_channel("x");
  REQUIRE_OK(channel);
  {
    auto forgotten = [](wdc::PeerConnection& connection) -> wdc::Task<void> {
      auto offer = co_await connection.create_offer();
      static_cast<void>(offer);
    };
    auto running = wdc::spawn(t.loop, forgotten(*peer));
    co_await wdc::sleep_for(0ms);
  }
  auto offer = co_await peer->create_offer();
  CHECK_OK(offer);
  auto lost = [](wdc::PeerConnection& connection, bool& ended) -> wdc::Task<void> {
    auto description = co_await connection.set_local_description();
    ended = true;
    static_cast<void>(description);
  };
  bool ended = false;
  auto running = wdc::spawn(t.loop, lost(*peer, ended));
  co_await wdc::sleep_for(0ms);
  peer->close();
  const bool finished = co_await until(t.loop, [&] { return ended; });
  CHECK(finished);
}

}  // namespace
}  // namespace conformance
