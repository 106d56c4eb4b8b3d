// SPDX-License-Identifier: MIT
#include "wdc/error.h"

#include <set>

#include <gtest/gtest.h>

namespace wdc {
namespace {

TEST(Error, NamesTheSizeOfAMessageAndThePeersLimit) {
  EXPECT_EQ(Error(Errc::message_too_large, 300'000, 262'144).message(),
            "message_too_large: message of 300000 bytes exceeds the peer's limit of 262144 bytes");
}

TEST(Error, SaysItsSentenceAndItsDetail) {
  EXPECT_EQ(Error(Errc::closed).message(), "closed: the channel is closing or closed");
  EXPECT_EQ(Error(Errc::timed_out, "after 5 ms").message(),
            "timed_out: the operation did not finish in time: after 5 ms");
}

TEST(Error, ShowsBothNumbersForEveryCode){
#define WDC_ERROR(number, id, sentence)                                   \
  {                                                                       \
    const std::string text = Error(Errc::id, 1234567, 7654321).message(); \
    EXPECT_NE(text.find("1234567"), std::string::npos) << text;           \
    EXPECT_NE(text.find("7654321"), std::string::npos) << text;           \
    EXPECT_EQ(text.find(#id ": "), 0U) << text;                           \
  }
#include "wdc/error_codes.inc"
#undef WDC_ERROR
}

TEST(Error, GivesEveryCodeANumberAndANameOfItsOwn) {
  std::set<int> numbers;
  std::set<std::string_view> names;
  std::size_t codes = 0;
#define WDC_ERROR(number, id, sentence) \
  numbers.insert(number);               \
  names.insert(wdc::name(Errc::id));    \
  ++codes;
#include "wdc/error_codes.inc"
#undef WDC_ERROR
  EXPECT_EQ(numbers.size(), codes);
  EXPECT_EQ(names.size(), codes);
  EXPECT_EQ(name(static_cast<Errc>(9999)), "unknown");
}

}  // namespace
}  // namespace wdc
