// SPDX-License-Identifier: MIT
#include "src/core/channel.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using test::bytes_of;
using Channels = test::LoopTest;

static_assert(!std::is_copy_constructible_v<DataChannel> && !std::is_copy_assignable_v<DataChannel>);
static_assert(!std::is_copy_constructible_v<MessageStream> && !std::is_copy_assignable_v<MessageStream>);
static_assert(!std::is_copy_constructible_v<SendOperation> && !std::is_copy_constructible_v<NextOperation>);

Errc code(const Result<void>& result) { return result ? Errc{} : result.error().code(); }

std::vector<std::string> drain(DataChannel& channel) {
  std::vector<std::string> texts;
  while (auto message = channel.try_receive()) texts.emplace_back(message->as_text());
  return texts;
}

Task<std::vector<std::string>> read_all(MessageStream stream, Result<void>* reason = nullptr) {
  std::vector<std::string> texts;
  while (auto message = co_await stream.next()) texts.emplace_back(message->as_text());
  if (reason != nullptr) *reason = stream.end_reason();
  co_return texts;
}

// What it is.

TEST_F(Channels, TellWhatTheyWereMadeWith) {
  core::ChannelInfo info{
      .label = "lab\0el", .protocol = "p", .ordered = false, .negotiated = true, .max_retransmits = 3};
  auto pair = make_pair({}, {}, ReadyState::open, info);
  pair.wire->id = 7;
  EXPECT_EQ(pair.near.label(), info.label);
  EXPECT_EQ(pair.near.protocol(), "p");
  EXPECT_FALSE(pair.near.ordered());
  EXPECT_TRUE(pair.near.negotiated());
  EXPECT_EQ(pair.near.max_retransmits(), 3);
  EXPECT_FALSE(pair.near.max_packet_life_time());
  EXPECT_EQ(pair.near.id(), 7);
  EXPECT_EQ(pair.near.max_message_size(), 262'144U);
  EXPECT_EQ(pair.near.ready_state(), ReadyState::open);
  loop.reset();
  EXPECT_EQ(pair.near.label(), info.label);
  EXPECT_EQ(pair.near.id(), 7);
  EXPECT_EQ(pair.near.max_message_size(), 262'144U);
}

TEST_F(Channels, GiveClosedWithoutAChannel) {
  DataChannel none;
  EXPECT_FALSE(none);
  EXPECT_EQ(code(none.try_send_text("x")), Errc::closed);
  EXPECT_EQ(code(run(none.send_text("x"))), Errc::closed);
  EXPECT_EQ(code(run(none.wait_open())), Errc::closed);
  EXPECT_EQ(code(run(none.close())), Errc::closed);
  EXPECT_EQ(none.try_receive().error().code(), Errc::closed);
  auto stream = none.message_stream();
  EXPECT_FALSE(run(stream.next()));
  EXPECT_EQ(code(stream.end_reason()), Errc::closed);
  EXPECT_EQ(none.label(), "");
  none.abort();
}

TEST_F(Channels, RefuseFlowOptionsOutOfRange) {
  auto wire = backend->make_wire();
  const auto channel = core::make_channel(loop->internal(), wire->take(0), {.send_high_water_mark = 0});
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().code(), Errc::invalid_argument);
}

// Sending.

TEST_F(Channels, CarryBinaryTextAndEmptyMessagesInOrder) {
  auto pair = make_pair();
  auto body = [&]() -> Task<> {
    EXPECT_TRUE(co_await pair.near.send_bytes(bytes_of("abc")));
    EXPECT_TRUE(co_await pair.near.send_text("t\0\xC3\xA9"sv));
    EXPECT_TRUE(co_await pair.near.send_bytes({}));
    EXPECT_TRUE(co_await pair.near.send_text(""));
    auto message = Message::text("made");
    EXPECT_TRUE(co_await pair.near.send(std::move(message)));
  };
  run(body());
  settle();
  std::vector<std::pair<std::string, bool>> got;
  while (auto message = pair.far.try_receive()) got.emplace_back(message->as_text(), message->is_text());
  const std::vector<std::pair<std::string, bool>> expected{
      {"abc", false}, {std::string("t\0\xC3\xA9"sv), true}, {"", false}, {"", true}, {"made", true}};
  EXPECT_EQ(got, expected);
  EXPECT_EQ(pair.near.stats().messages_sent, 5U);
  EXPECT_EQ(pair.near.stats().bytes_sent, 11U);
  EXPECT_EQ(pair.far.stats().messages_received, 5U);
  EXPECT_EQ(pair.far.stats().bytes_received, 11U);
  EXPECT_EQ(pair.wire->end(0).forwarded, 1U);
}

TEST_F(Channels, RefuseToSendBeforeTheyAreOpen) {
  auto pair = make_pair({}, {}, ReadyState::connecting);
  EXPECT_EQ(code(pair.near.try_send_text("x")), Errc::not_open);
  EXPECT_EQ(code(run(pair.near.send_text("x"))), Errc::not_open);
  auto opening = start(pair.near.wait_open());
  settle();
  EXPECT_FALSE(opening.done());
  backend->schedule([&] { pair.wire->open(); });
  settle();
  ASSERT_TRUE(opening.done());
  EXPECT_TRUE(opening.take());
  EXPECT_TRUE(run(pair.near.send_text("x")));
  EXPECT_TRUE(run(pair.near.wait_open()));
}

TEST_F(Channels, KeepMessagesThatArriveBeforeTheyAreOpen) {
  auto pair = make_pair({}, {}, ReadyState::connecting);
  pair.wire->inject(1, Message::text("early"));
  pair.wire->open();
  EXPECT_EQ(drain(pair.far), std::vector<std::string>{"early"});
}

TEST_F(Channels, NameTheLimitForAMessageTooLargeAndStayUsable) {
  auto pair = make_pair();
  const std::string large(262'145, 'x');
  const auto sent = run(pair.near.send_text(large));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error(), Error(Errc::message_too_large, 262'145, 262'144));
  EXPECT_EQ(code(pair.near.try_send_bytes(bytes_of(large))), Errc::message_too_large);
  EXPECT_TRUE(run(pair.near.send_text(std::string_view(large).substr(1))));
  pair.wire->max_message_size = 300'000;  // a later negotiation allowed more
  EXPECT_TRUE(run(pair.near.send_text(large)));
}

TEST_F(Channels, PassOnWhatTheTransportRefuses) {
  auto pair = make_pair();
  EXPECT_EQ(code(run(pair.near.send_text("\xFF"))), Errc::invalid_argument);
  pair.wire->end(0).next_send_error = Error(Errc::transport_error, "broken");
  EXPECT_EQ(run(pair.near.send_text("x")).error(), Error(Errc::transport_error, "broken"));
  EXPECT_TRUE(run(pair.near.send_text("x")));
}

TEST_F(Channels, WaitAboveTheHighMarkAndGoOnAtTheLowOne) {
  auto pair = make_pair({.send_high_water_mark = 100, .send_low_water_mark = 20});
  pair.wire->automatic = false;
  const std::string text(60, 'x');
  EXPECT_TRUE(pair.near.try_send_text(text));
  EXPECT_TRUE(pair.near.try_send_text(text));
  EXPECT_EQ(code(pair.near.try_send_text(text)), Errc::would_block);
  auto sending = start(pair.near.send_text(text));
  settle();
  EXPECT_FALSE(sending.done());
  EXPECT_EQ(pair.near.stats().send_queue_operations, 1U);
  pair.wire->deliver(0, 1);  // 60 left: above the low mark
  settle();
  EXPECT_FALSE(sending.done());
  pair.wire->deliver(0, 1);
  EXPECT_EQ(pair.wire->end(0).sends, 3U);  // accepted in the event ...
  EXPECT_FALSE(sending.done());            // ... resumed from the pump
  settle();
  EXPECT_TRUE(sending.done());
  EXPECT_EQ(pair.near.stats().send_waits, 1U);
  EXPECT_EQ(pair.near.buffered_amount(), 60U);
}

TEST_F(Channels, SendOneMessageMoreWhenTheBufferDoesNotMove) {
  auto pair = make_pair({.send_high_water_mark = 100, .send_low_water_mark = 20});
  pair.wire->automatic = false;
  const std::string text(60, 'x');
  EXPECT_TRUE(pair.near.try_send_text(text));
  EXPECT_TRUE(pair.near.try_send_text(text));
  auto first = start(pair.near.send_text(text));
  auto second = start(pair.near.send_text(text));
  settle();
  pair.wire->end(0).events->on_stalled();
  settle();
  EXPECT_TRUE(first.done());
  EXPECT_FALSE(second.done());
  EXPECT_EQ(pair.near.stats().stalls, 1U);
  second.cancel();
  EXPECT_EQ(code(pair.near.try_send_text(text)), Errc::would_block);
  pair.wire->end(0).events->on_stalled();  // nobody waits: it is the next one's
  EXPECT_TRUE(pair.near.try_send_text(text));
  EXPECT_EQ(code(pair.near.try_send_text(text)), Errc::would_block);
  EXPECT_EQ(pair.near.stats().stalls, 2U);
}

TEST_F(Channels, AskTheTransportOnlyWhenTheirOwnEstimateSaysFull) {
  auto pair = make_pair({.send_high_water_mark = 1'000, .send_low_water_mark = 0});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(pair.near.try_send_text("0123456789"));
    pair.wire->deliver(0);
  }
  EXPECT_LE(pair.wire->end(0).buffered_amount_calls, 100U);  // the low events
  const auto calls = pair.wire->end(0).buffered_amount_calls;
  pair.wire->automatic = false;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(pair.near.try_send_text("0123456789"));
  EXPECT_EQ(pair.wire->end(0).buffered_amount_calls, calls);
}

TEST_F(Channels, TakeWouldBlockOfTheTransportAsFull) {
  auto pair = make_pair();
  pair.wire->automatic = false;
  pair.wire->end(0).capacity = 10;
  EXPECT_TRUE(pair.near.try_send_text("12345678"));
  EXPECT_EQ(code(pair.near.try_send_text("12345678")), Errc::would_block);
  auto first = start(pair.near.send_text("12345678"));
  auto second = start(pair.near.send_text("abcdefgh"));
  settle();
  pair.wire->deliver(0);
  settle();
  EXPECT_TRUE(first.done());
  EXPECT_FALSE(second.done());
  pair.wire->deliver(0);
  settle();
  EXPECT_TRUE(second.done());
}

TEST_F(Channels, KeepTheOrderOfSendsUnderBackpressure) {
  auto pair = make_pair({.send_high_water_mark = 50, .send_low_water_mark = 10});
  std::vector<std::string> texts;
  std::vector<Spawned<Result<void>>> sends;
  for (int i = 0; i < 500; ++i) texts.push_back("message number " + std::to_string(i));
  for (const auto& text : texts) sends.push_back(start(pair.near.send_text(text)));
  while (!sends.back().done()) {
    loop->poll();
    // One that comes later never overtakes those that wait.
    if (pair.near.stats().send_queue_operations > 0) {
      EXPECT_EQ(code(pair.near.try_send_text("pushy")), Errc::would_block);
    }
  }
  settle();
  EXPECT_EQ(drain(pair.far), texts);
}

TEST_F(Channels, RefuseMoreWaitingSendsThanAllowed) {
  auto pair = make_pair({.send_high_water_mark = 1, .send_low_water_mark = 0, .send_queue_operations = 2});
  pair.wire->automatic = false;
  ASSERT_TRUE(pair.near.try_send_text("12"));
  auto first = start(pair.near.send_text("a"));
  auto second = start(pair.near.send_text("b"));
  settle();
  const auto third = run(pair.near.send_text("c"));
  EXPECT_EQ(third.error(), Error(Errc::send_queue_full, 2, 2));
  pair.wire->automatic = true;
  pair.wire->deliver(0);
  settle();
  EXPECT_EQ(drain(pair.far), (std::vector<std::string>{"12", "a", "b"}));
}

TEST_F(Channels, SettleAWaitingSendThatTheTransportRefusesAndGoOn) {
  auto pair = make_pair({.send_high_water_mark = 1, .send_low_water_mark = 0});
  pair.wire->automatic = false;
  ASSERT_TRUE(pair.near.try_send_text("12"));
  auto bad = start(pair.near.send_text("\xFF"));
  auto good = start(pair.near.send_text("good"));
  settle();
  pair.wire->deliver(0);
  settle();
  EXPECT_EQ(code(bad.take()), Errc::invalid_argument);
  EXPECT_TRUE(good.take());
}

TEST_F(Channels, KeepAMessageThatCouldNotBeSent) {
  auto pair = make_pair({}, {}, ReadyState::connecting);
  Message message = Message::text("mine");
  EXPECT_EQ(code(pair.near.try_send(std::move(message))), Errc::not_open);
  EXPECT_EQ(message.as_text(), "mine");  // NOLINT(bugprone-use-after-move)
}

TEST_F(Channels, ForwardAMessageAndGiveItsBufferBack) {
  auto first = make_pair();
  auto second = make_pair();
  ASSERT_TRUE(first.near.try_send_text("on and on"));
  settle();
  auto message = first.far.try_receive();
  ASSERT_TRUE(message);
  EXPECT_TRUE(run(second.near.send(std::move(*message))));
  EXPECT_EQ(first.wire->pool().outstanding(), 0U);
  settle();
  EXPECT_EQ(drain(second.far), std::vector<std::string>{"on and on"});
}

// Receiving.

TEST_F(Channels, GiveMessagesToOneConsumerOnly) {
  auto pair = make_pair();
  ASSERT_TRUE(pair.near.try_send_text("one"));
  settle();
  std::optional<MessageStream> stream = pair.far.message_stream();
  EXPECT_EQ(pair.far.try_receive().error().code(), Errc::consumer_busy);
  auto second = pair.far.message_stream();
  EXPECT_FALSE(run(second.next()));
  EXPECT_EQ(code(second.end_reason()), Errc::consumer_busy);
  EXPECT_EQ(run(stream->next())->as_text(), "one");
  EXPECT_TRUE(stream->end_reason());
  stream.reset();
  EXPECT_EQ(pair.far.try_receive().error().code(), Errc::would_block);
  auto third = pair.far.message_stream();
  ASSERT_TRUE(pair.near.try_send_text("two"));
  EXPECT_EQ(run(third.next())->as_text(), "two");
}

TEST_F(Channels, EndASecondNextAtOnceAndLoseNothing) {
  auto pair = make_pair();
  auto stream = pair.far.message_stream();
  auto first = start(stream.next());
  settle();
  EXPECT_FALSE(run(stream.next()));
  ASSERT_TRUE(pair.near.try_send_text("for the first"));
  // Ready but not resumed yet, the first still owns its turn.
  bool checked = false;
  auto second = [&]() -> Task<> {
    EXPECT_FALSE(co_await stream.next());
    checked = true;
  };
  backend->turn(false);
  auto other = spawn(*loop, second());
  settle();
  EXPECT_EQ(first.take()->as_text(), "for the first");
  (void)checked;
}

TEST_F(Channels, LoseNothingWhenNextIsDestroyed) {
  auto pair = make_pair();
  auto stream = pair.far.message_stream();
  {
    auto waiting = start(stream.next());
    settle();
  }
  auto ready = start(stream.next());
  settle();
  ASSERT_TRUE(pair.near.try_send_text("kept"));
  backend->turn(false);  // the reader is ready now, not resumed
  ready.cancel();
  EXPECT_EQ(run(stream.next())->as_text(), "kept");
}

TEST_F(Channels, CloseWithAnErrorWhenBytesOverflow) {
  auto pair = make_pair({}, {.receive_queue_bytes = 10});
  auto stream = pair.far.message_stream();
  ASSERT_TRUE(pair.near.try_send_text("12345"));
  ASSERT_TRUE(pair.near.try_send_text("67890"));
  ASSERT_TRUE(pair.near.try_send_text("!"));
  settle();
  EXPECT_EQ(pair.far.ready_state(), ReadyState::closed);
  EXPECT_TRUE(stream.end_reason());  // not the end yet
  EXPECT_EQ(run(stream.next())->as_text(), "12345");
  EXPECT_EQ(run(stream.next())->as_text(), "67890");
  EXPECT_FALSE(run(stream.next()));
  EXPECT_EQ(stream.end_reason().error().message(), "receive_overflow: 11 unread bytes exceed the limit of 10");
  EXPECT_EQ(pair.wire->end(1).aborts, 1U);
  EXPECT_EQ(pair.far.stats().messages_dropped, 1U);
}

TEST_F(Channels, CloseWithAnErrorWhenMessagesOverflow) {
  auto pair = make_pair({}, {.receive_queue_messages = 2});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pair.near.try_send_text(""));
  settle();
  EXPECT_EQ(drain(pair.far).size(), 2U);
  EXPECT_EQ(pair.far.try_receive().error().message(), "receive_overflow: 3 unread messages exceed the limit of 2");
}

TEST_F(Channels, DropTheOldestWhereFreshDataWins) {
  auto pair = make_pair({}, {.receive_queue_bytes = 4, .receive_overflow = ReceiveOverflow::drop_oldest});
  for (const auto* text : {"a", "bb", "cc", "ddd", "too large"}) ASSERT_TRUE(pair.near.try_send_text(text));
  settle();
  EXPECT_EQ(drain(pair.far), std::vector<std::string>{"ddd"});
  EXPECT_EQ(pair.far.stats().messages_dropped, 4U);
  EXPECT_EQ(pair.far.stats().bytes_dropped, 14U);
  EXPECT_EQ(pair.far.ready_state(), ReadyState::open);
}

TEST_F(Channels, DropTheNewestWhereTheFirstMatter) {
  auto pair = make_pair({}, {.receive_queue_messages = 2, .receive_overflow = ReceiveOverflow::drop_newest});
  for (const auto* text : {"a", "b", "c"}) ASSERT_TRUE(pair.near.try_send_text(text));
  settle();
  EXPECT_EQ(drain(pair.far), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(pair.far.stats().messages_dropped, 1U);
}

TEST_F(Channels, DropEverythingForThoseWhoNeverRead) {
  auto pair = make_pair({}, {.discard_received = true});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(pair.near.try_send_text("x"));
  settle();
  EXPECT_EQ(pair.far.try_receive().error().code(), Errc::would_block);
  EXPECT_EQ(pair.far.stats().messages_dropped, 10U);
  EXPECT_EQ(pair.wire->pool().outstanding(), 0U);
}

// Closing.

TEST_F(Channels, DeliverWhatWasSentBeforeTheyClose) {
  auto pair = make_pair({.send_high_water_mark = 100, .send_low_water_mark = 10, .send_queue_operations = 2'000});
  Result<void> reason;
  auto reading = start(read_all(pair.far.message_stream(), &reason));
  std::vector<Spawned<Result<void>>> sends;
  for (int i = 0; i < 2'000; ++i) sends.push_back(start(pair.near.send_text("0123456789")));
  loop->poll();
  auto closing = start(pair.near.close());
  EXPECT_EQ(code(pair.near.try_send_text("late")), Errc::closed);
  EXPECT_EQ(pair.near.ready_state(), ReadyState::closing);
  settle();
  settle();
  settle();
  ASSERT_TRUE(closing.done());
  EXPECT_TRUE(closing.take());
  EXPECT_TRUE(std::all_of(sends.begin(), sends.end(), [](auto& send) { return send.done() && send.take(); }));
  ASSERT_TRUE(reading.done());
  EXPECT_EQ(reading.take().size(), 2'000U);
  EXPECT_TRUE(reason);
  EXPECT_TRUE(pair.near.close_reason());
  EXPECT_FALSE(pair.wire->end(0).exists);  // released below
  EXPECT_TRUE(run(pair.near.close()));     // again: at once
}

TEST_F(Channels, GiveWhatIsQueuedAfterTheOtherSideClosed) {
  auto pair = make_pair();
  for (int i = 0; i < 2'000; ++i) ASSERT_TRUE(pair.near.try_send_text("x"));
  EXPECT_TRUE(run(pair.near.close()));
  EXPECT_EQ(pair.far.ready_state(), ReadyState::closed);
  EXPECT_EQ(code(pair.far.try_send_text("x")), Errc::closed);
  EXPECT_EQ(drain(pair.far).size(), 2'000U);
  EXPECT_EQ(pair.far.try_receive().error().code(), Errc::closed);
}

TEST_F(Channels, FailSendsThatWaitWhenTheOtherSideCloses) {
  auto pair = make_pair({.send_high_water_mark = 1, .send_low_water_mark = 0});
  pair.wire->automatic = false;
  ASSERT_TRUE(pair.near.try_send_text("12"));
  auto waiting = start(pair.near.send_text("a"));
  settle();
  auto closing = start(pair.near.close());
  EXPECT_TRUE(run(pair.far.close()));
  settle();
  EXPECT_EQ(code(waiting.take()), Errc::closed);
  EXPECT_EQ(code(closing.take()), Errc::closed);  // not everything could be handed over
}

TEST_F(Channels, CloseBeforeTheyWereOpen) {
  auto pair = make_pair({}, {}, ReadyState::connecting);
  auto opening = start(pair.near.wait_open());
  settle();
  auto closing = start(pair.near.close());
  settle();
  EXPECT_EQ(code(opening.take()), Errc::closed);
  EXPECT_TRUE(closing.take());
}

TEST_F(Channels, CloseWithoutALimitWhereTheTimeoutIsTheLongestThereIs) {
  auto pair = make_pair();
  pair.wire->end(0).deaf_to_close = true;
  auto closing = start(pair.near.close(std::chrono::milliseconds::max()));
  settle();
  EXPECT_FALSE(closing.done());
  EXPECT_EQ(pair.near.ready_state(), ReadyState::closing);
}

TEST_F(Channels, AbortAfterTheCloseTimeout) {
  auto pair = make_pair();
  pair.wire->end(0).deaf_to_close = true;
  auto closing = start(pair.near.close(50ms));
  settle();
  EXPECT_FALSE(closing.done());
  pass(49ms);
  EXPECT_FALSE(closing.done());
  pass(1ms);
  ASSERT_TRUE(closing.done());
  EXPECT_EQ(code(closing.take()), Errc::timed_out);
  EXPECT_EQ(pair.wire->end(0).aborts, 1U);
  EXPECT_FALSE(pair.wire->end(0).exists);
}

TEST_F(Channels, TakeTheTimeoutOfALaterClose) {
  auto pair = make_pair();
  pair.wire->end(0).deaf_to_close = true;
  auto patient = start(pair.near.close(1h));
  auto hasty = start(pair.near.close(1ms));
  settle();
  pass(1ms);
  EXPECT_EQ(code(hasty.take()), Errc::timed_out);
  EXPECT_EQ(code(patient.take()), Errc::timed_out);
}

TEST_F(Channels, AbortAtOnce) {
  auto pair = make_pair({.send_high_water_mark = 1, .send_low_water_mark = 0});
  pair.wire->automatic = false;
  ASSERT_TRUE(pair.near.try_send_text("12"));
  ASSERT_TRUE(pair.far.try_send_text("unread"));
  pair.wire->deliver(1);
  Result<void> reason;
  auto waiting = start(pair.near.send_text("a"));
  settle();
  auto stream = pair.near.message_stream();
  pair.near.abort();
  EXPECT_FALSE(run(stream.next()));
  EXPECT_EQ(code(stream.end_reason()), Errc::aborted);
  EXPECT_EQ(code(waiting.take()), Errc::aborted);
  EXPECT_EQ(code(run(pair.near.close())), Errc::aborted);
  EXPECT_EQ(code(pair.near.try_send_text("x")), Errc::aborted);
  EXPECT_EQ(pair.wire->end(0).sends, 1U);
  EXPECT_EQ(pair.far.ready_state(), ReadyState::closed);
}

TEST_F(Channels, EndWithWhatTheTransportReports) {
  auto pair = make_pair();
  auto stream = pair.near.message_stream();
  auto waiting = start(stream.next());
  settle();
  pair.wire->report_closed(0, Error(Errc::transport_error, "SCTP abort"));
  settle();
  EXPECT_FALSE(waiting.take());
  EXPECT_EQ(stream.end_reason().error(), Error(Errc::transport_error, "SCTP abort"));
  EXPECT_EQ(pair.near.close_reason().error(), Error(Errc::transport_error, "SCTP abort"));
  EXPECT_EQ(code(run(pair.near.send_text("x"))), Errc::transport_error);
}

TEST_F(Channels, CloseInTheBackgroundWhenTheirHandleGoes) {
  auto pair = make_pair({.send_high_water_mark = 1, .send_low_water_mark = 0});
  auto waiting = start(pair.near.send_text("accepted"));
  auto second = start(pair.near.send_text("waited"));
  loop->poll();
  pair.near = DataChannel();
  settle();
  EXPECT_EQ(drain(pair.far), (std::vector<std::string>{"accepted", "waited"}));
  EXPECT_EQ(pair.far.ready_state(), ReadyState::closed);
  EXPECT_FALSE(pair.wire->end(0).exists);
}

TEST_F(Channels, GiveUpInTheBackgroundAfterTheCloseTimeout) {
  auto pair = make_pair({.close_timeout = 20ms});
  pair.wire->end(0).deaf_to_close = true;
  pair.near = DataChannel();
  settle();
  EXPECT_TRUE(pair.wire->end(0).exists);
  pass(20ms);
  EXPECT_FALSE(pair.wire->end(0).exists);
  EXPECT_EQ(pair.wire->end(0).aborts, 1U);
}

TEST_F(Channels, DropWhatNobodyCanReadAnyMore) {
  auto pair = make_pair();
  pair.wire->end(1).deaf_to_close = true;
  ASSERT_TRUE(pair.near.try_send_text("unread"));
  settle();
  EXPECT_EQ(pair.wire->pool().outstanding(), 1U);
  pair.far = DataChannel();
  EXPECT_EQ(pair.wire->pool().outstanding(), 0U);
  ASSERT_TRUE(pair.near.try_send_text("later"));
  settle();
  EXPECT_EQ(pair.wire->pool().outstanding(), 0U);
}

TEST_F(Channels, AreReadThroughAStreamThatOutlivesTheHandle) {
  auto pair = make_pair();
  auto stream = pair.far.message_stream();
  ASSERT_TRUE(pair.near.try_send_text("one"));
  settle();
  pair.far = DataChannel();
  ASSERT_EQ(run(stream.next())->as_text(), "one");
  EXPECT_FALSE(run(stream.next()));
  EXPECT_TRUE(stream.end_reason());
}

TEST_F(Channels, EndWithWhatTheirHomeFoundOut) {
  auto wire = backend->make_wire();
  auto reference = core::Channel::create(loop->internal(), wire->take(0), {});
  auto channel = core::Channel::make_handle(reference);
  ASSERT_TRUE(core::make_channel(loop->internal(), wire->take(1), {}));
  reference->fail(Error(Errc::wasm_trapped));
  wire->report_closed(0, Error(Errc::transport_error));  // too late
  settle();
  EXPECT_EQ(code(channel.close_reason()), Errc::wasm_trapped);
  EXPECT_FALSE(wire->end(0).exists);
}

TEST_F(Channels, LendRoomForWhatIsSentPastThem) {
  auto pair = make_pair({.send_high_water_mark = 1'000, .send_low_water_mark = 100});
  auto& near = *core::Channel::behind(pair.near);
  pair.wire->automatic = false;
  EXPECT_EQ(near.room_elsewhere(), 1'000U);
  ASSERT_TRUE(pair.near.try_send_text("abc"));
  EXPECT_EQ(near.room_elsewhere(), 997U);
  // Somebody fills the transport's buffer, and tells.
  pair.wire->end(0).buffered += 1'100;
  near.send_elsewhere(2, 1'100);
  EXPECT_EQ(pair.near.stats().messages_sent, 3U);
  EXPECT_EQ(pair.near.stats().bytes_sent, 1'103U);
  EXPECT_EQ(near.room_elsewhere(), std::nullopt);
  auto waiting = start(pair.near.send_text("waits"));
  settle();
  EXPECT_FALSE(waiting.done());
  pair.wire->end(0).buffered = 103;
  EXPECT_EQ(near.room_elsewhere(), std::nullopt);  // behind the one that waits
  pair.wire->automatic = true;
  pair.wire->deliver(0);
  settle();
  ASSERT_TRUE(waiting.done());
  EXPECT_TRUE(near.room_elsewhere());
  auto closing = start(pair.near.close());
  EXPECT_EQ(near.room_elsewhere(), std::nullopt);
  settle();
  EXPECT_TRUE(closing.done());
  EXPECT_EQ(near.room_elsewhere(), std::nullopt);
}

TEST_F(Channels, GoToSomebodyElseOnlyWithNothingLeftBehind) {
  auto pair = make_pair();
  auto& far = *core::Channel::behind(pair.far);
  ASSERT_TRUE(pair.near.try_send_text("unread"));
  settle();
  EXPECT_EQ(code(far.can_let_go()), Errc::invalid_state);
  EXPECT_EQ(drain(pair.far).size(), 1U);
  {
    auto stream = pair.far.message_stream();
    EXPECT_EQ(code(far.can_let_go()), Errc::invalid_state);
  }
  ASSERT_TRUE(far.can_let_go());
  auto waiting = start(pair.far.wait_closed());
  far.let_go();
  settle();
  EXPECT_TRUE(waiting.done());
  EXPECT_FALSE(pair.wire->end(1).exists);
  EXPECT_EQ(pair.wire->end(1).aborts, 0U);
  EXPECT_EQ(pair.far.ready_state(), ReadyState::closed);
  EXPECT_EQ(code(far.can_let_go()), Errc::closed);
  EXPECT_EQ(code(pair.far.try_send_text("x")), Errc::closed);
}

}  // namespace
}  // namespace wdc
