// SPDX-License-Identifier: MIT
// Every operation destroyed at every point of its life: what counts here is what the sanitizers say, and that nothing
// is left behind.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;

enum class Moment { before_await, before_start, waiting, ready, from_another_task, with_the_loop, from_its_own_task };

struct Case {
  const char* name;
  /// Makes the awaiting task.
  std::function<Task<>(DataChannel&, MessageStream&)> await;
  /// Makes it ready.
  std::function<void(test::FakeWire&)> complete;
  ReadyState state;
};

const std::string kText(64, 'x');

std::vector<Case> cases() {
  return {
      {"send", [](DataChannel& channel, MessageStream&) -> Task<> { (void)co_await channel.send_text(kText); },
       [](test::FakeWire& wire) { wire.deliver(0); }, ReadyState::open},
      {"send_message",
       [](DataChannel& channel, MessageStream&) -> Task<> {
         auto message = Message::text(kText);
         (void)co_await channel.send(std::move(message));
       },
       [](test::FakeWire& wire) { wire.deliver(0); }, ReadyState::open},
      {"send_that_fails",
       [](DataChannel& channel, MessageStream&) -> Task<> { (void)co_await channel.send_text(kText); },
       [](test::FakeWire& wire) {
         wire.break_both(Error(Errc::transport_error, "a reason that is long enough to need memory"));
       },
       ReadyState::open},
      {"next", [](DataChannel&, MessageStream& stream) -> Task<> { (void)co_await stream.next(); },
       [](test::FakeWire& wire) { wire.inject(0, Message::text("hello")); }, ReadyState::open},
      {"next_at_the_end", [](DataChannel&, MessageStream& stream) -> Task<> { (void)co_await stream.next(); },
       [](test::FakeWire& wire) { wire.break_both(Error(Errc::connection_closed)); }, ReadyState::open},
      {"wait_open", [](DataChannel& channel, MessageStream&) -> Task<> { (void)co_await channel.wait_open(); },
       [](test::FakeWire& wire) { wire.open(); }, ReadyState::connecting},
      {"close", [](DataChannel& channel, MessageStream&) -> Task<> { (void)co_await channel.close(); },
       [](test::FakeWire& wire) { wire.break_both(Error(Errc::connection_closed)); }, ReadyState::open},
      {"with_timeout",
       [](DataChannel&, MessageStream& stream) -> Task<> { (void)co_await with_timeout(stream.next(), 1h); },
       [](test::FakeWire& wire) { wire.inject(0, Message::text("hello")); }, ReadyState::open},
      {"when_any",
       [](DataChannel& channel, MessageStream& stream) -> Task<> {
         (void)co_await when_any(channel.send_text(kText), stream.next());
       },
       [](test::FakeWire& wire) {
         wire.inject(0, Message::text("hello"));
         wire.deliver(0);
       },
       ReadyState::open},
  };
}

class Lifetimes : public test::LoopTest, public ::testing::WithParamInterface<std::tuple<std::size_t, Moment>> {};

