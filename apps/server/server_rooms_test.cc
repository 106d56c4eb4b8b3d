// SPDX-License-Identifier: MIT
//
// What a room does for its members.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "apps/server/running_server.h"
#include "apps/server/test_clients.h"
#include "apps/server/text.h"

namespace wdc::server {
namespace {

namespace json = boost::json;

TEST(ServerRoomTest, WelcomesTwoMembersWithOppositeRoles) {
  RunningServer server;
  Member first(server, "room=blue");
  const auto first_welcome = first.frame();
  EXPECT_EQ(first_welcome.at("type"), "welcome");
  EXPECT_EQ(first_welcome.at("version"), 1);
  EXPECT_EQ(first_welcome.at("polite"), false);
  EXPECT_TRUE(first_welcome.at("peers").as_array().empty());
  EXPECT_EQ(first_welcome.at("maxMessageBytes"), 65536);
  Member second(server, "room=blue&version=1");
  const auto second_welcome = second.frame();
  EXPECT_EQ(second_welcome.at("polite"), true);
  EXPECT_EQ(second_welcome.at("peers"), json::array{first_welcome.at("you")});
  EXPECT_EQ(first.frame(), (json::object{{"type", "joined"}, {"peer", second_welcome.at("you")}}));
}

TEST(ServerRoomTest, RelaysBothWaysInOrder) {
  RunningServer server;
  Pair pair(server);
  for (int i = 0; i < 150; ++i) {
    ASSERT_TRUE(pair.first.send(candidate(i)));
    ASSERT_TRUE(pair.second.send(candidate(1000 + i)));
  }
  for (int i = 0; i < 150; ++i) {
    const auto at_second = pair.second.frame();
    EXPECT_EQ(text(at_second.at("from")), pair.first_id);
    EXPECT_EQ(text(at_second.at("candidate").at("candidate")), concat("candidate:", i));
    EXPECT_EQ(text(pair.first.frame().at("candidate").at("candidate")), concat("candidate:", 1000 + i));
  }
}

TEST(ServerRoomTest, PassesTheLargestFrameOn) {
  RunningServer server;
  Pair pair(server);
  ASSERT_TRUE(pair.first.send(offer_of(65536)));
  EXPECT_EQ(text(pair.second.frame().at("description").at("sdp")).size(), 65536 - offer_of(100).size() + 38);
}

TEST(ServerRoomTest, AByeIsPassedOnAndClosesTheSenderNormally) {
  RunningServer server;
  Pair pair(server);
  ASSERT_TRUE(pair.second.send(R"({"type":"bye"})"));
  EXPECT_EQ(pair.second.read().close_code, 1000u);
  EXPECT_EQ(pair.first.frame(), (json::object{{"type", "bye"}, {"from", pair.second_id}}));
  EXPECT_EQ(pair.first.frame(), (json::object{{"type", "left"}, {"peer", pair.second_id}}));
}

TEST(ServerRoomTest, AMemberThatDroppedIsReplacedInItsRole) {
  RunningServer server;
  Pair pair(server);
  pair.first.drop();
  EXPECT_EQ(pair.second.frame(), (json::object{{"type", "left"}, {"peer", pair.first_id}}));
  Member again(server, "room=blue");
  EXPECT_EQ(again.frame().at("polite"), false);
  // Meant for the member that dropped: must not reach the new one.
  ASSERT_TRUE(pair.second.send(concat(R"({"type":"candidate","to":")", pair.first_id, R"(","candidate":null})")));
  ASSERT_TRUE(pair.second.send(candidate(7)));
  EXPECT_EQ(text(again.frame().at("candidate").at("candidate")), "candidate:7");
}

TEST(ServerRoomTest, AThirdMemberIsToldThatTheRoomIsFull) {
  RunningServer server;
  Pair pair(server);
  Member third(server, "room=blue");
  third.expect_failure("room_full", 4010, "room \"blue\" has 2 members");
  ASSERT_TRUE(pair.first.send(candidate(1)));
  EXPECT_EQ(text(pair.second.frame().at("candidate").at("candidate")), "candidate:1");
}

TEST(ServerRoomTest, OneRoomTooManyIsRefusedUntilOneIsEmpty) {
  auto limits = roomy();
  limits.rooms = 2;
  RunningServer server(limits);
  Member one(server, "room=one");
  Member two(server, "room=two");
  Member three(server, "room=three");
  three.expect_failure("too_many_rooms", 4011, "2 rooms");
  ASSERT_TRUE(one.send(R"({"type":"bye"})"));
  EXPECT_EQ(text(one.frame().at("type")), "welcome");
  EXPECT_EQ(one.read().close_code, 1000u);
  Member again(server, "room=three");
  EXPECT_EQ(text(again.frame().at("type")), "welcome");
}

TEST(ServerRoomTest, RefusesBadRoomNamesAndOtherVersions) {
  RunningServer server;
  for (const char* query : {"", "room=", "room=a%20b", "room=a&room=b", "other=1", "room=a/b"}) {
    Member(server, query).expect_failure("bad_room", 4003, "");
  }
  Member(server, "room=" + std::string(65, 'x')).expect_failure("bad_room", 4003, "65 bytes");
  for (const char* query : {"room=a&version=2", "room=a&version=", "room=a&version=1&version=1", "room=a&version=01"}) {
    Member(server, query).expect_failure("unsupported_version", 4004, "speaks version 1");
  }
}

}  // namespace
}  // namespace wdc::server
