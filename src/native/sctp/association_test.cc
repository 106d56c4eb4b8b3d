// SPDX-License-Identifier: MIT
#include "src/native/sctp/association.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "src/native/sctp/packet/abort_chunk.h"
#include "src/native/sctp/packet/cookie_echo_chunk.h"
#include "src/native/sctp/packet/error_chunk.h"
#include "src/native/sctp/packet/reconfig_chunk.h"
#include "src/native/sctp/packet/shutdown_chunk.h"
#include "tests/support/sim/pair.h"

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;
using sim::End;
using sim::LinkOptions;
using sim::Pair;
using State = Association::State;

AssociationOptions plain() {
  AssociationOptions options;
  options.capabilities = {true, false, true, false};
  return options;
}

AssociationOptions with(Capabilities capabilities) {
  AssociationOptions options;
  options.capabilities = capabilities;
  return options;
}

LinkOptions delayed(Duration delay = 10ms) {
  LinkOptions link;
  link.delay = delay;
  return link;
}

bool ended(const End& end) { return end.count<ClosedEvent>() == 1; }

/// Listens to the wire: the last packet of each end, with its header and its chunks' types.
struct Wire {
  explicit Wire(Pair& pair) {
    pair.tap = [this](bool from_a, std::span<const std::byte> packet) {
      auto& last = from_a ? from_a_ : from_b_;
      last.assign(packet.begin(), packet.end());
      (from_a ? types_a : types_b).push_back(type_of(packet));
      return !drop || !drop(from_a, type_of(packet));
    };
  }
  static ChunkType type_of(std::span<const std::byte> packet) {
    return ChunkType{std::to_integer<std::uint8_t>(packet[12])};
  }
  /// The verification tag of what the end last sent: what its peer accepts.
  [[nodiscard]] VerificationTag tag_from_a() const {
    return VerificationTag(load_big_endian<std::uint32_t>(from_a_.data() + 4));
  }
  [[nodiscard]] VerificationTag tag_from_b() const {
    return VerificationTag(load_big_endian<std::uint32_t>(from_b_.data() + 4));
  }

  std::function<bool(bool from_a, ChunkType)> drop;
  std::vector<std::byte> from_a_, from_b_;
  std::vector<ChunkType> types_a, types_b;
};