TEST_P(Lifetimes, OperationsMayEndAtAnyPoint) {
  const auto& [index, moment] = GetParam();
  const Case test = cases()[index];
  SCOPED_TRACE(test.name);
  auto wire = backend->make_wire({}, test.state);
  wire->automatic = false;
  {
    auto near =
        core::make_channel(loop->internal(), wire->take(0), {.send_high_water_mark = 1, .send_low_water_mark = 0});
    auto far = core::make_channel(loop->internal(), wire->take(1), {});
    auto stream = near->message_stream();
    if (test.state == ReadyState::open) {
      ASSERT_TRUE(near->try_send_text("fills the buffer"));
    }
    std::optional<Task<>> task = test.await(*near, stream);
    if (moment == Moment::before_await) {
      task.reset();
      settle();
      return;
    }
    Spawned<void> spawned = spawn(*loop, std::move(*task));
    if (moment != Moment::before_start) settle();
    switch (moment) {
      case Moment::before_await:
      case Moment::before_start:
      case Moment::waiting:
        spawned.cancel();
        break;
      case Moment::ready:
        test.complete(*wire);  // ready, not resumed
        EXPECT_FALSE(spawned.done());
        spawned.cancel();
        break;
      case Moment::from_another_task:
        run([](Spawned<void>& victim) -> Task<> {
          victim.cancel();
          co_return;
        }(spawned));
        break;
      case Moment::with_the_loop:
        loop.reset();
        EXPECT_FALSE(spawned.done());
        EXPECT_FALSE(near->try_send_text("x"));
        EXPECT_EQ(near->try_send_text("x").error().code(), Errc::loop_closed);
        return;
      case Moment::from_its_own_task: {
        // The task that is resumed by the completion destroys channel, stream and itself.
        std::optional<Spawned<void>> own;
        auto body = [&]() -> Task<> {
          auto inner = test.await(*near, stream);
          co_await std::move(inner);
          auto gone = std::move(*near);
          own.reset();
        };
        spawned.cancel();
        own.emplace(spawn(*loop, body()));
        settle();
        test.complete(*wire);
        settle();
        EXPECT_FALSE(own);
        return;
      }
    }
    test.complete(*wire);
    settle();
    EXPECT_FALSE(spawned.done());
  }
  settle();
  wire->deliver(0);
  settle();
  EXPECT_FALSE(wire->end(0).exists);
  EXPECT_FALSE(wire->end(1).exists);
  EXPECT_EQ(wire->pool().outstanding(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Everything, Lifetimes,
                         ::testing::Combine(::testing::Range(std::size_t{0}, cases().size()),
                                            ::testing::Values(Moment::before_await, Moment::before_start,
                                                              Moment::waiting, Moment::ready, Moment::from_another_task,
                                                              Moment::with_the_loop, Moment::from_its_own_task)));

using Handles = test::LoopTest;

TEST_F(Handles, OutliveTheirLoop) {
  auto pair = make_pair();
  ASSERT_TRUE(pair.near.try_send_text("unread"));
  settle();
  auto stream = pair.far.message_stream();
  loop.reset();
  EXPECT_EQ(pair.near.ready_state(), ReadyState::closed);
  EXPECT_EQ(pair.near.try_send_text("x").error().code(), Errc::loop_closed);
  EXPECT_EQ(pair.near.try_receive().error().code(), Errc::loop_closed);
  EXPECT_EQ(pair.near.close_reason().error().code(), Errc::loop_closed);
  EXPECT_EQ(stream.end_reason().error().code(), Errc::loop_closed);
  EXPECT_EQ(pair.near.buffered_amount(), 0U);
  EXPECT_FALSE(pair.wire->end(0).exists);
  pair.near.abort();
  (void)pair.near.close();
}

TEST_F(Handles, MessagesOutliveTheirLoop) {
  auto pair = make_pair();
  ASSERT_TRUE(pair.near.try_send_text("kept"));
  settle();
  auto message = pair.far.try_receive();
  ASSERT_TRUE(message);
  loop.reset();
  EXPECT_EQ(message->as_text(), "kept");
}

TEST_F(Handles, ASendDestroyedWhileWaitingSendsNothingAndLetsTheRestPass) {
  auto pair = make_pair({.send_high_water_mark = 1, .send_low_water_mark = 0});
  pair.wire->automatic = false;
  ASSERT_TRUE(pair.near.try_send_text("12"));
  auto first = start(pair.near.send_text("first"));
  auto second = start(pair.near.send_text("second"));
  settle();
  first.cancel();
  EXPECT_EQ(pair.near.stats().send_queue_operations, 1U);
  pair.wire->deliver(0);
  EXPECT_EQ(pair.wire->end(0).sends, 2U);
  second.cancel();  // accepted already: it is sent
  pair.wire->deliver(0);
  settle();
  EXPECT_EQ(pair.far.try_receive()->as_text(), "12");
  EXPECT_EQ(pair.far.try_receive()->as_text(), "second");
}

TEST_F(Handles, ACloseGoesOnWhenItsLastWaitingSendIsDestroyed) {
  auto pair = make_pair({.send_high_water_mark = 1, .send_low_water_mark = 0});
  pair.wire->automatic = false;
  ASSERT_TRUE(pair.near.try_send_text("12"));
  auto waiting = start(pair.near.send_text("never"));
  settle();
  auto closing = start(pair.near.close());
  settle();
  EXPECT_EQ(pair.wire->end(0).closes, 0U);
  waiting.cancel();
  EXPECT_EQ(pair.wire->end(0).closes, 1U);
  pair.wire->deliver(0);
  settle();
  EXPECT_TRUE(closing.take());
}

}  // namespace
}  // namespace wdc
