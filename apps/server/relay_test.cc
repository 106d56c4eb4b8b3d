// SPDX-License-Identifier: MIT
#include "apps/server/relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace wdc::server {
namespace {

using testing::_;
using testing::ElementsAre;
using testing::SizeIs;

struct Inbox : MemberConnection {
  void deliver(std::string frame) override { frames.push_back(std::move(frame)); }
  std::vector<std::string> frames;
};

// Leaves as soon as anything is delivered, as a slow reader does whose queue is full.
struct Fragile : MemberConnection {
  Fragile(Relay& relay_in, MemberId id_in) : relay(relay_in), id(std::move(id_in)) {}
  void deliver(std::string) override {
    if (is_welcomed) relay.leave(id);
    is_welcomed = true;
  }
  Relay& relay;
  MemberId id;
  bool is_welcomed = false;
};

const std::string kAlone = welcome_frame("a", {.role = Role::impolite, .peer = {}}, 999);
const std::string kSecond = welcome_frame("b", {.role = Role::polite, .peer = "a"}, 999);

constexpr MemberFrame::Type kBye = MemberFrame::Type::bye;

TEST(RelayTest, TellsTheFirstOfTheSecondAndOfItsLeaving) {
  Relay relay(10, 999);
  Inbox a, b;
  ASSERT_TRUE(relay.join("blue", "a", a));
  ASSERT_TRUE(relay.join("blue", "b", b));
  relay.leave("b");
  EXPECT_THAT(a.frames, ElementsAre(kAlone, joined_frame("b"), left_frame("b")));
  EXPECT_THAT(b.frames, ElementsAre(kSecond));
}

TEST(RelayTest, ForwardsToTheOtherMemberOnly) {
  Relay relay(10, 999);
  Inbox a, b, stranger;
  ASSERT_TRUE(relay.join("blue", "a", a));
  ASSERT_TRUE(relay.join("blue", "b", b));
  ASSERT_TRUE(relay.join("red", "c", stranger));
  relay.forward("a", {kBye, {}, nullptr});
  EXPECT_THAT(a.frames, ElementsAre(kAlone, joined_frame("b")));
  EXPECT_THAT(b.frames, ElementsAre(kSecond, R"({"type":"bye","from":"a"})"));
  EXPECT_THAT(stranger.frames, SizeIs(1));  // its own welcome
}

TEST(RelayTest, DropsWhatIsMeantForAPredecessor) {
  Relay relay(10, 999);
  Inbox a, b, c;
  ASSERT_TRUE(relay.join("blue", "a", a));
  ASSERT_TRUE(relay.join("blue", "b", b));
  relay.leave("b");
  relay.forward("a", {kBye, "b", nullptr});  // nobody is there
  ASSERT_TRUE(relay.join("blue", "c", c));
  relay.forward("a", {kBye, "b", nullptr});
  EXPECT_THAT(c.frames, SizeIs(1));  // its welcome
  relay.forward("a", {kBye, "c", nullptr});
  EXPECT_THAT(c.frames, ElementsAre(_, R"({"type":"bye","from":"a"})"));
}

TEST(RelayTest, AMemberMayLeaveWhileItIsDeliveredTo) {
  Relay relay(10, 999);
  Fragile a(relay, "a");
  Inbox b;
  ASSERT_TRUE(relay.join("blue", "a", a));
  ASSERT_TRUE(relay.join("blue", "b", b));
  EXPECT_THAT(b.frames, ElementsAre(kSecond, left_frame("a")));
  EXPECT_EQ(relay.members(), 1u);
}

}  // namespace
}  // namespace wdc::server
