// SPDX-License-Identifier: MIT
#include "src/core/utf8.h"

#include <string_view>

#include <gtest/gtest.h>

namespace wdc::core {
namespace {

bool check(std::string_view text) { return is_utf8(std::as_bytes(std::span(text.data(), text.size()))); }

TEST(Utf8, TakesEveryLengthAtItsBounds) {
  using namespace std::string_view_literals;
  EXPECT_TRUE(check(""));
  EXPECT_TRUE(check("ASCII, longer than eight bytes"));
  EXPECT_TRUE(check("\0 inside"sv));
  EXPECT_TRUE(check("\xc2\x80\xdf\xbf"));
  EXPECT_TRUE(check("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
  EXPECT_TRUE(check("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
}

TEST(Utf8, RefusesWhatIsCutOffOverlongOrOutOfRange) {
  EXPECT_FALSE(check("\x80"));
  EXPECT_FALSE(check("\xc1\xbf"));
  EXPECT_FALSE(check("\xc2"));
  EXPECT_FALSE(check("\xc2 "));
  EXPECT_FALSE(check("\xe0\x9f\xbf"));
  EXPECT_FALSE(check("\xed\xa0\x80"));
  EXPECT_FALSE(check("\xe2\x82"));
  EXPECT_FALSE(check("\xf0\x8f\xbf\xbf"));
  EXPECT_FALSE(check("\xf4\x90\x80\x80"));
  EXPECT_FALSE(check("\xf5\x80\x80\x80"));
  EXPECT_FALSE(check("ASCII, longer than eight bytes\xff"));
}

}  // namespace
}  // namespace wdc::core
