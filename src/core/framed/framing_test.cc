// SPDX-License-Identifier: MIT
// Framed mode as users of a DataChannel see it.
#include <array>
#include <string>
#include <vector>

#include "src/core/channel.h"
#include "src/core/framed/framing.h"
#include "tests/support/framed_channels.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;

using FramedChannels = test::FramedChannelTest;

Task<std::vector<std::string>> read_all(MessageStream stream, Result<void>* reason = nullptr) {
  std::vector<std::string> texts;
  while (auto message = co_await stream.next()) texts.emplace_back(message->as_text());
  if (reason != nullptr) *reason = stream.end_reason();
  co_return texts;
}

TEST_F(FramedChannels, SendTheFirstMessageAtOnceAndShareFramesAfterIt) {
  auto pair = framed_pair();
  ASSERT_TRUE(pair.near.framed());
  const auto before = pair.wire->end(0).sends;
  ASSERT_TRUE(pair.near.try_send_text("first"));
  EXPECT_EQ(pair.wire->end(0).sends, before + 1);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(pair.near.try_send_text("later"));
  EXPECT_EQ(pair.wire->end(0).sends, before + 1);
  settle();
  EXPECT_EQ(pair.wire->end(0).sends, before + 2);
  int received = 0;
  while (auto message = pair.far.try_receive()) {
    EXPECT_EQ(message->as_text(), received == 0 ? "first" : "later");
    ++received;
  }
  EXPECT_EQ(received, 101);
  EXPECT_EQ(pair.near.stats().messages_sent, 101U);
  EXPECT_EQ(pair.far.stats().messages_received, 101U);
}

TEST_F(FramedChannels, AskForNoTurnsEndWhereMessagesComeAndGoOneByOne) {
  auto pair = framed_pair();
  const auto requests = backend->turn_end_requests;
  for (int round = 0; round < 3; ++round) {
    for (const bool near_sends : {true, false}) {
      auto& from = near_sends ? pair.near : pair.far;
      auto& to = near_sends ? pair.far : pair.near;
      auto& end = pair.wire->end(near_sends ? 0 : 1);
      const auto before = end.sends;
      ASSERT_TRUE(from.try_send_text("alone"));
      EXPECT_EQ(end.sends, before + 1) << "at once, in round " << round;
      settle();
      EXPECT_EQ(end.sends, before + 1);
      ASSERT_TRUE(to.try_receive());
    }
  }
  EXPECT_EQ(backend->turn_end_requests, requests);
  const auto before = pair.wire->end(0).sends;
  ASSERT_TRUE(pair.near.try_send_text("alone"));
  ASSERT_TRUE(pair.near.try_send_text("collected"));
  ASSERT_TRUE(pair.near.try_send_text("with it"));
  EXPECT_EQ(backend->turn_end_requests, requests + 1);
  settle();
  EXPECT_EQ(pair.wire->end(0).sends, before + 2);
}

TEST_F(FramedChannels, LetNothingPassHelloWhereTheTransportIsFullFromTheStart) {
  for (const bool batches_only : {false, true}) {
    auto wire = backend->make_wire({.protocol = "wdc.framed.v1", .ordered = !batches_only}, ReadyState::open);
    wire->end(0).capacity = 0;
    const FlowOptions flow{.framed = {.batches_only = batches_only}};
    auto near = core::make_channel(loop->internal(), wire->take(0), flow);
    auto far = core::make_channel(loop->internal(), wire->take(1), flow);
    ASSERT_TRUE(near && far);
    auto sending = start(near->send_text("waits"));
    settle();
    EXPECT_EQ(far->stats().messages_received, 0U);
    wire->end(0).capacity = 1 << 20;
    wire->end(0).events->on_buffered_amount_low();
    settle();
    ASSERT_TRUE(sending.done());
    EXPECT_TRUE(sending.take());
    auto message = far->try_receive();
    ASSERT_TRUE(message) << message.error().message();
    EXPECT_EQ(message->as_text(), "waits");
  }
}

