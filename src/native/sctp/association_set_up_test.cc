// SPDX-License-Identifier: MIT
#include "src/native/sctp/association.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "src/native/sctp/packet/abort_chunk.h"
#include "src/native/sctp/packet/cookie_echo_chunk.h"
#include "src/native/sctp/packet/error_chunk.h"
#include "tests/support/sim/hex.h"
#include "tests/support/sim/wire.h"

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;
using namespace sim;
using State = Association::State;

/// An INIT or INIT ACK that nothing is wrong with.
InitToSend some_init(ChunkType type) { return {type, VerificationTag(9), 5'000, 1, 1, Tsn(1), {}, {}, {}}; }

/// One with more parameters behind its own.
struct InitWith {
  InitToSend init;
  std::vector<std::byte> parameters;
  [[nodiscard]] std::size_t size() const { return padded(init.size()) + parameters.size(); }
  void write(std::byte* at) const {
    std::memset(at, 0, padded(init.size()));
    init.write(at);
    copy_bytes(at + padded(init.size()), parameters);
    write_chunk_header(at, init.type, 0, size());
  }
};

class SetUpTest : public AssociationTest {};

TEST_F(SetUpTest, SetsUpInTwoRoundTrips) {
  const TimePoint start = pair.now;
  connect();
  EXPECT_EQ(pair.now - start, Duration(40ms));
  EXPECT_EQ(wire.types_a, (std::vector{ChunkType::init, ChunkType::cookie_echo}));
  EXPECT_EQ(wire.types_b, (std::vector{ChunkType::init_ack, ChunkType::cookie_ack}));
}

TEST_F(SetUpTest, SetsUpWhenBothEndsBegin) {
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

TEST_F(SetUpTest, SetsUpAlthoughEachHandshakePacketIsLostOnce) {
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

TEST_F(SetUpTest, GivesUpWhenNobodyAnswers) {
  wire.drop = [](bool, ChunkType) { return true; };
  EXPECT_FALSE(pair.connect(false, 200s));
  ASSERT_TRUE(ended(pair.a));
  EXPECT_EQ(pair.a.last<ClosedEvent>()->reason, CloseReason::timed_out);
  EXPECT_EQ(std::ranges::count(wire.types_a, ChunkType::init), 9);
}

TEST_F(SetUpTest, MessagesQueuedBeforeTheSetUpAreDelivered) {
  ASSERT_EQ(pair.a.send(3, "early", pair.now), SendStatus::ok);
  connect();
  pair.run_for(1s);
  EXPECT_EQ(pair.b.messages.at(0), (sim::Text{3, 53, "early"}));
}

TEST_F(SetUpTest, AgreesOnWhatBothEndsCan) {
  Pair mixed(with({true, true, true, false}), with({true, false, true, true}), delayed(), delayed(), 3);
  ASSERT_TRUE(mixed.connect());
  EXPECT_EQ(mixed.a.last<ConnectedEvent>()->capabilities, (Capabilities{true, false, true, true}));
  EXPECT_EQ(mixed.b.last<ConnectedEvent>()->capabilities, (Capabilities{true, false, true, false}));
}

TEST_F(SetUpTest, AnInitWithAWrongTagIsIgnored) {
  inject(pair, pair.b, packet(VerificationTag(1), some_init(ChunkType::init)));
  EXPECT_FALSE(pair.settle());
  EXPECT_EQ(pair.b.association.stats().packets_misdirected, 1U);
}

TEST_F(SetUpTest, AnInitWithAZeroTagIsIgnoredAndOneWithoutStreamsOrWithATinyWindowAborted) {
  InitToSend init = some_init(ChunkType::init);
  init.initiate_tag = VerificationTag(0);
  inject(pair, pair.b, packet(VerificationTag(0), init));
  EXPECT_FALSE(pair.settle());
  for (int fault = 0; fault < 3; ++fault) {
    init = some_init(ChunkType::init);
    if (fault == 0) init.outbound_streams = 0;
    if (fault == 1) init.inbound_streams = 0;
    if (fault == 2) init.a_rwnd = kLeastReceiveWindow - 1;
    wire.types_b.clear();
    inject(pair, pair.b, packet(VerificationTag(0), init));
    pair.settle();
    EXPECT_EQ(wire.types_b, std::vector{ChunkType::abort}) << fault;
    EXPECT_EQ(wire.tag_from_b(), VerificationTag(9));
    EXPECT_EQ(pair.b.association.state(), State::closed);
  }
}

TEST_F(SetUpTest, UnknownParametersAreReportedInTheInitAck) {
  inject(pair, pair.b, packet(VerificationTag(0), InitWith{some_init(ChunkType::init), hex("fff0 0008 00000000")}));
  pair.settle();
  ASSERT_EQ(wire.types_b, std::vector{ChunkType::init_ack});
  EXPECT_FALSE(std::ranges::search(wire.last_from_b, hex("0008 000c fff0 0008")).empty());
}

class InitAckTest : public SetUpTest {
 protected:
  void SetUp() override {
    pair.a.association.connect(pair.now);
    pair.settle();
    ASSERT_EQ(wire.types_a, std::vector{ChunkType::init});
    tag = VerificationTag(load_big_endian<std::uint32_t>(wire.last_from_a.data() + 16));
    wire.types_a.clear();
    wire.drop = [](bool, ChunkType) { return true; };
  }
  [[nodiscard]] InitToSend init_ack() const {
    InitToSend reply = some_init(ChunkType::init_ack);
    reply.cookie = cookie;
    return reply;
  }
  std::vector<std::byte> cookie = hex("01020304");
  VerificationTag tag;
};

TEST_F(InitAckTest, UnknownParametersAreReportedWithTheCookie) {
  // One that is skipped in silence, two to be reported, the second of which ends the list.
  inject(pair, pair.a, packet(tag, InitWith{init_ack(), hex("8123 0004  c123 0005 aa000000  4567 0004  c124 0004")}));
  pair.settle();
  ASSERT_EQ(wire.types_a, std::vector{ChunkType::cookie_echo});
  EXPECT_EQ(wire.tag_from_a(), VerificationTag(9));
  ChunkWalk walk(std::span(wire.last_from_a).subspan(CommonHeader::kSize));
  EXPECT_TRUE(std::ranges::equal(CookieEchoChunk::parse(*walk.next()).cookie, cookie));
  const auto report = walk.next();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->type, ChunkType::error);
  const ErrorCause cause = ErrorChunk::parse(*report).cause;
  EXPECT_EQ(cause.code, CauseCode::unrecognized_parameters);
  EXPECT_TRUE(std::ranges::equal(cause.information, hex("c123 0005 aa000000  4567 0004")));
  EXPECT_FALSE(walk.next());
}

TEST_F(InitAckTest, ReportsThatDoNotFitBesideTheCookieAreLeftOut) {
  cookie.assign(1'100, std::byte{1});
  std::vector<std::byte> unknown = hex("c123 0064");
  unknown.resize(100);
  inject(pair, pair.a, packet(tag, InitWith{init_ack(), unknown}));
  pair.settle();
  ASSERT_EQ(wire.types_a, std::vector{ChunkType::cookie_echo});
  EXPECT_EQ(wire.last_from_a.size(), CommonHeader::kSize + kChunkHeaderSize + cookie.size());
}

TEST_F(InitAckTest, OneThatMakesNoSenseEndsTheAssociation) {
  for (int fault = 0; fault < 6; ++fault) {
    Pair fresh(plain(), delayed());
    Wire fresh_wire(fresh);
    fresh.a.association.connect(fresh.now);
    fresh.settle();
    const VerificationTag fresh_tag(load_big_endian<std::uint32_t>(fresh_wire.last_from_a.data() + 16));
    fresh_wire.types_a.clear();
    InitToSend reply = init_ack();
    const std::vector<std::byte> huge(1'180);
    if (fault == 0) reply.initiate_tag = VerificationTag(0);
    if (fault == 1) reply.outbound_streams = 0;
    if (fault == 2) reply.inbound_streams = 0;
    if (fault == 3) reply.a_rwnd = kLeastReceiveWindow - 1;
    if (fault == 4) reply.cookie = {};
    if (fault == 5) reply.cookie = huge;
    inject(fresh, fresh.a, packet(fresh_tag, reply));
    fresh.settle();
    ASSERT_TRUE(ended(fresh.a)) << fault;
    EXPECT_EQ(fresh.a.last<ClosedEvent>()->reason, CloseReason::protocol_violation);
    if (fault > 0) {
      EXPECT_EQ(fresh_wire.types_a, std::vector{ChunkType::abort}) << fault;
    }
  }
}

TEST_F(InitAckTest, OneWithAWrongTagIsIgnored) {
  inject(pair, pair.a, packet(VerificationTag(tag.value() + 1), init_ack()));
  EXPECT_EQ(pair.a.association.state(), State::cookie_wait);
  EXPECT_EQ(pair.a.association.stats().packets_misdirected, 1U);
}

TEST_F(SetUpTest, ForgedCookiesAreRefused) {
  const std::vector<std::byte> forged(StateCookie::kSize, std::byte{1});
  inject(pair, pair.b, packet(VerificationTag(5), CookieEchoChunk{forged}));
  inject(pair, pair.b, packet(VerificationTag(5), CookieEchoChunk{std::span(forged).first(10)}));
  EXPECT_FALSE(pair.settle());
  EXPECT_EQ(pair.b.association.stats().cookies_refused, 2U);
  EXPECT_EQ(pair.b.association.state(), State::closed);
}

TEST_F(SetUpTest, AnOversizedInitInsideACookieIsRefused) {
  std::vector<std::byte> huge(1'300, std::byte{0xff});
  inject(pair, pair.b, packet(VerificationTag(5), CookieEchoChunk{huge}));
  EXPECT_FALSE(pair.settle());
  EXPECT_EQ(pair.b.association.stats().cookies_refused, 1U);
}

TEST_F(SetUpTest, AStaleCookieIsAnsweredAndTheSetUpBeginsAgain) {
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

TEST_F(SetUpTest, ARetransmittedInitAndCookieChangeNothing) {
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

TEST_F(SetUpTest, APeerThatStartedAnewRestartsTheAssociation) {
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

}  // namespace
}  // namespace wdc::sctp
