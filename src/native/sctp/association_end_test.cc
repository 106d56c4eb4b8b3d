// SPDX-License-Identifier: MIT
#include "src/native/sctp/association.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "src/native/sctp/packet/abort_chunk.h"
#include "src/native/sctp/packet/heartbeat_chunk.h"
#include "src/native/sctp/packet/shutdown_chunk.h"
#include "tests/support/sim/wire.h"

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;
using namespace sim;
using State = Association::State;

struct Raw {
  ByteView bytes;
  [[nodiscard]] std::size_t size() const { return bytes.size(); }
  void write(std::byte* at) const { copy_bytes(at, bytes); }
};

class EndTest : public AssociationTest {};

// ---- tags and strays

TEST_F(EndTest, AbortsCountOnlyWithTheRightTag) {
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

TEST_F(EndTest, AnAbortWithAnUnknownCauseIsAccepted) {
  connect();
  inject(pair, pair.b, packet(wire.tag_from_a(), AbortChunk{TagKind::own, {CauseCode{0xbeef}, {}}}));
  pair.settle();
  ASSERT_TRUE(ended(pair.b));
  EXPECT_EQ(pair.b.last<ClosedEvent>()->reason, CloseReason::aborted_by_peer);
  EXPECT_EQ(pair.b.last<ClosedEvent>()->cause, CauseCode{0xbeef});
}

TEST_F(EndTest, AShutdownCompleteNobodyWaitsForIsIgnored) {
  connect();
  inject(pair, pair.b, packet(wire.tag_from_a(), BareChunk{ChunkType::shutdown_complete}));
  inject(pair, pair.b, packet(wire.tag_from_b(), BareChunk{ChunkType::shutdown_complete, TagKind::reflected}));
  EXPECT_EQ(pair.b.association.state(), State::established);
}

TEST_F(EndTest, AShutdownCompleteCountsOnlyWithTheRightTag) {
  for (const bool reflected : {false, true}) {
    Pair half(plain(), delayed());
    Wire half_wire(half);
    ASSERT_TRUE(half.connect());
    const VerificationTag to_b = half_wire.tag_from_a();
    const VerificationTag to_a = half_wire.tag_from_b();
    half_wire.drop = [](bool, ChunkType type) { return type == ChunkType::shutdown_complete; };
    half.a.association.shutdown(half.now);
    half.run_for(30ms);
    ASSERT_EQ(half.b.association.state(), State::shutdown_ack_sent);
    const TagKind kind = reflected ? TagKind::reflected : TagKind::own;
    inject(half, half.b, packet(reflected ? to_b : to_a, BareChunk{ChunkType::shutdown_complete, kind}));
    inject(half, half.b, packet(VerificationTag(to_b.value() + 1), BareChunk{ChunkType::shutdown_complete, kind}));
    EXPECT_EQ(half.b.association.state(), State::shutdown_ack_sent);
    inject(half, half.b, packet(reflected ? to_a : to_b, BareChunk{ChunkType::shutdown_complete, kind}));
    EXPECT_EQ(half.b.association.state(), State::ended);
  }
}

TEST_F(EndTest, WhatComesAfterTheEndIsAnsweredWithAnAbort) {
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

TEST_F(EndTest, CorruptedPacketsAreCountedAndIgnored) {
  connect();
  auto bytes = packet(wire.tag_from_a(), AbortChunk{});
  bytes.back() ^= std::byte{1};
  inject(pair, pair.b, bytes);
  EXPECT_EQ(pair.b.association.stats().packets_malformed, 1U);
  EXPECT_EQ(pair.b.association.state(), State::established);
}

TEST_F(EndTest, AuthAndAsconfAreRefused) {
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

TEST_F(EndTest, UnknownChunksAreReportedButNotOversizedOnes) {
  connect();
  wire.types_b.clear();
  std::vector<std::byte> unknown(1'300, std::byte{7});
  write_chunk_header(unknown.data(), ChunkType{0xff}, 0, 40);
  inject(pair, pair.b, packet(wire.tag_from_a(), Raw{std::span(unknown).first(40)}));
  pair.settle();
  EXPECT_EQ(wire.types_b, std::vector{ChunkType::error});
  write_chunk_header(unknown.data(), ChunkType{0xff}, 0, unknown.size());
  inject(pair, pair.b, packet(wire.tag_from_a(), Raw{unknown}));
  pair.settle();
  EXPECT_EQ(wire.types_b.size(), 1U);
}

TEST_F(EndTest, HeartbeatsAreAnsweredButNotOversizedOnes) {
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

// ---- time

TEST_F(EndTest, ADeadPathIsNoticedWhileSending) {
  connect();
  wire.drop = [](bool, ChunkType) { return true; };
  ASSERT_EQ(pair.a.send(0, "x", pair.now), SendStatus::ok);
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.a); }, 200s));
  EXPECT_EQ(pair.a.last<ClosedEvent>()->reason, CloseReason::timed_out);
}

TEST_F(EndTest, ADeadPathIsNoticedWhileIdle) {
  connect();
  pair.run_for(100s);
  EXPECT_EQ(pair.a.association.state(), State::established);
  wire.drop = [](bool, ChunkType) { return true; };
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.a) && ended(pair.b); }, 300s));
  EXPECT_EQ(pair.b.last<ClosedEvent>()->reason, CloseReason::timed_out);
}

