// SPDX-License-Identifier: MIT
//
// What members may not do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "apps/server/running_server.h"
#include "apps/server/test_clients.h"
#include "apps/server/text.h"

namespace wdc::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

TEST(ServerLimitTest, AMalformedFrameEndsItsSenderOnly) {
  RunningServer server;
  for (const char* bad : {"", "rubbish", "{}", "[]", R"({"type":"welcome"})", R"({"type":"description"})"}) {
    Pair pair(server);
    ASSERT_TRUE(pair.second.send(bad));
    pair.second.expect_failure("malformed", 4001, "");
    EXPECT_EQ(text(pair.first.frame().at("type")), "left");
    Member next(server, "room=blue");
    EXPECT_EQ(text(next.frame().at("type")), "welcome");
    EXPECT_EQ(text(pair.first.frame().at("type")), "joined");
    ASSERT_TRUE(pair.first.send(R"({"type":"bye"})"));
    EXPECT_EQ(pair.first.read().close_code, 1000u);
    ASSERT_TRUE(next.send(R"({"type":"bye"})"));
    while (next.read().frame) {  // until the close, which it answers by reading it
    }
    EXPECT_EQ(server.connections_become(0), 0u);
  }
}

TEST(ServerLimitTest, ABinaryFrameIsMalformed) {
  RunningServer server;
  Member member(server, "room=blue");
  ASSERT_TRUE(member.send(candidate(1), false));
  member.expect_failure("malformed", 4001, "binary frame");
}

TEST(ServerLimitTest, OneByteTooManyIsTooLarge) {
  RunningServer server;
  Member member(server, "room=blue");
  ASSERT_TRUE(member.send(offer_of(65537)));
  member.expect_failure("too_large", 4002, "more than 65536 bytes");
}

TEST(ServerLimitTest, AVastFrameIsRefusedBeforeItHasArrived) {
  auto limits = roomy();
  limits.handshake_time = milliseconds(200);  // nobody answers the close
  RunningServer server(limits);
  RawClient client(server.port());
  client.join_and_go_deaf(server.host(), "blue");
  client.send(std::string("\x81\xff\x00\x00\x00\x01\x00\x00\x00\x00mask", 14) + std::string(70'000, 'x'));  // of 4 GiB
  EXPECT_THAT(client.read_to_end(), HasSubstr("\"too_large\""));
  EXPECT_EQ(server.connections_become(0), 0u);
}

TEST(ServerLimitTest, BrokenFramingIsClosedByTheWebSocketLayer) {
  RunningServer server;
  for (const auto& bytes : {std::string("\x8f\x80mask", 6), std::string("\x81\x05hello", 7), std::string(20, '\xff'),
                            std::string("\x81\x82\0\0\0\0\xff\xff", 8), std::string(200, 'G')}) {
    RawClient client(server.port());
    client.join_and_go_deaf(server.host(), "blue");
    client.send(bytes);
    client.half_close();
    const auto rest = client.read_to_end();
    EXPECT_TRUE(rest.ends_with("\x03\xea") || rest.ends_with("\x03\xef")) << escape(rest);  // 1002 or 1007
    EXPECT_EQ(server.connections_become(0), 0u);
  }
}

TEST(ServerLimitTest, TooManyFramesAreRateLimited) {
  auto limits = roomy();
  limits.message_burst = 10;
  limits.messages_per_second = 1;
  RunningServer server(limits);
  Pair pair(server);
  for (int i = 0; i < 30; ++i) pair.first.send(candidate(i));
  pair.first.expect_failure("rate_limited", 4012, "10 frames at once or 1 a second");
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(text(pair.second.frame().at("candidate").at("candidate")), concat("candidate:", i));
  EXPECT_EQ(text(pair.second.frame().at("type")), "left");
}

TEST(ServerLimitTest, TooManyBytesAreRateLimited) {
  auto limits = roomy();
  limits.byte_burst = 100'000;
  limits.bytes_per_second = 1;
  RunningServer server(limits);
  Pair pair(server);
  ASSERT_TRUE(pair.first.send(offer_of(60'000)));
  ASSERT_TRUE(pair.first.send(offer_of(60'000)));
  pair.first.expect_failure("rate_limited", 4012, "100000 bytes at once");
}

TEST(ServerLimitTest, PingsCountAsFrames) {
  auto limits = roomy();
  limits.message_burst = 10;
  limits.messages_per_second = 1;
  RunningServer server(limits);
  Member member(server, "room=blue");
  for (int i = 0; i < 30 && member.ping(); ++i) {
  }
  member.expect_failure("rate_limited", 4012, "10 control frames");
}

TEST(ServerLimitTest, SilenceOfAnHourIsIdleEvenIfPingsAreAnswered) {
  auto limits = roomy();
  limits.idle_time = milliseconds(2000);  // the hour
  limits.dead_after = milliseconds(500);  // a ping each 250 ms, and that long for its answer
  RunningServer server(limits);
  Member member(server, "room=blue");
  const auto start = steady_clock::now();
  member.expect_failure("idle", 4014, "for 2 seconds");
  EXPECT_GE(steady_clock::now() - start, milliseconds(1500));  // it outlived dead_after: pings were answered
}

TEST(ServerLimitTest, AFrameEitherWayKeepsBothFromBeingIdle) {
  auto limits = roomy();
  limits.idle_time = milliseconds(1500);
  RunningServer server(limits);
  Pair pair(server);
  const auto start = steady_clock::now();
  int frames = 0;
  while (steady_clock::now() - start < milliseconds(4000)) {
    ASSERT_EQ(server.connections(), 2u);  // and a frame every 100 ms
    if (steady_clock::now() - start < milliseconds(100 * frames)) continue;
    ASSERT_TRUE(pair.first.send(candidate(frames)));
    EXPECT_EQ(text(pair.second.frame().at("candidate").at("candidate")), concat("candidate:", frames++));
  }
  EXPECT_GE(frames, 10);
}

TEST(ServerLimitTest, AMemberThatAnswersNoPingIsLostInTime) {
  auto limits = roomy();
  limits.dead_after = milliseconds(300);
  RunningServer server(limits);
  RawClient deaf(server.port());
  deaf.join_and_go_deaf(server.host(), "blue");
  Member other(server, "room=blue");
  EXPECT_EQ(text(other.frame().at("type")), "welcome");
  const auto start = steady_clock::now();
  EXPECT_EQ(text(other.frame().at("type")), "left");
  EXPECT_LT(steady_clock::now() - start, seconds(5));
}

TEST(ServerLimitTest, ASlowReaderIsClosedAndTheOtherOneStays) {
  auto limits = roomy();
  limits.message_burst = 100'000;
  limits.byte_burst = 1e9;
  limits.handshake_time = milliseconds(500);
  RunningServer server(limits);
  RawClient slow(server.port(), 4096);
  slow.join_and_go_deaf(server.host(), "blue");
  Member fast(server, "room=blue");
  EXPECT_EQ(text(fast.frame().at("type")), "welcome");
  // What its queue and the kernel hold is far below these 64 MB.
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(fast.send(offer_of(65536)));
  EXPECT_EQ(text(fast.frame().at("type")), "left");
  EXPECT_EQ(server.connections_become(1), 1u);
  ASSERT_TRUE(fast.send(R"({"type":"bye"})"));
  EXPECT_EQ(fast.read().close_code, 1000u);
}

}  // namespace
}  // namespace wdc::server