TEST_F(FramedChannels, LeaveOtherChannelsAsTheyAre) {
  auto pair = make_pair({}, {}, ReadyState::open, {.protocol = "wdc.framed.v10"});
  EXPECT_FALSE(pair.near.framed());
  ASSERT_TRUE(pair.near.try_send_text("as it is"));
  settle();
  EXPECT_EQ(pair.wire->end(0).sends, 1U);
  EXPECT_EQ(pair.far.try_receive()->as_text(), "as it is");
  EXPECT_EQ(code(run(pair.near.send_text("x", {.priority = Priority::high}))), Errc::unsupported);
  EXPECT_EQ(code(run(pair.near.flush())), Errc::unsupported);
}

TEST_F(FramedChannels, CarryMessagesOfAnySizeInOrder) {
  auto pair = framed_pair();
  Result<void> reason;
  auto reading = start(read_all(pair.far.message_stream(), &reason));
  std::vector<std::string> texts;
  for (const std::size_t size :
       std::initializer_list<std::size_t>{0, 1, 70'000, 3, 1'000'000, 65'536, 65'537, 5'000'000, 64})
    texts.push_back(std::string(size, static_cast<char>('a' + texts.size())));
  std::vector<Spawned<Result<void>>> sends;
  for (const auto& text : texts) sends.push_back(start(pair.near.send_text(text)));
  settle();
  auto closing = start(pair.near.close());
  settle();
  ASSERT_TRUE(closing.done());
  EXPECT_TRUE(closing.take());
  ASSERT_TRUE(reading.done());
  EXPECT_EQ(reading.take(), texts);
  EXPECT_TRUE(reason);
  for (auto& send : sends) EXPECT_TRUE(send.take());
}

TEST_F(FramedChannels, CarryMessagesOfUpTo256KiBInOnePiece) {
  auto pair = framed_pair();
  const auto text_of = [](std::size_t size) {
    std::string text(size, 0);
    for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>('!' + at % 89);
    return text;
  };
  for (const std::size_t size : {65'600U, 100'000U, 262'143U, 262'144U}) {
    const auto text = text_of(size);
    for (const bool whole : {true, false}) {
      const auto before = pair.near.stats().frames_sent;
      auto sending = start(pair.near.send_text(text));
      settle();
      ASSERT_TRUE(sending.done());
      EXPECT_EQ(pair.near.stats().frames_sent, before + 2) << size;  // a few bytes, and the rest
      if (whole) {
        const auto message = pair.far.try_receive();
        ASSERT_TRUE(message);
        EXPECT_EQ(message->as_text(), text);
      } else {
        auto messages = pair.far.incoming_messages();
        auto incoming = run(messages.next());
        ASSERT_TRUE(incoming);
        const auto part = run(incoming->next_part());
        ASSERT_TRUE(part);
        EXPECT_EQ(part->as_text(), text);
        EXPECT_FALSE(run(incoming->next_part()));
        EXPECT_TRUE(incoming->end_reason());
      }
      settle();
    }
  }
  EXPECT_EQ(pair.far.ready_state(), ReadyState::open);

  const auto before = pair.near.stats().frames_sent;
  const auto larger = text_of(262'145);
  auto sending = start(pair.near.send_text(larger));
  settle();
  EXPECT_EQ(pair.far.try_receive()->as_text(), larger);
  EXPECT_EQ(pair.near.stats().frames_sent, before + 4);
}

TEST_F(FramedChannels, HoldTheirSenderBackWhileNobodyReads) {
  auto pair = framed_pair({}, {.framed = {.window = 100'000}});
  std::size_t accepted = 0;
  const std::string text(64, 'x');
  while (pair.near.try_send_text(text)) {
    ++accepted;
    if (accepted % 100 == 0) settle();
    ASSERT_LT(accepted, 10'000U);
  }
  EXPECT_GT(accepted, 1'000U);
  settle();
  EXPECT_EQ(pair.far.ready_state(), ReadyState::open);
  auto waiting = start(pair.near.send_text("after all that"));
  settle();
  EXPECT_FALSE(waiting.done());
  std::size_t received = 0;
  for (int rounds = 0; rounds < 50; ++rounds, settle())
    while (pair.far.try_receive()) ++received;
  EXPECT_TRUE(waiting.done());
  EXPECT_EQ(received, accepted + 1);
}

TEST_F(FramedChannels, CloseWhenTheOtherUserHasTakenEverything) {
  auto pair = framed_pair();
  auto stream = pair.far.message_stream();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(pair.near.try_send_text("0123456789"));
  auto closing = start(pair.near.close());
  settle();
  EXPECT_FALSE(closing.done());
  EXPECT_EQ(pair.near.delivery().in_doubt, 100U);
  const auto read_one = [&] {
    auto reading = start(stream.next());
    settle();
    return reading.done() && reading.take();
  };
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(read_one());
  EXPECT_FALSE(closing.done());
  EXPECT_TRUE(read_one());
  ASSERT_TRUE(closing.done());
  EXPECT_TRUE(closing.take());
  EXPECT_EQ(pair.near.delivery().acknowledged, 100U);
  EXPECT_FALSE(run(stream.next()));
  EXPECT_TRUE(stream.end_reason());
}

TEST_F(FramedChannels, SayWhenTheOtherSideClosedWithoutReading) {
  auto pair = framed_pair();
  ASSERT_TRUE(pair.near.try_send_text("unread"));
  settle();
  auto near_closing = start(pair.near.close());
  auto far_closing = start(pair.far.close());
  settle();
  ASSERT_TRUE(near_closing.done());
  EXPECT_EQ(code(near_closing.take()), Errc::unread);
  EXPECT_TRUE(far_closing.take());
  EXPECT_EQ(pair.near.delivery().in_doubt, 6U);
}

TEST_F(FramedChannels, TellAnAbortFromAClose) {
  auto pair = framed_pair();
  auto stream = pair.far.message_stream();
  pair.near.abort();
  settle();
  EXPECT_FALSE(run(stream.next()));
  EXPECT_EQ(code(stream.end_reason()), Errc::aborted);
}

TEST_F(FramedChannels, EndByNameWhenThePeerBreaksTheRules) {
  auto pair = framed_pair();
  auto stream = pair.far.message_stream();
  pair.wire->inject(1, Message::text("no frame"));
  settle();
  EXPECT_FALSE(run(stream.next()));
  EXPECT_EQ(stream.end_reason().error(), Error(Errc::protocol_error, "text_frame"));
}

TEST_F(FramedChannels, HearByNameThatTheyBrokeTheRules) {
  auto pair = framed_pair();
  constexpr std::array<std::byte, 3> kAbort{std::byte{1}, std::byte{8}, std::byte{11}};
  pair.wire->inject(0, Message::binary(kAbort));
  settle();
  EXPECT_EQ(pair.near.close_reason().error(), Error(Errc::protocol_error, "the other side found: credit_exceeded"));
}

TEST_F(FramedChannels, GiveAMessageInPartsWhileItComes) {
  auto pair = framed_pair();
  auto incoming = pair.far.incoming_messages();
  const std::string large(3'000'000, 'L');
  auto sending = start(pair.near.send_text(large));
  settle();
  auto message = run(incoming.next());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->size(), large.size());
  EXPECT_FALSE(sending.done());
  // One that nobody reads yet holds no other up.
  auto small = start(pair.near.send_text("small"));
  settle();
  EXPECT_TRUE(small.done());
  auto second = run(incoming.next());
  ASSERT_TRUE(second);
  EXPECT_EQ(run(second->whole())->as_text(), "small");
  std::string read;
  while (auto part = run(message->next_part())) read += part->as_text();
  EXPECT_TRUE(message->end_reason());
  EXPECT_EQ(read, large);
  settle();
  EXPECT_TRUE(sending.take());
}

TEST_F(FramedChannels, EndAMessageInTheMiddleFromEitherSide) {
  auto pair = framed_pair();
  auto incoming = pair.far.incoming_messages();
  const std::string large(3'000'000, 'L');
  auto unwanted = start(pair.near.send_text(large));
  auto given_up = start(pair.near.send_text(large));
  settle();
  auto first = run(incoming.next());
  auto second = run(incoming.next());
  ASSERT_TRUE(first && second);
  first->stop();
  given_up.cancel();
  settle();
  EXPECT_EQ(code(unwanted.take()), Errc::stopped);
  while (run(second->next_part())) {
  }
  EXPECT_EQ(code(second->end_reason()), Errc::cancelled);
  EXPECT_EQ(code(first->end_reason()), Errc::stopped);
  first.reset();
  second.reset();
  EXPECT_TRUE(run(pair.near.send_text("on it goes")));
  settle();
  EXPECT_EQ(run(run(incoming.next())->whole())->as_text(), "on it goes");
  const auto delivery = pair.near.delivery();
  EXPECT_EQ(delivery.acknowledged + delivery.in_doubt + delivery.unsent, 2 * large.size() + 10);
}

TEST_F(FramedChannels, RefuseMessagesThatAreTooLargeWithBothNumbers) {
  auto pair = framed_pair({}, {.framed = {.max_message_size = 100'000}});
  const std::string large(100'001, 'x');
  EXPECT_EQ(run(pair.near.send_text(large)).error(), Error(Errc::message_too_large, 100'001, 100'000));
  EXPECT_EQ(pair.near.max_message_size(), 100'000U);
}

struct Counting final : ByteSource {
  explicit Counting(std::uint64_t bytes) : total(bytes) {}
  Result<std::size_t> read(std::span<std::byte> room) override {
    if (blocked) return fail(Errc::would_block);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), total - given));
    std::fill_n(room.begin(), count, std::byte{'s'});
    given += count;
    return count;
  }
  void unblock() {
    blocked = false;
    ready();
  }
  std::uint64_t total;
  std::uint64_t given = 0;
  bool blocked = false;
};

TEST_F(FramedChannels, SendFromASourceInItsOwnTime) {
  auto pair = framed_pair({}, {.framed = {.max_message_size = 1'000'000}});
  auto incoming = pair.far.incoming_messages();
  Counting source(20'000'000);
  source.blocked = true;
  auto sending = start(pair.near.send_from(source));
  settle();
  EXPECT_TRUE(run(pair.near.send_text("meanwhile")));
  source.unblock();
  settle();
  EXPECT_EQ(run(run(incoming.next())->whole())->as_text(), "meanwhile");
  auto message = run(incoming.next());
  ASSERT_TRUE(message);
  EXPECT_FALSE(message->size());
  std::uint64_t read = 0;
  while (auto part = run(message->next_part())) {
    read += part->size();
    ASSERT_LE(source.given - read, 6U << 20);
  }
  EXPECT_EQ(read, source.total);
  EXPECT_TRUE(sending.take());
}

struct Sized final : ByteSource {
  Sized(std::uint64_t bytes, bool here) : total(bytes), is_here(here) {}
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return total; }
  [[nodiscard]] bool in_memory() const override { return is_here; }
  Result<std::size_t> read(std::span<std::byte> room) override {
    rooms.push_back(room.size());
    std::fill(room.begin(), room.end(), std::byte{'s'});
    return room.size();
  }
  std::uint64_t total;
  bool is_here;
  std::vector<std::size_t> rooms;
};

TEST_F(FramedChannels, AskASourceForAFewBytesFirstOnlyIfItsBytesAreInMemory) {
  auto pair = framed_pair();
  const auto rooms_of = [&](bool in_memory) {
    Sized source(100'000, in_memory);
    auto sending = start(pair.near.send_from(source));
    settle();
    EXPECT_TRUE(sending.done());
    EXPECT_EQ(pair.far.try_receive()->as_text(), std::string(100'000, 's'));
    settle();
    return source.rooms;
  };
  const auto in_memory = rooms_of(true);
  ASSERT_EQ(in_memory.size(), 2U);
  EXPECT_LE(in_memory[0], core::framed::kLongestPartHead);
  const auto other = rooms_of(false);
  ASSERT_EQ(other.size(), 2U);
  EXPECT_GT(other[0], 65'000U);
}

TEST_F(FramedChannels, KeepTheFewBytesOfABeginningFromAReaderOfParts) {
  auto pair = framed_pair();
  auto messages = pair.far.incoming_messages();
  pair.wire->automatic = false;
  const std::string text(100'000, 'x');
  auto sending = start(pair.near.send_text(text));
  settle();
  pair.wire->deliver(0, 1);
  settle();
  auto incoming = run(messages.next());
  ASSERT_TRUE(incoming);
  EXPECT_EQ(incoming->try_next_part().error().code(), Errc::would_block);
  auto reading = start(incoming->next_part());
  settle();
  EXPECT_FALSE(reading.done());
  pair.wire->deliver(0);
  settle();
  ASSERT_TRUE(reading.done());
  EXPECT_EQ(reading.take()->as_text(), text);
}

TEST_F(FramedChannels, TellWhatWasTakenOfPartsAfterAWhile) {
  auto pair = framed_pair();
  Sized source(100'000, false);
  auto sending = start(pair.near.send_from(source));
  settle();
  auto messages = pair.far.incoming_messages();
  auto incoming = run(messages.next());
  ASSERT_TRUE(incoming);
  const auto part = incoming->try_next_part();
  ASSERT_TRUE(part);
  pass(99ms);
  EXPECT_EQ(pair.near.delivery().acknowledged, 0U);
  pass(2ms);
  EXPECT_EQ(pair.near.delivery().acknowledged, part->size());
  ASSERT_TRUE(incoming->try_next_part());
  pass(101ms);
  EXPECT_EQ(pair.near.delivery().acknowledged, source.total);
  const auto frames = pair.far.stats().frames_sent;
  pass(1s);
  EXPECT_EQ(pair.far.stats().frames_sent, frames);  // nothing to tell
}

TEST_F(FramedChannels, TakeALateMessageBack) {
  auto pair = framed_pair({}, {.framed = {.window = 146}});
  const std::string text(500, 'x');
  const std::string large(1'000'000, 'y');
  auto late = start(pair.near.send_text(text, {.deadline = 10ms}));
  auto later = start(pair.near.send_text("x", {.deadline = 100ms}));
  settle();
  auto blocked = start(pair.near.send_text(large, {.deadline = 10ms}));
  settle();
  pass(11ms);
  EXPECT_TRUE(blocked.done());
  EXPECT_EQ(code(blocked.take()), Errc::timed_out);
  EXPECT_TRUE(late.take());
  EXPECT_TRUE(later.take());
}

TEST_F(FramedChannels, KeepTheLatestOfAKey) {
  auto pair = framed_pair({.send_high_water_mark = 1, .send_low_water_mark = 0});
  pair.wire->automatic = false;
  ASSERT_TRUE(pair.near.try_send_text(std::string(60'000, 'f')));
  const std::string bulk(60'000, 'o');
  const std::string early = "position 1" + bulk;
  auto other = start(pair.near.send_text(bulk));
  auto first = start(pair.near.send_text(early, {.key = 7}));
  auto second = start(pair.near.send_text("position 2", {.key = 7}));
  auto third = start(pair.near.send_text("position 3", {.key = 7}));
  settle();
  EXPECT_EQ(code(first.take()), Errc::superseded);
  pair.wire->automatic = true;
  pair.wire->deliver(0);
  settle();
  EXPECT_TRUE(other.take());
  std::string last;
  for (int i = 0; i < 10; ++i, settle())
    while (auto message = pair.far.try_receive()) last = message->as_text();
  EXPECT_EQ(last, "position 3");
}

TEST_F(FramedChannels, FlushWhatATurnHasCollected) {
  auto pair = framed_pair();
  ASSERT_TRUE(pair.near.try_send_text("first"));
  ASSERT_TRUE(pair.near.try_send_text("second"));
  auto taken = start(pair.near.flush(FlushTo::peer));
  settle();
  EXPECT_FALSE(taken.done());
  ASSERT_TRUE(pair.far.try_receive());
  ASSERT_TRUE(pair.far.try_receive());
  settle();
  ASSERT_TRUE(taken.done());
  EXPECT_TRUE(taken.take());
  EXPECT_EQ(pair.near.delivery().acknowledged, 11U);
  EXPECT_TRUE(run(pair.near.flush()));
}

TEST_F(FramedChannels, AnswerSeveralMessagesInPartsAtOnce) {
  auto pair = framed_pair();
  const std::string text(200'000, 'x');  // within the credit that each begins with
  const auto send_and_read = [&] {
    auto sending = start(pair.near.send_text(text));
    settle();
    ASSERT_TRUE(sending.done());
    ASSERT_EQ(pair.far.try_receive()->size(), text.size());
    settle();
  };
  const auto before = pair.wire->end(1).sends;
  for (int message = 1; message <= 12; ++message) {
    send_and_read();
    EXPECT_EQ(pair.wire->end(1).sends, before + static_cast<std::uint64_t>(message / 4)) << message;
  }
  EXPECT_EQ(pair.near.delivery().acknowledged, 12 * text.size());

  // Who asks hears of it, whether it was taken before or is after.
  send_and_read();
  EXPECT_EQ(pair.near.delivery().acknowledged, 12 * text.size());
  auto sending = start(pair.near.send_text(text));
  auto taken = start(pair.near.flush(FlushTo::peer));
  settle();
  EXPECT_EQ(pair.near.delivery().acknowledged, 13 * text.size());
  EXPECT_FALSE(taken.done());
  ASSERT_TRUE(pair.far.try_receive());
  settle();
  ASSERT_TRUE(taken.done());
  EXPECT_TRUE(taken.take());
  EXPECT_EQ(pair.near.delivery().acknowledged, 14 * text.size());
}

TEST_F(FramedChannels, GiveAPlaceBackBeforeTheLastIsTaken) {
  auto pair = framed_pair({}, {.framed = {.messages_in_progress = 8}});
  const std::string text(100'000, 'x');
  std::vector<Spawned<Result<void>>> sends;
  for (int message = 0; message < 8; ++message) {
    sends.push_back(start(pair.near.send_text(text)));
    settle();
    if (message == 0) {
      ASSERT_TRUE(pair.far.try_receive());
    }
  }
  auto waiting = start(pair.near.send_text(text));  // seven are unread, and of one the sender has not heard yet
  settle();
  for (auto& send : sends) EXPECT_TRUE(send.done());
  EXPECT_TRUE(waiting.done());
}

TEST_F(FramedChannels, HaveBatchesOnlyWhereOrderOrReliabilityIsMissing) {
  const core::ChannelInfo info{.protocol = "wdc.framed.v1", .ordered = false};
  auto wire = backend->make_wire(info);
  auto refused = core::make_channel(loop->internal(), wire->take(0), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::unsupported);
  const FlowOptions flow{.framed = {.batches_only = true}};
  auto pair = framed_pair(flow, flow, info);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(pair.near.try_send_text("tick"));
  ASSERT_TRUE(pair.near.try_send_text(std::string(100'000, 'x')));
  Counting source(1);
  EXPECT_EQ(code(run(pair.near.send_from(source))), Errc::unsupported);
  EXPECT_EQ(code(run(pair.near.flush(FlushTo::peer))), Errc::unsupported);
  settle();
  int received = 0;
  while (pair.far.try_receive()) ++received;
  EXPECT_EQ(received, 6);
  EXPECT_TRUE(run(pair.near.close()));
}

TEST_F(FramedChannels, TellWhoWaitsForPartsOfTheEnd) {
  auto pair = framed_pair({}, {.framed = {.message_window = 50'000, .read_window = 50'000}});
  auto incoming = pair.far.incoming_messages();
  const std::string large(3'000'000, 'L');
  auto first = start(pair.near.send_text(large));
  auto second = start(pair.near.send_text(large));
  settle();
  auto in_parts = run(incoming.next());
  auto as_whole = run(incoming.next());
  ASSERT_TRUE(in_parts && as_whole);
  pair.wire->automatic = false;
  while (in_parts->try_next_part()) {
  }
  auto part = start(in_parts->next_part());
  auto whole = start(as_whole->whole());
  settle();
  ASSERT_FALSE(part.done() || whole.done());
  pair.wire->break_both(Error(Errc::peer_lost));
  settle();
  ASSERT_TRUE(part.done() && whole.done());
  EXPECT_FALSE(part.take());
  EXPECT_EQ(code(in_parts->end_reason()), Errc::peer_lost);
  EXPECT_EQ(whole.take().error().code(), Errc::peer_lost);
  EXPECT_EQ(code(first.take()), Errc::peer_lost);
  EXPECT_EQ(code(second.take()), Errc::peer_lost);
}

TEST_F(FramedChannels, LetEverythingPassWhatNobodyReads) {
  auto pair = framed_pair();
  auto incoming = pair.far.incoming_messages();
  const std::string large(1'000'000, 'L');
  std::vector<Spawned<Result<void>>> unread;
  std::vector<IncomingMessage> held;
  for (std::size_t i = 0; i + 1 < FramedOptions{}.messages_in_progress; ++i)
    unread.push_back(start(pair.near.send_text(large)));
  settle();
  for (std::size_t i = 0; i < unread.size(); ++i) held.push_back(*run(incoming.next()));
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(run(pair.near.send_text("small")));
    ASSERT_EQ(run(run(incoming.next())->whole())->as_text(), "small");
    auto sending = start(pair.near.send_text(large));
    settle();
    auto message = run(incoming.next());
    ASSERT_TRUE(message);
    EXPECT_EQ(run(message->whole())->as_text(), large);
    settle();
    ASSERT_TRUE(sending.done() && sending.take());
  }
  for (auto& send : unread) EXPECT_FALSE(send.done());
  for (auto& message : held) EXPECT_EQ(run(message.whole())->as_text(), large);
  settle();
  for (auto& send : unread) EXPECT_TRUE(send.done() && send.take());
}

TEST_F(FramedChannels, DropTheOldestSendsWhereFreshDataIsWanted) {
  auto pair = framed_pair({.send_queue_operations = 3, .framed = {.send_overflow = SendOverflow::drop_oldest}},
                          {.framed = {.window = 400}});
  while (pair.near.try_send_text("fills the window")) settle();
  std::vector<std::string> texts;
  for (int i = 0; i < 8; ++i) texts.push_back("update " + std::to_string(i));
  std::vector<Spawned<Result<void>>> sends;
  for (const auto& text : texts) sends.push_back(start(pair.near.send_text(text)));
  settle();
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(sends[i].done()) << i;
    EXPECT_EQ(code(sends[i].take()), Errc::superseded);
  }
  std::vector<std::string> received;
  for (int rounds = 0; rounds < 50; ++rounds, settle())
    while (auto message = pair.far.try_receive()) received.emplace_back(message->as_text());
  ASSERT_GE(received.size(), 3U);
  EXPECT_TRUE(std::equal(texts.end() - 3, texts.end(), received.end() - 3));
  for (std::size_t i = 5; i < 8; ++i) EXPECT_TRUE(sends[i].done() && sends[i].take());
  const auto delivery = pair.near.delivery();
  EXPECT_EQ(delivery.unsent, 5 * texts[0].size());
}

TEST_F(FramedChannels, KeepFreshDataFlowingWithoutCredit) {
  const core::ChannelInfo info{.protocol = "wdc.framed.v1", .ordered = false};
  for (const auto overflow : {ReceiveOverflow::drop_oldest, ReceiveOverflow::drop_newest}) {
    const FlowOptions flow{
        .receive_queue_bytes = 20'000, .receive_overflow = overflow, .framed = {.batches_only = true}};
    auto pair = framed_pair(flow, flow, info);
    std::uint64_t received = 0;
    std::string last;
    const auto exchange = [&](const std::string& text) {
      for (int i = 0; i < 1'000; ++i) {
        ASSERT_TRUE(pair.near.try_send_text(text + std::to_string(i)));
        if (i % 10 == 0) settle();
      }
      settle();
      EXPECT_LE(pair.far.stats().receive_queue_messages, 200U);
      while (auto message = pair.far.try_receive()) {
        ++received;
        last = message->as_text();
      }
      EXPECT_EQ(pair.far.stats().receive_queue_messages, 0U);
    };
    for (int i = 0; i < 20; ++i) exchange(std::string(100, static_cast<char>('a' + i)));
    EXPECT_EQ(last.front(), 't');
    if (overflow == ReceiveOverflow::drop_oldest) {
      EXPECT_EQ(last, std::string(100, 't') + "999");
    }
    const auto stats = pair.far.stats();
    EXPECT_EQ(stats.messages_dropped + received, 20'000U);
    EXPECT_GE(received, 20 * 100U);
  }
}

TEST_F(FramedChannels, BreakWhereOverflowShouldBreakThem) {
  const core::ChannelInfo info{.protocol = "wdc.framed.v1", .ordered = false};
  const FlowOptions flow{.receive_queue_messages = 10, .framed = {.batches_only = true}};
  auto pair = framed_pair(flow, flow, info);
  for (int i = 0; i < 100; ++i, settle()) (void)pair.near.try_send_text("x");
  settle();
  int received = 0;
  while (pair.far.try_receive()) ++received;
  EXPECT_GE(received, 10);
  EXPECT_EQ(code(pair.far.close_reason()), Errc::receive_overflow);
}

TEST_F(FramedChannels, SayToWhoClosesLateThatNotEverythingWasTaken) {
  auto pair = framed_pair();
  ASSERT_TRUE(pair.near.try_send_text("unread"));
  settle();
  auto far_closing = start(pair.far.close());
  settle();
  ASSERT_EQ(pair.near.ready_state(), ReadyState::closed);
  EXPECT_TRUE(far_closing.take());
  EXPECT_EQ(code(run(pair.near.close())), Errc::unread);
}

TEST_F(FramedChannels, SayWhatBecameOfEachByteWhenTheConnectionBreaks) {
  auto pair = framed_pair();
  auto stream = pair.far.message_stream();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(pair.near.try_send_text("0123456789"));
  settle();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(run(stream.next()));
  auto flushing = start(pair.near.flush(FlushTo::peer));
  settle();
  pair.wire->automatic = false;
  ASSERT_TRUE(pair.near.try_send_text("collected"));
  ASSERT_TRUE(pair.near.try_send_text("unsent"));
  pair.wire->break_both(Error(Errc::peer_lost));
  settle();
  EXPECT_EQ(code(flushing.take()), Errc::peer_lost);
  const auto delivery = pair.near.delivery();
  EXPECT_LE(delivery.acknowledged, 400U);
  EXPECT_GE(delivery.in_doubt + delivery.acknowledged, 1'000U + 9U);
  EXPECT_EQ(delivery.unsent, 6U);
  EXPECT_EQ(delivery.acknowledged + delivery.in_doubt + delivery.unsent, 1'015U);
}

}  // namespace
}  // namespace wdc