TEST_F(EndTest, HeartbeatsMeasureTheRoundTripAndForgedAnswersDoNot) {
  connect();
  pair.run_for(40s);
  EXPECT_EQ(pair.a.association.stats().smoothed_round_trip, Duration(20ms));
  const std::array<std::byte, 8> info{};
  inject(pair, pair.a, packet(wire.tag_from_b(), HeartbeatChunk{ChunkType::heartbeat_ack, info}));
  EXPECT_EQ(pair.a.association.stats().smoothed_round_trip, Duration(20ms));
}

TEST_F(EndTest, AnIdleAssociationIsQuietBetweenHeartbeats) {
  connect();
  pair.run_for(29s);
  EXPECT_EQ(wire.types_a.size(), 2U);
  EXPECT_EQ(wire.types_b.size(), 2U);
}

// ---- the end

TEST_F(EndTest, AShutdownDeliversWhatWasSentBothWays) {
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

TEST_F(EndTest, AShutdownWaitsForTheDataInFlightHoweverOftenItIsLost) {
  for (const bool interleaving : {false, true}) {
    LinkOptions bad = delayed();
    bad.loss = 0.2;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE(seed);
      Pair lossy(with({true, interleaving, true, false}), bad, seed);
      ASSERT_TRUE(lossy.connect());
      ASSERT_EQ(lossy.a.send(0, std::string(30'000, 'a'), lossy.now), SendStatus::ok);
      ASSERT_EQ(lossy.b.send(0, std::string(30'000, 'b'), lossy.now), SendStatus::ok);
      lossy.run_for(5ms);
      lossy.a.association.shutdown(lossy.now);
      ASSERT_TRUE(lossy.run_until([&] { return ended(lossy.a) && ended(lossy.b); }, 300s));
      EXPECT_EQ(lossy.a.last<ClosedEvent>()->reason, CloseReason::shutdown);
      EXPECT_EQ(lossy.a.messages.size(), 1U);
      EXPECT_EQ(lossy.b.messages.size(), 1U);
    }
  }
}

TEST_F(EndTest, TheLastFragmentBeforeAShutdownAsksForASackAtOnce) {
  connect();
  ASSERT_EQ(pair.a.send(0, "not yet", pair.now), SendStatus::ok);
  pair.settle();
  EXPECT_FALSE(DataFlags::parse(std::to_integer<std::uint8_t>(wire.last_from_a[13])).immediate_sack);
  pair.run_for(1s);
  ASSERT_EQ(pair.a.send(0, "the last", pair.now), SendStatus::ok);
  pair.a.association.shutdown(pair.now);
  const TimePoint start = pair.now;
  pair.settle();
  EXPECT_TRUE(DataFlags::parse(std::to_integer<std::uint8_t>(wire.last_from_a[13])).immediate_sack);
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.a); }, 5s));
  EXPECT_EQ(pair.now - start, Duration(40ms));  // two round trips, and no delayed SACK
}

TEST_F(EndTest, BothEndsMayShutDownAtOnce) {
  connect();
  pair.a.association.shutdown(pair.now);
  pair.b.association.shutdown(pair.now);
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.a) && ended(pair.b); }, 10s));
  EXPECT_EQ(pair.a.last<ClosedEvent>()->reason, CloseReason::shutdown);
  EXPECT_EQ(pair.b.last<ClosedEvent>()->reason, CloseReason::shutdown);
}

TEST_F(EndTest, AShutdownSurvivesTheLossOfEachOfItsPackets) {
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

TEST_F(EndTest, AnAbortTellsThePeerWhy) {
  connect();
  pair.a.association.abort("enough", pair.now);
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.b); }, 1s));
  EXPECT_EQ(pair.b.last<ClosedEvent>()->reason, CloseReason::aborted_by_peer);
  EXPECT_EQ(pair.b.last<ClosedEvent>()->cause, CauseCode::user_initiated_abort);
  EXPECT_EQ(pair.b.last<ClosedEvent>()->detail, "enough");
  EXPECT_EQ(pair.a.last<ClosedEvent>()->reason, CloseReason::aborted);
}

TEST_F(EndTest, MessagesReceivedBeforeTheEndCanStillBeRead) {
  connect();
  pair.b.reads = false;
  ASSERT_EQ(pair.a.send(0, "last words", pair.now), SendStatus::ok);
  pair.a.association.shutdown(pair.now);
  ASSERT_TRUE(pair.run_until([&] { return ended(pair.b); }, 10s));
  EXPECT_TRUE(pair.b.association.poll_message());
}

}  // namespace
}  // namespace wdc::sctp