template <class... Chunks>
std::vector<std::byte> packet(VerificationTag tag, const Chunks&... chunks) {
  std::vector<std::byte> bytes(1'400);
  PacketWriter writer(bytes, {Port(5000), Port(5000), tag});
  EXPECT_TRUE((writer.append(chunks) && ...));
  bytes.resize(writer.finish(Checksum::crc32c));
  return bytes;
}

void inject(Pair& pair, End& end, const std::vector<std::byte>& bytes) {
  const ByteView view = bytes;
  end.association.handle_packets({&view, 1}, pair.now);
}

class AssociationTest : public testing::Test {
 protected:
  void connect(bool simultaneous = false) { ASSERT_TRUE(pair.connect(simultaneous)); }

  Pair pair{plain(), delayed()};
  Wire wire{pair};
};

// ---- set-up

TEST_F(AssociationTest, SetsUpInTwoRoundTrips) {
  const TimePoint start = pair.now;
  connect();
  EXPECT_EQ(pair.now - start, Duration(40ms));
  EXPECT_EQ(wire.types_a, (std::vector{ChunkType::init, ChunkType::cookie_echo}));
  EXPECT_EQ(wire.types_b, (std::vector{ChunkType::init_ack, ChunkType::cookie_ack}));
}

TEST_F(AssociationTest, SetsUpWhenBothEndsBegin) {
  connect(true);
  pair.run_for(5s);
  EXPECT_EQ(pair.a.association.state(), State::established);
  EXPECT_EQ(pair.b.association.state(), State::established);
  EXPECT_EQ(pair.a.count<ConnectedEvent>(), 1U);
  EXPECT_EQ(pair.b.count<ConnectedEvent>(), 1U);
  ASSERT_EQ(pair.a.send(0, "one", pair.now), SendStatus::ok);
  ASSERT_EQ(pair.b.send(0, "two", pair.now), SendStatus::ok);
  pair.run_for(1s);
  EXPECT_EQ(pair.b.messages.at(0).bytes, "one");
  EXPECT_EQ(pair.a.messages.at(0).bytes, "two");
}

TEST_F(AssociationTest, SetsUpAlthoughEachHandshakePacketIsLostOnce) {
  for (const ChunkType lost : {ChunkType::init, ChunkType::init_ack, ChunkType::cookie_echo, ChunkType::cookie_ack}) {
    for (const bool simultaneous : {false, true}) {
      Pair lossy(plain(), delayed());
      Wire lossy_wire(lossy);
      bool done = false;
      lossy_wire.drop = [&](bool, ChunkType type) { return type == lost && !std::exchange(done, true); };
      EXPECT_TRUE(lossy.connect(simultaneous)) << static_cast<int>(lost) << simultaneous;
      EXPECT_TRUE(done);
      ASSERT_EQ(lossy.a.send(0, "x", lossy.now), SendStatus::ok);
      lossy.run_for(5s);
      EXPECT_EQ(lossy.b.messages.size(), 1U);
    }
  }
}

TEST_F(AssociationTest, GivesUpWhenNobodyAnswers) {
  wire.drop = [](bool, ChunkType) { return true; };
  EXPECT_FALSE(pair.connect(false, 200s));
  ASSERT_TRUE(ended(pair.a));
  EXPECT_EQ(pair.a.last<ClosedEvent>()->reason, CloseReason::timed_out);
  EXPECT_EQ(std::ranges::count(wire.types_a, ChunkType::init), 9);
}

TEST_F(AssociationTest, MessagesQueuedBeforeTheSetUpAreDelivered) {
  ASSERT_EQ(pair.a.send(3, "early", pair.now), SendStatus::ok);
  connect();
  pair.run_for(1s);
  EXPECT_EQ(pair.b.messages.at(0), (sim::Text{3, 53, "early"}));
}

TEST_F(AssociationTest, AgreesOnWhatBothEndsCan) {
  Pair mixed(with({true, true, true, false}), with({true, false, true, true}), delayed(), delayed(), 3);
  ASSERT_TRUE(mixed.connect());
  EXPECT_EQ(mixed.a.last<ConnectedEvent>()->capabilities, (Capabilities{true, false, true, true}));
  EXPECT_EQ(mixed.b.last<ConnectedEvent>()->capabilities, (Capabilities{true, false, true, false}));
}

TEST_F(AssociationTest, AnInitWithAWrongTagIsIgnored) {
  inject(pair, pair.b,
         packet(VerificationTag(1), InitToSend{ChunkType::init, VerificationTag(9), 5'000, 1, 1, Tsn(1), {}, {}, {}}));
  EXPECT_FALSE(pair.settle());
  EXPECT_EQ(pair.b.association.stats().packets_misdirected, 1U);
}

TEST_F(AssociationTest, AnInitWithAZeroTagOrATinyWindowIsIgnoredAndOneWithoutStreamsAborted) {
  inject(pair, pair.b,
         packet(VerificationTag(0), InitToSend{ChunkType::init, VerificationTag(0), 5'000, 1, 1, Tsn(1), {}, {}, {}}));
  inject(pair, pair.b,
         packet(VerificationTag(0), InitToSend{ChunkType::init, VerificationTag(9), 1'499, 1, 1, Tsn(1), {}, {}, {}}));
  EXPECT_FALSE(pair.settle());
  inject(pair, pair.b,
         packet(VerificationTag(0), InitToSend{ChunkType::init, VerificationTag(9), 5'000, 0, 1, Tsn(1), {}, {}, {}}));
  pair.settle();
  EXPECT_EQ(wire.types_b, std::vector{ChunkType::abort});
  EXPECT_EQ(wire.tag_from_b(), VerificationTag(9));
  EXPECT_EQ(pair.b.association.state(), State::closed);
}

TEST_F(AssociationTest, UnknownParametersAreReportedInTheInitAck) {
  auto init =
      packet(VerificationTag(0), InitToSend{ChunkType::init, VerificationTag(9), 5'000, 1, 1, Tsn(1), {}, {}, {}});
  init.resize(init.size() + 8);
  store_big_endian(init.data() + init.size() - 8, std::uint32_t{0xfff00008});
  store_big_endian(init.data() + 14, std::uint16_t{28});
  std::vector<std::byte> again(init.size());
  PacketWriter writer(again, {Port(5000), Port(5000), VerificationTag(0)});
  struct Raw {
    ByteView bytes;
    [[nodiscard]] std::size_t size() const { return bytes.size(); }
    void write(std::byte* at) const { copy_bytes(at, bytes); }
  };
  ASSERT_TRUE(writer.append(Raw{ByteView(init).subspan(12)}));
  ASSERT_EQ(writer.finish(Checksum::crc32c), again.size());
  inject(pair, pair.b, again);
  pair.settle();
  ASSERT_EQ(wire.types_b, std::vector{ChunkType::init_ack});
  const std::array<std::byte, 4> reported{std::byte{0}, std::byte{8}, std::byte{0}, std::byte{12}};
  EXPECT_FALSE(std::ranges::search(wire.from_b_, reported).empty());
}

TEST_F(AssociationTest, ForgedCookiesAreRefused) {
  const std::vector<std::byte> forged(StateCookie::kSize, std::byte{1});
  inject(pair, pair.b, packet(VerificationTag(5), CookieEchoChunk{forged}));
  inject(pair, pair.b, packet(VerificationTag(5), CookieEchoChunk{std::span(forged).first(10)}));
  EXPECT_FALSE(pair.settle());
  EXPECT_EQ(pair.b.association.stats().cookies_refused, 2U);
  EXPECT_EQ(pair.b.association.state(), State::closed);
}

TEST_F(AssociationTest, AnOversizedInitInsideACookieIsRefused) {
  std::vector<std::byte> huge(1'300, std::byte{0xff});
  inject(pair, pair.b, packet(VerificationTag(5), CookieEchoChunk{huge}));
  EXPECT_FALSE(pair.settle());
  EXPECT_EQ(pair.b.association.stats().cookies_refused, 1U);
}

TEST_F(AssociationTest, AStaleCookieIsAnsweredAndTheSetUpBeginsAgain) {
  AssociationOptions impatient = plain();
  impatient.cookie_lifetime = 15ms;
  Pair slow(plain(), impatient, delayed(), delayed(), 4);
  Wire slow_wire(slow);
  EXPECT_FALSE(slow.connect(false, 2s));
  EXPECT_GE(std::ranges::count(slow_wire.types_b, ChunkType::error), 1);
  EXPECT_GE(std::ranges::count(slow_wire.types_a, ChunkType::init), 2);
  slow.a_to_b.set_options(delayed(1ms));
  slow.b_to_a.set_options(delayed(1ms));
  EXPECT_TRUE(slow.run_until([&] { return slow.a.count<ConnectedEvent>() == 1; }, 30s));
}

TEST_F(AssociationTest, ARetransmittedInitAndCookieChangeNothing) {
  std::vector<std::vector<std::byte>> seen;
  pair.tap = [&](bool from_a, std::span<const std::byte> bytes) {
    if (from_a) seen.emplace_back(bytes.begin(), bytes.end());
    return true;
  };
  connect();
  for (int i = 0; i < 3; ++i) {
    for (const auto& old : std::vector(seen)) inject(pair, pair.b, old);
    pair.run_for(1s);
  }
  ASSERT_EQ(pair.a.send(0, "still here", pair.now), SendStatus::ok);
  pair.run_for(1s);
  EXPECT_EQ(pair.b.messages.size(), 1U);
  EXPECT_EQ(pair.b.count<RestartedEvent>(), 0U);
  EXPECT_EQ(pair.b.count<ConnectedEvent>(), 1U);
}

TEST_F(AssociationTest, APeerThatStartedAnewRestartsTheAssociation) {
  connect();
  ASSERT_EQ(pair.b.send(0, "lost with the old one", pair.now), SendStatus::ok);
  End fresh(plain(), 99);
  fresh.association.connect(pair.now);
  const auto exchange = [&] {
    std::vector<std::byte> memory(64 * 1'200);
    for (int i = 0; i < 10; ++i) {
      PacketTrain train(memory, 1'188);
      fresh.association.poll_transmit(train, pair.now);
      for (std::size_t k = 0; k < train.count(); ++k) {
        const ByteView view = train.packet(k);
        pair.b.association.handle_packets({&view, 1}, pair.now);
      }
      PacketTrain back(memory, 1'188);
      pair.b.association.poll_transmit(back, pair.now);
      for (std::size_t k = 0; k < back.count(); ++k) {
        const ByteView view = back.packet(k);
        fresh.association.handle_packets({&view, 1}, pair.now);
      }
    }
  };
  exchange();
  EXPECT_EQ(fresh.association.state(), State::established);
  ASSERT_EQ(fresh.send(0, "first again", pair.now), SendStatus::ok);
  exchange();
  while (auto event = pair.b.association.poll_event()) pair.b.events.push_back(*event);
  EXPECT_EQ(pair.b.count<RestartedEvent>(), 1U);
  const auto message = pair.b.association.poll_message();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->payload.size(), 11U);
}

// ---- tags and strays

TEST_F(AssociationTest, AbortsCountOnlyWithTheRightTag) {
  connect();
  const VerificationTag to_b = wire.tag_from_a();
  const VerificationTag to_a = wire.tag_from_b();
  inject(pair, pair.b, packet(VerificationTag(to_b.value() + 1), AbortChunk{}));
  inject(pair, pair.b,
         packet(to_b, AbortChunk{TagKind::reflected, {}}));  // T says the tag is b's peer's, and it is not
  inject(pair, pair.b, packet(to_a, AbortChunk{}));
  EXPECT_EQ(pair.b.association.state(), State::established);
  inject(pair, pair.b, packet(to_a, AbortChunk{TagKind::reflected, {}}));
  EXPECT_EQ(pair.b.association.state(), State::ended);
}

TEST_F(AssociationTest, AnAbortWithAnUnknownCauseIsAccepted) {
  connect();
  inject(pair, pair.b, packet(wire.tag_from_a(), AbortChunk{TagKind::own, {CauseCode{0xbeef}, {}}}));
  pair.settle();
  ASSERT_TRUE(ended(pair.b));
  EXPECT_EQ(pair.b.last<ClosedEvent>()->reason, CloseReason::aborted_by_peer);
  EXPECT_EQ(pair.b.last<ClosedEvent>()->cause, CauseCode{0xbeef});
}

TEST_F(AssociationTest, AShutdownCompleteNobodyWaitsForIsIgnored) {
  connect();
  inject(pair, pair.b, packet(wire.tag_from_a(), BareChunk{ChunkType::shutdown_complete}));
  inject(pair, pair.b, packet(wire.tag_from_b(), BareChunk{ChunkType::shutdown_complete, TagKind::reflected}));
  EXPECT_EQ(pair.b.association.state(), State::established);
}

TEST_F(AssociationTest, WhatComesAfterTheEndIsAnsweredWithAnAbort) {
  connect();
  wire.drop = [](bool from_a, ChunkType type) { return !from_a && type == ChunkType::abort; };
  pair.b.association.abort("gone", pair.now);
  pair.settle();
  wire.drop = nullptr;
  ASSERT_EQ(pair.a.send(0, "anyone?", pair.now), SendStatus::ok);
  pair.run_for(1s);
  ASSERT_TRUE(ended(pair.a));
  EXPECT_EQ(pair.a.last<ClosedEvent>()->reason, CloseReason::aborted_by_peer);
}

TEST_F(AssociationTest, CorruptedPacketsAreCountedAndIgnored) {
  connect();
  auto bytes = packet(wire.tag_from_a(), AbortChunk{});
  bytes.back() ^= std::byte{1};
  inject(pair, pair.b, bytes);
  EXPECT_EQ(pair.b.association.stats().packets_malformed, 1U);
  EXPECT_EQ(pair.b.association.state(), State::established);
}

TEST_F(AssociationTest, AuthAndAsconfAreRefused) {
  connect();
  wire.types_b.clear();
  inject(pair, pair.b, packet(wire.tag_from_a(), BareChunk{ChunkType::auth}, BareChunk{ChunkType::shutdown_ack}));
  EXPECT_EQ(pair.b.association.state(), State::established);
  inject(pair, pair.b, packet(wire.tag_from_a(), BareChunk{ChunkType::asconf_ack}));
  EXPECT_FALSE(pair.settle());
  inject(pair, pair.b, packet(wire.tag_from_a(), BareChunk{ChunkType::asconf}));
  pair.settle();
  EXPECT_EQ(wire.types_b, std::vector{ChunkType::error});
  EXPECT_EQ(pair.b.association.stats().unknown_chunks, 3U);
}

TEST_F(AssociationTest, HeartbeatsAreAnsweredButNotOversizedOnes) {
  connect();
  wire.types_b.clear();
  const std::vector<std::byte> info(1'300, std::byte{7});
  inject(pair, pair.b, packet(wire.tag_from_a(), HeartbeatChunk{ChunkType::heartbeat, std::span(info).first(40)}));
  pair.settle();
  EXPECT_EQ(wire.types_b, std::vector{ChunkType::heartbeat_ack});
  inject(pair, pair.b, packet(wire.tag_from_a(), HeartbeatChunk{ChunkType::heartbeat, info}));
  pair.settle();
  EXPECT_EQ(wire.types_b.size(), 1U);
}

// ---- data

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

class ForgedDataTest : public AssociationTest {
 protected:
  void SetUp() override {
    connect();
    ASSERT_EQ(pair.a.send(0, "x", pair.now), SendStatus::ok);
    pair.settle();
    pair.a_to_b.set_options(delayed());
    tsn = Tsn(load_big_endian<std::uint32_t>(wire.from_a_.data() + 16));
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
  EXPECT_EQ(load_big_endian<std::uint16_t>(wire.from_b_.data() + 24), 1);
}

TEST_F(ForgedDataTest, DuplicatesAreReported) {
  inject(pair, pair.b, packet(tag, data(0)));
  pair.settle();
  ASSERT_EQ(wire.types_b, std::vector{ChunkType::sack});
  EXPECT_EQ(load_big_endian<std::uint16_t>(wire.from_b_.data() + 26), 1);
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
  EXPECT_EQ(load_big_endian<std::uint32_t>(wire.from_b_.data() + 16), tsn.plus(3).value());
}

TEST_F(AssociationTest, AForwardTsnThatWasNotAgreedOnIsIgnored) {
  Pair reliable(with({false, false, true, false}), delayed());
  Wire reliable_wire(reliable);
  ASSERT_TRUE(reliable.connect());
  ASSERT_EQ(reliable.a.send(0, "x", reliable.now), SendStatus::ok);
  reliable.settle();
  const Tsn tsn(load_big_endian<std::uint32_t>(reliable_wire.from_a_.data() + 16));
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
  const Tsn tsn(load_big_endian<std::uint32_t>(wire.from_a_.data() + 16));
  const VerificationTag to_a = wire.tag_from_b();
  inject(pair, pair.a, packet(to_a, SackToSend{tsn.plus(1), 100'000, {}, {}}));
  const std::array<GapBlock, 1> gaps{{{1, 9}}};
  inject(pair, pair.a, packet(to_a, SackToSend{tsn.plus(-1), 100'000, gaps, {}}));
  EXPECT_EQ(pair.a.association.stats().sacks_refused, 2U);
  EXPECT_GT(pair.a.association.stats().in_flight_bytes, 0U);
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

// ---- time

TEST_F(AssociationTest, ADeadPathIsNoticedWhileSending) {
  connect();
  wire.drop = [](bool, ChunkType) { return true; };
  ASSERT_EQ(pair.a.send(0, "x", pair.now), SendStatus::ok);
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.a); }, 200s));
  EXPECT_EQ(pair.a.last<ClosedEvent>()->reason, CloseReason::timed_out);
}

TEST_F(AssociationTest, ADeadPathIsNoticedWhileIdle) {
  connect();
  pair.run_for(100s);
  EXPECT_EQ(pair.a.association.state(), State::established);
  wire.drop = [](bool, ChunkType) { return true; };
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.a) && ended(pair.b); }, 300s));
  EXPECT_EQ(pair.b.last<ClosedEvent>()->reason, CloseReason::timed_out);
}

TEST_F(AssociationTest, HeartbeatsMeasureTheRoundTripAndForgedAnswersDoNot) {
  connect();
  pair.run_for(40s);
  EXPECT_EQ(pair.a.association.stats().smoothed_round_trip, Duration(20ms));
  const std::array<std::byte, 8> info{};
  inject(pair, pair.a, packet(wire.tag_from_b(), HeartbeatChunk{ChunkType::heartbeat_ack, info}));
  EXPECT_EQ(pair.a.association.stats().smoothed_round_trip, Duration(20ms));
}

TEST_F(AssociationTest, AnIdleAssociationIsQuietBetweenHeartbeats) {
  connect();
  pair.run_for(29s);
  EXPECT_EQ(wire.types_a.size(), 2U);
  EXPECT_EQ(wire.types_b.size(), 2U);
}

// ---- the end

TEST_F(AssociationTest, AShutdownDeliversWhatWasSentBothWays) {
  connect();
  ASSERT_EQ(pair.a.send(0, std::string(100'000, 'a'), pair.now), SendStatus::ok);
  ASSERT_EQ(pair.b.send(0, std::string(100'000, 'b'), pair.now), SendStatus::ok);
  pair.a.association.shutdown(pair.now);
  EXPECT_EQ(pair.a.send(0, "too late", pair.now), SendStatus::closed);
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.a) && ended(pair.b); }, 10s));
  EXPECT_EQ(pair.a.messages.size(), 1U);
  EXPECT_EQ(pair.b.messages.size(), 1U);
  EXPECT_EQ(pair.a.last<ClosedEvent>()->reason, CloseReason::shutdown);
  EXPECT_EQ(pair.b.last<ClosedEvent>()->reason, CloseReason::shutdown);
}

TEST_F(AssociationTest, BothEndsMayShutDownAtOnce) {
  connect();
  pair.a.association.shutdown(pair.now);
  pair.b.association.shutdown(pair.now);
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.a) && ended(pair.b); }, 10s));
  EXPECT_EQ(pair.a.last<ClosedEvent>()->reason, CloseReason::shutdown);
  EXPECT_EQ(pair.b.last<ClosedEvent>()->reason, CloseReason::shutdown);
}

TEST_F(AssociationTest, AShutdownSurvivesTheLossOfEachOfItsPackets) {
  for (const ChunkType lost : {ChunkType::shutdown, ChunkType::shutdown_ack, ChunkType::shutdown_complete}) {
    Pair lossy(plain(), delayed());
    Wire lossy_wire(lossy);
    ASSERT_TRUE(lossy.connect());
    bool done = false;
    lossy_wire.drop = [&](bool, ChunkType type) { return type == lost && !std::exchange(done, true); };
    lossy.a.association.shutdown(lossy.now);
    ASSERT_TRUE(lossy.run_until([&] { return ended(lossy.a) && ended(lossy.b); }, 30s)) << static_cast<int>(lost);
    EXPECT_TRUE(done);
    EXPECT_EQ(lossy.b.last<ClosedEvent>()->reason, CloseReason::shutdown);
  }
}

TEST_F(AssociationTest, AnAbortTellsThePeerWhy) {
  connect();
  pair.a.association.abort("enough", pair.now);
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.b); }, 1s));
  EXPECT_EQ(pair.b.last<ClosedEvent>()->reason, CloseReason::aborted_by_peer);
  EXPECT_EQ(pair.b.last<ClosedEvent>()->cause, CauseCode::user_initiated_abort);
  EXPECT_EQ(pair.b.last<ClosedEvent>()->detail, "enough");
  EXPECT_EQ(pair.a.last<ClosedEvent>()->reason, CloseReason::aborted);
}

TEST_F(AssociationTest, MessagesReceivedBeforeTheEndCanStillBeRead) {
  connect();
  pair.b.reads = false;
  ASSERT_EQ(pair.a.send(0, "last words", pair.now), SendStatus::ok);
  pair.a.association.shutdown(pair.now);
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.b); }, 10s));
  EXPECT_TRUE(pair.b.association.poll_message());
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

}  // namespace
}  // namespace wdc::sctp
