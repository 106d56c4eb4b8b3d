// SPDX-License-Identifier: MIT
#include "src/native/sctp/association.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "src/native/sctp/packet/abort_chunk.h"
#include "src/native/sctp/packet/forward_tsn_chunk.h"
#include "src/native/sctp/packet/i_data_chunk.h"
#include "src/native/sctp/packet/sack_chunk.h"
#include "tests/support/sim/wire.h"

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;
using namespace sim;
using State = Association::State;

TEST_F(AssociationTest, TrainsHaveFullPacketsButTheLast) {
  connect();
  const std::string text(20'000, 'x');
  ASSERT_EQ(pair.a.send(0, text, pair.now), SendStatus::ok);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(pair.a.send(1, std::string(700, 'y'), pair.now), SendStatus::ok);
  std::vector<std::byte> memory(64 * 1'300, std::byte{0xee});
  PacketTrain train(memory, 1'188, 13, 8);
  pair.a.association.poll_transmit(train, pair.now);
  ASSERT_GT(train.count(), 5U);
  for (std::size_t i = 0; i + 1 < train.count(); ++i) EXPECT_EQ(train.packet(i).size(), 1'188U);
  // The rooms around the packets are the caller's.
  for (std::size_t i = 0; i < train.count(); ++i) {
    for (std::size_t k = 0; k < 13; ++k) EXPECT_EQ(memory[i * train.stride() + k], std::byte{0xee});
    for (std::size_t k = 13 + 1'188; k < train.stride(); ++k)
      EXPECT_EQ(memory[i * train.stride() + k], std::byte{0xee});
  }
}

TEST_F(AssociationTest, OneSackForTwoPacketsAndADelayedOneForALonePacket) {
  connect();
  pair.run_for(1s);
  ASSERT_EQ(pair.a.send(0, "warm up: the first packet is acknowledged at once", pair.now), SendStatus::ok);
  pair.run_for(1s);
  wire.types_b.clear();
  ASSERT_EQ(pair.a.send(0, std::string(2'000, 'x'), pair.now), SendStatus::ok);
  pair.run_for(15ms);
  EXPECT_EQ(wire.types_b, std::vector{ChunkType::sack});
  ASSERT_EQ(pair.a.send(0, "x", pair.now), SendStatus::ok);
  pair.run_for(15ms);
  EXPECT_EQ(wire.types_b.size(), 1U);
  pair.run_for(Reception::kSackDelay);
  EXPECT_EQ(wire.types_b.size(), 2U);
}

TEST_F(AssociationTest, AnAnswerTakesTheAcknowledgementWithIt) {
  connect();
  ASSERT_EQ(pair.a.send(0, "the first packet is acknowledged at once", pair.now), SendStatus::ok);
  pair.run_for(1s);
  pair.b.messages.clear();
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(pair.a.send(0, "question", pair.now), SendStatus::ok);
    pair.run_until([&] { return pair.b.messages.size() > static_cast<std::size_t>(i); }, 1s);
    wire.types_b.clear();
    ASSERT_EQ(pair.b.send(0, "answer", pair.now), SendStatus::ok);
    pair.settle();
    EXPECT_EQ(wire.types_b, std::vector{ChunkType::sack});
    pair.run_until([&] { return pair.a.messages.size() > static_cast<std::size_t>(i); }, 1s);
    EXPECT_EQ(wire.types_b.size(), 1U) << "the answer came in a packet of its own";
  }
}

class ForgedDataTest : public AssociationTest {
 protected:
  void SetUp() override {
    connect();
    ASSERT_EQ(pair.a.send(0, "x", pair.now), SendStatus::ok);
    pair.settle();
    pair.a_to_b.set_options(delayed());
    tsn = Tsn(load_big_endian<std::uint32_t>(wire.last_from_a.data() + 16));
    tag = wire.tag_from_a();
    pair.run_for(1s);
    ASSERT_EQ(pair.b.messages.size(), 1U);
    wire.types_b.clear();
  }
  [[nodiscard]] DataChunk data(std::int64_t offset, DataFlags flags = {.beginning = true, .end = true}) const {
    return {tsn.plus(offset), StreamId(1), Ssn(0), Ppid(53), flags, payload};
  }
  [[nodiscard]] bool aborted() {
    pair.settle();
    return ended(pair.b) && pair.b.last<ClosedEvent>()->reason == CloseReason::protocol_violation;
  }
  std::array<std::byte, 4> payload{};
  Tsn tsn;
  VerificationTag tag;
};

TEST_F(ForgedDataTest, AGapIsAcknowledgedAtOnce) {
  inject(pair, pair.b, packet(tag, data(3)));
  pair.settle();
  ASSERT_EQ(wire.types_b, std::vector{ChunkType::sack});
  EXPECT_EQ(load_big_endian<std::uint16_t>(wire.last_from_b.data() + 24), 1);
}

TEST_F(ForgedDataTest, DuplicatesAreReported) {
  inject(pair, pair.b, packet(tag, data(0)));
  pair.settle();
  ASSERT_EQ(wire.types_b, std::vector{ChunkType::sack});
  EXPECT_EQ(load_big_endian<std::uint16_t>(wire.last_from_b.data() + 26), 1);
  EXPECT_EQ(pair.b.association.stats().duplicate_chunks, 1U);
}

TEST_F(ForgedDataTest, GapsBeyond65535AreNotTaken) {
  inject(pair, pair.b, packet(tag, data(70'000)));
  EXPECT_EQ(pair.b.association.stats().unread_bytes, 0U);
  EXPECT_EQ(pair.b.association.state(), State::established);
}

TEST_F(ForgedDataTest, DataWithoutUserDataAborts) {
  DataChunk empty = data(1);
  empty.payload = {};
  inject(pair, pair.b, packet(tag, empty));
  EXPECT_TRUE(aborted());
  EXPECT_EQ(pair.b.last<ClosedEvent>()->cause, CauseCode::no_user_data);
}

TEST_F(ForgedDataTest, DataMixedWithIDataAborts) {
  inject(
      pair, pair.b,
      packet(tag, IDataChunk{
                      tsn.plus(1), StreamId(1), Mid(0), Ppid(53), Fsn(0), {.beginning = true, .end = true}, payload}));
  EXPECT_TRUE(aborted());
}

TEST_F(AssociationTest, IDataMixedWithDataAborts) {
  Pair both(with({true, true, true, false}), delayed());
  Wire both_wire(both);
  ASSERT_TRUE(both.connect());
  ASSERT_EQ(both.a.send(0, "x", both.now), SendStatus::ok);
  both.settle();
  ASSERT_EQ(both_wire.types_a.back(), ChunkType::i_data);
  const Tsn tsn(load_big_endian<std::uint32_t>(both_wire.last_from_a.data() + 16));
  const std::array<std::byte, 4> bytes{};
  inject(both, both.b,
         packet(both_wire.tag_from_a(),
                DataChunk{tsn.plus(1), StreamId(0), Ssn(1), Ppid(53), {.beginning = true, .end = true}, bytes}));
  both.settle();
  ASSERT_TRUE(ended(both.b));
  EXPECT_EQ(both.b.last<ClosedEvent>()->reason, CloseReason::protocol_violation);
}

TEST_F(ForgedDataTest, AnIForwardTsnOnAnAssociationOfDataIsIgnored) {
  inject(pair, pair.b, packet(tag, IForwardTsnToSend{tsn.plus(10), {}}));
  EXPECT_EQ(pair.b.association.stats().unknown_chunks, 1U);
  inject(pair, pair.b, packet(tag, data(1)));
  pair.run_for(1s);
  EXPECT_EQ(load_big_endian<std::uint32_t>(wire.last_from_b.data() + 16), tsn.plus(1).value());
}

TEST_F(ForgedDataTest, ASackIsGivenAtOnceWhereItIsAskedFor) {
  inject(pair, pair.b, packet(tag, data(1)));
  pair.settle();
  EXPECT_TRUE(wire.types_b.empty());
  pair.run_for(1s);
  wire.types_b.clear();
  inject(pair, pair.b, packet(tag, data(2, {.immediate_sack = true, .beginning = true, .end = true})));
  pair.settle();
  EXPECT_EQ(wire.types_b, std::vector{ChunkType::sack});
}

TEST_F(ForgedDataTest, ContradictingFragmentsAbort) {
  inject(pair, pair.b, packet(tag, data(1, {.beginning = true})));
  DataChunk other = data(2, {.end = true});
  other.stream = StreamId(2);
  inject(pair, pair.b, packet(tag, other));
  EXPECT_TRUE(aborted());
}

TEST_F(ForgedDataTest, AMessageAboveTheLimitAborts) {
  std::vector<std::byte> large(1'000);
  for (std::int64_t i = 1; i <= 263 && !ended(pair.b); ++i) {
    DataChunk chunk = data(i, {.beginning = i == 1});
    chunk.payload = large;
    inject(pair, pair.b, packet(tag, chunk));
    pair.settle();
  }
  EXPECT_TRUE(aborted());
}

TEST_F(ForgedDataTest, ForwardTsnForUnseenAndFarDataDoesNoHarm) {
  inject(pair, pair.b, packet(tag, ForwardTsnToSend{tsn.plus(100'000), {}}));
  inject(pair, pair.b, packet(tag, ForwardTsnToSend{tsn.plus(-5), {}}));
  const std::array<ForwardTsnChunk::Skip, 1> skips{{{StreamId(60'000), Ssn(5)}}};
  inject(pair, pair.b, packet(tag, ForwardTsnToSend{tsn.plus(2), skips}));
  EXPECT_EQ(pair.b.association.state(), State::established);
  pair.settle();
  inject(pair, pair.b, packet(tag, data(3)));
  pair.run_for(1s);
  EXPECT_EQ(load_big_endian<std::uint32_t>(wire.last_from_b.data() + 16), tsn.plus(3).value());
}

TEST_F(AssociationTest, AForwardTsnThatWasNotAgreedOnIsIgnored) {
  Pair reliable(with({false, false, true, false}), delayed());
  Wire reliable_wire(reliable);
  ASSERT_TRUE(reliable.connect());
  ASSERT_EQ(reliable.a.send(0, "x", reliable.now), SendStatus::ok);
  reliable.settle();
  const Tsn tsn(load_big_endian<std::uint32_t>(reliable_wire.last_from_a.data() + 16));
  inject(reliable, reliable.b, packet(reliable_wire.tag_from_a(), ForwardTsnToSend{tsn.plus(10), {}}));
  reliable.run_for(1s);
  EXPECT_EQ(reliable.b.messages.size(), 1U);
  EXPECT_EQ(reliable.b.association.stats().unknown_chunks, 1U);
}

TEST_F(AssociationTest, ASackBeyondWhatWasSentIsRejectedWhole) {
  connect();
  wire.drop = [](bool from_a, ChunkType) { return from_a; };
  ASSERT_EQ(pair.a.send(0, "x", pair.now), SendStatus::ok);
  pair.settle();
  const std::size_t window = pair.a.association.stats().congestion_window;
  const Tsn tsn(load_big_endian<std::uint32_t>(wire.last_from_a.data() + 16));
  const VerificationTag to_a = wire.tag_from_b();
  inject(pair, pair.a, packet(to_a, SackToSend{tsn.plus(1), 100'000, {}, {}}));
  const std::array<GapBlock, 1> gaps{{{1, 9}}};
  inject(pair, pair.a, packet(to_a, SackToSend{tsn.plus(-1), 100'000, gaps, {}}));
  EXPECT_EQ(pair.a.association.stats().sacks_refused, 2U);
  EXPECT_GT(pair.a.association.stats().in_flight_bytes, 0U);
  EXPECT_EQ(pair.a.association.stats().congestion_window, window);
}

TEST_F(AssociationTest, UnreadMessagesCloseTheWindowAndReadingOpensIt) {
  AssociationOptions small = plain();
  small.receive_window = 50'000;
  Pair tight(plain(), small, delayed(), delayed(), 8);
  ASSERT_TRUE(tight.connect());
  tight.b.reads = false;
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(tight.a.send(0, std::string(10'000, static_cast<char>('a' + i)), tight.now), SendStatus::ok);
  tight.run_for(20s);
  EXPECT_LE(tight.b.association.stats().unread_bytes, 50'000U);
  EXPECT_EQ(tight.a.association.state(), State::established);  // probing is no failure
  tight.b.reads = true;
  ASSERT_TRUE(tight.run_until([&] { return tight.b.messages.size() == 20; }, 20s));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(tight.b.messages[static_cast<std::size_t>(i)].bytes[0], 'a' + i);
}

TEST_F(AssociationTest, AClosedWindowIsProbedForAsLongAsItTakes) {
  AssociationOptions small = plain();
  small.receive_window = 20'000;
  Pair tight(plain(), small, delayed(), delayed(), 8);
  Wire tight_wire(tight);
  ASSERT_TRUE(tight.connect());
  tight.b.reads = false;
  for (int i = 0; i < 10; ++i) ASSERT_EQ(tight.a.send(0, std::string(4'000, 'x'), tight.now), SendStatus::ok);
  tight.run_for(5s);
  const auto data_packets = [&] { return std::ranges::count(tight_wire.types_a, ChunkType::data); };
  const auto before = data_packets();
  tight.run_for(600s);
  EXPECT_GT(data_packets(), before + 30);
  EXPECT_LT(data_packets(), before + 200);
  EXPECT_EQ(tight.a.association.state(), State::established);
  // The peer reads, and the SACK that says so is lost: the next probe finds out.
  tight_wire.drop = [](bool from_a, ChunkType) { return !from_a; };
  tight.b.reads = true;
  tight.settle();
  tight_wire.drop = nullptr;
  ASSERT_TRUE(tight.run_until([&] { return tight.b.messages.size() == 10; }, 20s));
}

TEST_F(AssociationTest, EmptyMessagesAndUnknownStreamsAreRefused) {
  AssociationOptions few = plain();
  few.streams = 10;
  Pair narrow(plain(), few, delayed(), delayed(), 8);
  ASSERT_TRUE(narrow.connect());
  EXPECT_EQ(narrow.a.send(0, "", narrow.now), SendStatus::empty_message);
  EXPECT_EQ(narrow.a.send(10, "x", narrow.now), SendStatus::no_such_stream);
  EXPECT_EQ(narrow.a.send(9, "x", narrow.now), SendStatus::ok);
}

TEST_F(AssociationTest, ALostPacketIsSentAgainWithoutWaitingForTheTimer) {
  connect();
  int data = 0;
  wire.drop = [&](bool from_a, ChunkType type) { return from_a && type == ChunkType::data && ++data == 2; };
  const TimePoint start = pair.now;
  ASSERT_EQ(pair.a.send(0, std::string(11'000, 'x'), pair.now), SendStatus::ok);
  ASSERT_TRUE(pair.run_until([&] { return pair.b.messages.size() == 1; }, 5s));
  EXPECT_LT(pair.now - start, Duration(100ms));
}

TEST_F(AssociationTest, ZeroChecksumsAreSentOnlyTowardsAnEndThatTakesThem) {
  Pair mixed(with({true, false, true, true}), with({true, false, true, false}), delayed(), delayed(), 3);
  bool a_zero = false;
  bool b_zero = true;
  mixed.tap = [&](bool from_a, std::span<const std::byte> bytes) {
    const auto type = Wire::type_of(bytes);
    const bool zero = load_big_endian<std::uint32_t>(bytes.data() + 8) == 0;
    if (from_a) a_zero |= zero;
    if (!from_a && type == ChunkType::sack) b_zero &= zero;
    if (type == ChunkType::init || type == ChunkType::init_ack || type == ChunkType::cookie_echo) {
      EXPECT_FALSE(zero);
    }
    return true;
  };
  ASSERT_TRUE(mixed.connect());
  ASSERT_EQ(mixed.a.send(0, "x", mixed.now), SendStatus::ok);
  mixed.run_for(1s);
  EXPECT_EQ(mixed.b.messages.size(), 1U);
  EXPECT_FALSE(a_zero);
  EXPECT_TRUE(b_zero);
}

TEST_F(AssociationTest, ALargeMessageDoesNotHoldUpASmallOneWhereMessagesInterleave) {
  Pair both(with({true, true, true, false}), delayed());
  ASSERT_TRUE(both.connect());
  ASSERT_EQ(both.a.send(0, std::string(200'000, 'x'), both.now), SendStatus::ok);
  both.settle();
  ASSERT_EQ(both.a.send(1, "small", both.now), SendStatus::ok);
  ASSERT_TRUE(both.run_until([&] { return !both.b.messages.empty(); }, 5s));
  EXPECT_EQ(both.b.messages.front().bytes, "small");
}

// ---- partial reliability

TEST_F(AssociationTest, AMessageGivenUpHalfWayLeavesNothingBehind) {
  for (const bool interleaving : {false, true}) {
    Pair lossy(with({true, interleaving, true, false}), delayed(50ms));
    ASSERT_TRUE(lossy.connect());
    // Too large for the first window: it expires with its rest unsent.
    ASSERT_EQ(lossy.a.send(0, std::string(200'000, 'x'), lossy.now, {.lifetime = 20ms}), SendStatus::ok);
    lossy.run_for(30ms);
    ASSERT_EQ(lossy.a.send(0, "after", lossy.now), SendStatus::ok);
    ASSERT_TRUE(lossy.run_until([&] { return !lossy.b.messages.empty(); }, 5s));
    EXPECT_EQ(lossy.b.messages.front().bytes, "after");
    lossy.run_for(2s);
    EXPECT_EQ(lossy.b.association.stats().unread_bytes, 0U);
    EXPECT_EQ(lossy.a.association.stats().abandoned_messages, 1U);
    EXPECT_EQ(lossy.a.association.stats().in_flight_bytes, 0U);
  }
}

// ---- stream reset

TEST_F(AssociationTest, AStreamIsResetBothWaysAndUsedAgain) {
  connect();
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(pair.a.send(1, "one", pair.now), SendStatus::ok);
    ASSERT_EQ(pair.a.send(1, "two", pair.now), SendStatus::ok);
    ASSERT_EQ(pair.a.association.reset_stream(StreamId(1), pair.now), SendStatus::ok);
    EXPECT_EQ(pair.a.send(1, "too late", pair.now), SendStatus::stream_is_resetting);
    ASSERT_TRUE(
        pair.run_until([&] { return pair.b.count<PeerResetEvent>() == static_cast<std::size_t>(round + 1); }, 5s));
    EXPECT_EQ(pair.b.last<PeerResetEvent>()->streams, std::vector{StreamId(1)});
    ASSERT_EQ(pair.b.association.reset_stream(StreamId(1), pair.now), SendStatus::ok);
    ASSERT_TRUE(pair.run_until([&] { return pair.b.count<ResetEvent>() == static_cast<std::size_t>(round + 1); }, 5s));
    EXPECT_TRUE(pair.a.last<ResetEvent>()->performed && pair.b.last<ResetEvent>()->performed);
  }
  EXPECT_EQ(pair.b.messages.size(), 10U);
}

TEST_F(AssociationTest, AResetArrivesAfterTheDataBeforeIt) {
  LinkOptions lossy = delayed();
  lossy.loss = 0.2;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Pair bad(plain(), lossy, seed);
    ASSERT_TRUE(bad.connect());
    ASSERT_EQ(bad.a.send(1, std::string(30'000, 'x'), bad.now), SendStatus::ok);
    ASSERT_EQ(bad.a.association.reset_stream(StreamId(1), bad.now), SendStatus::ok);
    ASSERT_TRUE(bad.run_until([&] { return bad.b.count<PeerResetEvent>() > 0; }, 100s)) << seed;
    EXPECT_EQ(bad.b.messages.size(), 1U);
    ASSERT_TRUE(bad.run_until([&] { return bad.a.count<ResetEvent>() == 1; }, 100s));
    ASSERT_EQ(bad.a.send(1, "again", bad.now), SendStatus::ok);
    ASSERT_TRUE(bad.run_until([&] { return bad.b.messages.size() == 2; }, 100s));
  }
}

TEST_F(AssociationTest, AHundredThousandStreamsAreOpenedAndReset) {
  connect();
  std::size_t opened = 0;
  std::vector<std::uint16_t> streams;
  while (opened < 100'000) {
    streams.clear();
    for (std::uint16_t i = 0; i < 2'000; ++i) streams.push_back(static_cast<std::uint16_t>((opened + i) % 65'000));
    for (const std::uint16_t stream : streams) {
      ASSERT_EQ(pair.a.send(stream, "hello", pair.now), SendStatus::ok);
      ASSERT_EQ(pair.a.association.reset_stream(StreamId(stream), pair.now), SendStatus::ok);
    }
    std::size_t reset = 0;
    ASSERT_TRUE(pair.run_until(
        [&] {
          for (const Event& event : pair.a.events) {
            if (const auto* done = std::get_if<ResetEvent>(&event)) reset += done->streams.size();
          }
          pair.a.events.clear();
          return reset == streams.size();
        },
        60s));
    opened += streams.size();
  }
  pair.run_for(1s);
  EXPECT_EQ(pair.b.messages.size(), 100'000U);
}

TEST_F(AssociationTest, TsnsAndRequestNumbersWrap) {
  // Both begin with the initial TSN, which is the fourth number an end draws: a seed is looked for that puts it just
  // before the wrap.
  constexpr std::uint32_t kBefore = 1'000;
  std::uint64_t seed = 1;
  const auto initial_tsn = [](std::uint64_t of) {
    sim::Random random(of * 4 + 1);
    for (int i = 0; i < 3; ++i) static_cast<void>(random.next());
    return static_cast<std::uint32_t>(random.next());
  };
  while (initial_tsn(seed) < 0U - kBefore) ++seed;
  for (const bool interleaving : {false, true}) {
    LinkOptions bad = delayed();
    bad.loss = 0.05;
    bad.reorder = 0.05;
    Pair wrapping(with({true, interleaving, true, false}), bad, seed);
    Wire wrapping_wire(wrapping);
    ASSERT_TRUE(wrapping.connect());
    std::vector<std::string> sent;
    for (int i = 0; i < 300; ++i) sent.push_back(std::to_string(i) + std::string(8'000, 'x'));
    for (const std::string& text : sent) ASSERT_EQ(wrapping.a.send(1, text, wrapping.now), SendStatus::ok);
    ASSERT_TRUE(wrapping.run_until([&] { return wrapping.b.messages.size() == sent.size(); }, 300s));
    for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(wrapping.b.messages[i].bytes, sent[i]);
    EXPECT_LT(load_big_endian<std::uint32_t>(wrapping_wire.last_from_a.data() + 16), 10'000U);
    for (std::size_t round = 1; round <= kBefore + 10; ++round) {
      ASSERT_EQ(wrapping.a.association.reset_stream(StreamId(1), wrapping.now), SendStatus::ok);
      ASSERT_TRUE(wrapping.run_until([&] { return wrapping.a.count<ResetEvent>() == 1; }, 100s)) << round;
      ASSERT_TRUE(wrapping.a.last<ResetEvent>()->performed);
      wrapping.a.events.clear();
    }
    EXPECT_EQ(wrapping.b.count<PeerResetEvent>(), kBefore + 10);
    ASSERT_EQ(wrapping.a.send(1, "and on", wrapping.now), SendStatus::ok);
    EXPECT_TRUE(wrapping.run_until([&] { return wrapping.b.messages.size() == sent.size() + 1; }, 100s));
  }
}

TEST_F(AssociationTest, TheNumbersOfALongLifeWrap) {
  connect();
  // More messages than SSNs, on one stream.
  constexpr int kMessages = 70'000;
  int sent = 0;
  int received = 0;
  bool in_order = true;
  while (received < kMessages) {
    for (int i = 0; i < 2'000 && sent < kMessages; ++i) {
      ASSERT_EQ(pair.a.send(5, std::to_string(sent++), pair.now), SendStatus::ok);
    }
    const std::size_t wanted = static_cast<std::size_t>(sent - received);
    ASSERT_TRUE(pair.run_until([&] { return pair.b.messages.size() == wanted; }, 60s));
    for (const sim::Text& text : pair.b.messages) in_order &= text.bytes == std::to_string(received++);
    pair.b.messages.clear();
  }
  EXPECT_TRUE(in_order);
}

TEST_F(AssociationTest, DiscardsWhatIsQueuedAndResetsTheStream) {
  for (const bool interleaving : {false, true}) {
    Pair busy(with({true, interleaving, true, false}), delayed());
    ASSERT_TRUE(busy.connect());
    ASSERT_EQ(busy.a.send(1, std::string(1'000'000, 'x'), busy.now), SendStatus::ok);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(busy.a.send(1, "never sent", busy.now), SendStatus::ok);
    ASSERT_EQ(busy.a.send(1, "the channel's own", busy.now, {}, 50), SendStatus::ok);
    ASSERT_EQ(busy.a.send(2, "another's", busy.now), SendStatus::ok);
    busy.settle();
    ASSERT_GT(busy.a.association.stats().in_flight_bytes, 0U);
    busy.a.association.discard(StreamId(1), Ppid(50), busy.now);
    ASSERT_EQ(busy.a.association.reset_stream(StreamId(1), busy.now), SendStatus::ok);
    ASSERT_TRUE(busy.run_until([&] { return busy.a.count<ResetEvent>() == 1 && busy.b.messages.size() == 2; }, 10s));
    EXPECT_TRUE(busy.a.last<ResetEvent>()->performed);
    EXPECT_EQ(busy.b.count<PeerResetEvent>(), 1U);
    EXPECT_TRUE(std::ranges::count(busy.b.messages, Text{1, 50, "the channel's own"}) == 1);
    EXPECT_TRUE(std::ranges::count(busy.b.messages, Text{2, 53, "another's"}) == 1);
    EXPECT_EQ(busy.a.association.buffered(), 0U);
    // The stream's numbers begin anew at both ends.
    ASSERT_EQ(busy.a.send(1, "again", busy.now), SendStatus::ok);
    ASSERT_TRUE(busy.run_until([&] { return busy.b.messages.size() == 3; }, 10s));
    EXPECT_EQ(busy.b.messages.back().bytes, "again");
  }
}

TEST_F(AssociationTest, FinishesABegunMessageThatThePeerCannotSkip) {
  Pair reliable(with({false, false, true, false}), delayed());
  ASSERT_TRUE(reliable.connect());
  ASSERT_EQ(reliable.a.send(1, std::string(200'000, 'x'), reliable.now), SendStatus::ok);
  ASSERT_EQ(reliable.a.send(1, "never sent", reliable.now), SendStatus::ok);
  reliable.settle();
  reliable.a.association.discard(StreamId(1), Ppid(50), reliable.now);
  ASSERT_EQ(reliable.a.association.reset_stream(StreamId(1), reliable.now), SendStatus::ok);
  ASSERT_TRUE(reliable.run_until([&] { return reliable.a.count<ResetEvent>() == 1; }, 10s));
  ASSERT_EQ(reliable.b.messages.size(), 1U);
  EXPECT_EQ(reliable.b.messages[0].bytes.size(), 200'000U);
}

}  // namespace
}  // namespace wdc::sctp
