// SPDX-License-Identifier: MIT
#include "apps/server/room_registry.h"

#include <gtest/gtest.h>

namespace wdc::server {
namespace {

TEST(RoomRegistryTest, TheFirstMemberIsImpoliteAndTheSecondPolite) {
  RoomRegistry rooms(10);
  const auto first = rooms.join("blue", "a");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->role, Role::impolite);
  EXPECT_EQ(first->peer, std::nullopt);
  const auto second = rooms.join("blue", "b");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->role, Role::polite);
  EXPECT_EQ(second->peer, "a");
  EXPECT_EQ(rooms.peer_of("a"), "b");
}

TEST(RoomRegistryTest, ANewcomerTakesTheFreePlaceAndItsRole) {
  RoomRegistry rooms(10);
  ASSERT_TRUE(rooms.join("blue", "a"));
  ASSERT_TRUE(rooms.join("blue", "b"));
  EXPECT_EQ(rooms.leave("a"), "b");
  const auto third = rooms.join("blue", "c");
  ASSERT_TRUE(third);
  EXPECT_EQ(third->role, Role::impolite);  // b, who stayed, is the polite one
  EXPECT_EQ(third->peer, "b");
  EXPECT_EQ(rooms.leave("b"), "c");
  EXPECT_EQ(rooms.join("blue", "d")->role, Role::polite);
}

TEST(RoomRegistryTest, AThirdMemberFindsTheRoomFull) {
  RoomRegistry rooms(10);
  ASSERT_TRUE(rooms.join("blue", "a"));
  ASSERT_TRUE(rooms.join("blue", "b"));
  EXPECT_EQ(rooms.join("blue", "c").error(), JoinRefusal::room_full);
  EXPECT_EQ(rooms.peer_of("c"), std::nullopt);
  EXPECT_EQ(rooms.members(), 2u);
}

TEST(RoomRegistryTest, RefusesOneRoomTooManyAndForgetsEmptyOnes) {
  RoomRegistry rooms(2);
  ASSERT_TRUE(rooms.join("one", "a"));
  ASSERT_TRUE(rooms.join("two", "b"));
  EXPECT_EQ(rooms.join("three", "c").error(), JoinRefusal::too_many_rooms);
  EXPECT_TRUE(rooms.join("two", "c"));  // a room that is there is no new one
  EXPECT_EQ(rooms.leave("a"), std::nullopt);
  EXPECT_TRUE(rooms.join("three", "d"));
  EXPECT_EQ(rooms.rooms(), 2u);
}

TEST(RoomRegistryTest, LeavingTwiceOrUnknownIsNothing) {
  RoomRegistry rooms(2);
  ASSERT_TRUE(rooms.join("one", "a"));
  EXPECT_EQ(rooms.leave("z"), std::nullopt);
  EXPECT_EQ(rooms.leave("a"), std::nullopt);
  EXPECT_EQ(rooms.leave("a"), std::nullopt);
  EXPECT_EQ(rooms.rooms(), 0u);
  EXPECT_EQ(rooms.members(), 0u);
}

TEST(RoomRegistryTest, TakesOnlyPlainNamesOf1To64Characters) {
  EXPECT_TRUE(is_room_name("aZ09_-"));
  EXPECT_TRUE(is_room_name(std::string(64, 'x')));
  for (const std::string& name : {std::string(), std::string(65, 'x'), std::string("a b"), std::string("a/b"),
                                  std::string("%61"), std::string("\xc3\xa4"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_room_name(name)) << name;
    EXPECT_EQ(RoomRegistry(1).join(name, "a").error(), JoinRefusal::bad_name);
  }
}

}  // namespace
}  // namespace wdc::server
