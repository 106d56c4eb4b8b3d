// SPDX-License-Identifier: MIT
#include "apps/server/origin_check.h"

#include <gtest/gtest.h>

#include <vector>

namespace wdc::server {
namespace {

const std::vector<std::string> kNone;

TEST(OriginCheckTest, AllowsTheServersOwnOrigin) {
  EXPECT_TRUE(is_origin_allowed("http://127.0.0.1:8080", "127.0.0.1:8080", kNone));
  EXPECT_TRUE(is_origin_allowed("http://LocalHost:8080", "localhost:8080", kNone));
  EXPECT_TRUE(is_origin_allowed("https://example.org", "example.org", kNone));
  EXPECT_TRUE(is_origin_allowed("https://example.org", "example.org:443", kNone));
  EXPECT_TRUE(is_origin_allowed("http://[::1]:8080", "[::1]:8080", kNone));
}

TEST(OriginCheckTest, RefusesEveryOther) {
  for (const char* origin : {"", "null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8081",
                             "http://127.0.0.1:8080.evil.example", "http://evil.example/127.0.0.1:8080",
                             "file://127.0.0.1:8080", "127.0.0.1:8080", "http://127.0.0.1:8080/"}) {
    EXPECT_FALSE(is_origin_allowed(origin, "127.0.0.1:8080", kNone)) << origin;
  }
  EXPECT_FALSE(is_origin_allowed("http://", "", kNone));
  EXPECT_FALSE(is_origin_allowed("http://a b", "a b", kNone));
}

TEST(OriginCheckTest, AllowsWhatItWasToldTo) {
  const std::vector<std::string> listed{"https://a.example", "https://b.example:444"};
  EXPECT_TRUE(is_origin_allowed("https://b.example:444", "x", listed));
  EXPECT_FALSE(is_origin_allowed("http://a.example", "x", listed));
  const std::vector<std::string> any{"*"};
  EXPECT_TRUE(is_origin_allowed("null", "x", any));
}

TEST(OriginCheckTest, RepeatsNoStrangeHost) {
  EXPECT_TRUE(is_plain_host("[2001:db8::1]:80"));
  for (const char* host : {"", "a b", "a;b", "a\r\nb", "a,b", "a'b", "a/b", "a@b", "a*"})
    EXPECT_FALSE(is_plain_host(host)) << host;
}

}  // namespace
}  // namespace wdc::server
