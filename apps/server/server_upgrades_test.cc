// SPDX-License-Identifier: MIT
//
// Who may connect.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/beast/http/verb.hpp>

#include "apps/server/running_server.h"
#include "apps/server/test_clients.h"
#include "apps/server/text.h"

namespace wdc::server {
namespace {

namespace http = boost::beast::http;
using testing::HasSubstr;
using testing::StartsWith;

TEST(ServerUpgradeTest, RefusesForeignOriginsOnly) {
  RunningServer server(roomy(), {"https://friend.example"});
  Member foreign(server, "room=blue", "https://evil.example");
  EXPECT_FALSE(foreign.is_open());
  EXPECT_EQ(foreign.handshake_status(), 403u);
  EXPECT_EQ(Member(server, "room=blue", "null").handshake_status(), 403u);
  EXPECT_TRUE(Member(server, "room=a", "http://" + server.host()).is_open());
  EXPECT_TRUE(Member(server, "room=b", "https://friend.example").is_open());
  EXPECT_TRUE(Member(server, "room=c").is_open());
}

TEST(ServerUpgradeTest, LimitsUpgradesOfAnAddress) {
  auto limits = roomy();
  limits.upgrade_burst = 2;
  limits.upgrades_per_second = 1;
  RunningServer server(limits);
  Member one(server, "room=a"), two(server, "room=b"), three(server, "room=c");
  EXPECT_TRUE(one.is_open());
  EXPECT_TRUE(two.is_open());
  EXPECT_EQ(three.handshake_status(), 429u);
  EXPECT_EQ(three.handshake_header("Retry-After"), "1");
}

TEST(ServerUpgradeTest, LimitsConnectionsOfAnAddressAndInAll) {
  for (const bool in_all : {false, true}) {
    auto limits = roomy();
    (in_all ? limits.connections : limits.connections_per_address) = 2;
    RunningServer server(limits);
    {
      Member one(server, "room=a"), two(server, "room=b");
      RawClient third(server.port());
      const auto answer = third.read_to_end();
      EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
      EXPECT_THAT(answer, HasSubstr("2 connections, its limit"));
    }
    EXPECT_EQ(server.connections_become(0), 0u);
    EXPECT_TRUE(Member(server, "room=a").is_open());
  }
}

TEST(ServerUpgradeTest, AnUpgradeWithoutAWebSocketKeyIsRefused) {
  RunningServer server;
  EXPECT_EQ(request(server, http::verb::get, "/ws?room=a").status, 426u);
  const auto answer =
      request(server, http::verb::get, "/ws?room=a", {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}});
  EXPECT_EQ(answer.status, 426u);
}

TEST(ServerUpgradeTest, DataBeforeTheUpgradeIsAnsweredIsRefused) {
  RunningServer server;
  RawClient client(server.port());
  client.send(concat("GET /ws?room=a HTTP/1.1\r\nHost: ", server.host(),
                     "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\x81\x80mask"));
  client.half_close();
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 400"));
}

}  // namespace
}  // namespace wdc::server
