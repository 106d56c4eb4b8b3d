// SPDX-License-Identifier: MIT
//
// What is not HTTP, or never ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/beast/http/verb.hpp>
#include <chrono>
#include <filesystem>
#include <string>

#include "apps/server/running_server.h"
#include "apps/server/test_clients.h"
#include "apps/server/text.h"

namespace wdc::server {
namespace {

namespace http = boost::beast::http;
namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

TEST(ServerHostileTest, GarbageIsABadRequest) {
  RunningServer server;
  std::string every_byte;
  for (int i = 0; i < 4096; ++i) every_byte += static_cast<char>(i * 7);
  for (const auto& bytes :
       {every_byte, std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(200, 'x'),
        std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"), std::string(200, '\0'),
        std::string("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"), std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")}) {
    RawClient client(server.port());
    client.send(bytes);
    client.half_close();
    EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 400")) << escape(bytes, 40);
  }
  EXPECT_EQ(server.connections_become(0), 0u);
}

TEST(ServerHostileTest, AHeaderTooLargeAndABodyAreRefused) {
  RunningServer server;
  RawClient large(server.port());
  large.send(concat("GET / HTTP/1.1\r\nHost: a\r\nX: ", std::string(9000, 'x'), "\r\n\r\n"));
  EXPECT_THAT(large.read_to_end(), StartsWith("HTTP/1.1 431"));
  RawClient endless(server.port());
  endless.send(std::string(9000, 'A'));
  EXPECT_THAT(endless.read_to_end(), StartsWith("HTTP/1.1 4"));
  RawClient with_body(server.port());
  with_body.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_THAT(with_body.read_to_end(), StartsWith("HTTP/1.1 413"));
  RawClient chunked(server.port());
  chunked.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  EXPECT_THAT(chunked.read_to_end(), StartsWith("HTTP/1.1 413"));
}

TEST(ServerHostileTest, AHeaderThatNeverEndsIsCutOff) {
  auto limits = roomy();
  limits.header_time = milliseconds(200);
  RunningServer server(limits);
  RawClient silent(server.port());
  RawClient slow(server.port());
  slow.send("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_EQ(slow.read_to_end(), "");
  EXPECT_EQ(server.connections_become(0), 0u);
}

TEST(ServerHostileTest, AReaderThatStopsMidFileIsCutOff) {
  auto limits = roomy();
  limits.write_time = milliseconds(200);
  RunningServer server(limits);
  RawClient client(server.port(), 4096);
  client.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(server.connections_become(0), 0u);
}

TEST(ServerHostileTest, HalfClosedSocketsAreAnsweredAndLetGo) {
  RunningServer server;
  RawClient asked(server.port());
  asked.send("GET /app.js HTTP/1.1\r\nHost: a\r\n\r\n");
  asked.half_close();
  EXPECT_THAT(asked.read_to_end(), HasSubstr("export {};"));
  RawClient silent(server.port());
  silent.half_close();
  EXPECT_EQ(silent.read_to_end(), "");
  RawClient member(server.port());
  member.join_and_go_deaf(server.host(), "blue");
  member.half_close();
  member.read_to_end();
  EXPECT_EQ(server.connections_become(0), 0u);
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

TEST(ServerHostileTest, TwoThousandConnectionsOfEveryKindLeaveNothingBehind) {
  RunningServer server;
  (void)request(server, http::verb::get, "/");
  ASSERT_EQ(server.connections_become(0), 0u);
  const auto before = open_descriptors();
  for (int i = 0; i < 2000; ++i) {
    const auto room = concat("room", i % 3);
    switch (i % 5) {
      case 0:
        RawClient(server.port()).reset();
        break;
      case 1:
        RawClient(server.port()).send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
        break;
      case 2:
        RawClient(server.port()).join_and_go_deaf(server.host(), room);
        break;
      case 3:
        Member(server, "room=" + room).drop();
        break;
      default: {
        Member member(server, "room=" + room);
        member.send(R"({"type":"bye"})");
        while (member.read().frame) {
        }
      }
    }
  }
  EXPECT_EQ(server.connections_become(0), 0u);
  EXPECT_EQ(server.read([](const Server& s) { return s.rooms(); }), 0u);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(ServerHostileTest, ShutsDownWithMembersAndStrangersConnected) {
  RunningServer server;
  Member member(server, "room=blue");
  EXPECT_EQ(text(member.frame().at("type")), "welcome");
  RawClient stranger(server.port());
  stranger.send("GET / HT");
  RawClient deaf(server.port());
  deaf.join_and_go_deaf(server.host(), "red");
  server.begin_shut_down();
  EXPECT_EQ(member.read().close_code, 1001u);
  EXPECT_EQ(stranger.read_to_end(), "");
}

}  // namespace
}  // namespace wdc::server
