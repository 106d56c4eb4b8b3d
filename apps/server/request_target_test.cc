// SPDX-License-Identifier: MIT
#include "apps/server/request_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wdc::server {
namespace {

using testing::ElementsAre;

TEST(RequestTargetTest, SplitsAndDecodesAPath) {
  const auto target = parse_target("/a/b%20c.html?x=1&y");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("a", "b c.html"));
  EXPECT_FALSE(target->is_directory);
  EXPECT_EQ(target->path, "/a/b%20c.html");
  EXPECT_EQ(target->query, "x=1&y");
}

TEST(RequestTargetTest, KnowsDirectories) {
  EXPECT_TRUE(parse_target("/")->is_directory);
  EXPECT_TRUE(parse_target("/")->segments.empty());
  EXPECT_TRUE(parse_target("/?a")->is_directory);
  EXPECT_TRUE(parse_target("/a/")->is_directory);
  EXPECT_THAT(parse_target("/a/")->segments, ElementsAre("a"));
}

TEST(RequestTargetTest, RefusesEveryWayOutAndEveryHiddenFile) {
  for (const char* target : {"",           "a",
                             "*",          "http://host/a",
                             "//",         "///",
                             "/a//b",      "//evil.example/",
                             "/..",        "/../etc/passwd",
                             "/a/../../b", "/./a",
                             "/%2e%2e/a",  "/%2E%2e%2fetc",
                             "/..%2fetc",  "/a%2fb",
                             "/%2fetc",    "/a%5c..%5cb",
                             "/a\\b",      "/.git/config",
                             "/a/.env",    "/%2egit",
                             "/a%00.html", "/a%0d%0ab",
                             "/%",         "/%2",
                             "/%zz",       "/%+1",
                             "/%-1",       "/a\x7f"}) {
    EXPECT_FALSE(parse_target(target)) << target;
  }
}

TEST(RequestTargetTest, DecodesOnceOnly) {
  EXPECT_THAT(parse_target("/a%252e%252e")->segments, ElementsAre("a%2e%2e"));
  EXPECT_THAT(parse_target("/%252e%252e%252fb")->segments, ElementsAre("%2e%2e%2fb"));
}

TEST(RequestTargetTest, FindsAParameterThatIsThereOnce) {
  const auto target = parse_target("/ws?room=blue&empty=&flag&twice=1&twice=2&roomy=3");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->parameter("room"), "blue");
  EXPECT_EQ(target->parameter("empty"), "");
  EXPECT_EQ(target->parameter("flag"), "");
  EXPECT_EQ(target->parameter("twice"), std::nullopt);
  EXPECT_EQ(target->parameter("absent"), std::nullopt);
  EXPECT_TRUE(target->has_parameter("twice"));
  EXPECT_FALSE(target->has_parameter("absent"));
}

}  // namespace
}  // namespace wdc::server
