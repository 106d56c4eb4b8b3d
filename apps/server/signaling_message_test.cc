// SPDX-License-Identifier: MIT
#include "apps/server/signaling_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace wdc::server {
namespace {

using testing::HasSubstr;

struct Malformed {
  const char* name;
  std::string text;
  const char* complaint;
};

class MalformedFrameTest : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedFrameTest, IsRefusedWithAReason) {
  const auto frame = parse_member_frame(GetParam().text);
  ASSERT_FALSE(frame);
  EXPECT_THAT(frame.error(), HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    SignalingMessage, MalformedFrameTest,
    testing::Values(
        Malformed{"empty", "", "frame of 0 bytes is not JSON"}, Malformed{"rubbish", "hello", "not JSON"},
        Malformed{"two", R"({"type":"bye"}{"type":"bye"})", "not JSON"}, Malformed{"array", "[]", "not a JSON object"},
        Malformed{"untyped", "{}", "\"type\" is missing"},
        Malformed{"type_number", R"({"type":1})", "\"type\" is not a string"},
        Malformed{"type_unknown", R"({"type":"evil\u001b[2J"})", "unknown type \"evil\\x1b[2J\""},
        Malformed{"to_number", R"({"type":"bye","to":7})", "\"to\" is not a string"},
        Malformed{"no_description", R"({"type":"description"})", "\"description\" is missing"},
        Malformed{"description_text", R"({"type":"description","description":"v=0"})", "not an object"},
        Malformed{"description_type", R"({"type":"description","description":{"type":"x","sdp":""}})",
                  "unknown type \"x\""},
        Malformed{"no_sdp", R"({"type":"description","description":{"type":"offer"}})", "\"sdp\" is missing"},
        Malformed{"sdp_number", R"({"type":"description","description":{"type":"rollback","sdp":1}})",
                  "\"sdp\" is not a string"},
        Malformed{"no_candidate", R"({"type":"candidate"})", "\"candidate\" is missing"},
        Malformed{"candidate_text", R"({"type":"candidate","candidate":"a"})", "neither an object nor null"},
        Malformed{"candidate_untyped", R"({"type":"candidate","candidate":{}})", "\"candidate\" is missing"},
        Malformed{"deep", R"({"type":"candidate","candidate":)" + std::string(100, '[') + std::string(100, ']') + "}",
                  "at most 16 levels"},
        Malformed{"embedded_nul", std::string("{\"type\":\"bye\"}\0", 15), "not JSON"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(SignalingMessageTest, PassesADescriptionOnUnderTheSendersRealId) {
  const auto frame = parse_member_frame(
      R"({"type":"description","from":"forged","to":"b","description":{"type":"offer","sdp":"v=0\r\n","x":[1]},"y":2})");
  ASSERT_TRUE(frame) << frame.error();
  EXPECT_EQ(frame->to, "b");
  EXPECT_EQ(frame->text_from("a"),
            R"({"type":"description","from":"a","description":{"type":"offer","sdp":"v=0\r\n","x":[1]}})");
}

TEST(SignalingMessageTest, PassesCandidatesOnAndTheirEnd) {
  const auto frame = parse_member_frame(R"({"type":"candidate","candidate":{"candidate":"","sdpMLineIndex":0}})");
  ASSERT_TRUE(frame) << frame.error();
  EXPECT_EQ(frame->text_from("a"), R"({"type":"candidate","from":"a","candidate":{"candidate":"","sdpMLineIndex":0}})");
  const auto end = parse_member_frame(R"({"type":"candidate","candidate":null})");
  ASSERT_TRUE(end) << end.error();
  EXPECT_EQ(end->text_from("a"), R"({"type":"candidate","from":"a","candidate":null})");
}

TEST(SignalingMessageTest, PassesByeOnWithNothingElse) {
  const auto frame = parse_member_frame(R"({"type":"bye","why":"because"})");
  ASSERT_TRUE(frame) << frame.error();
  EXPECT_EQ(frame->text_from("a"), R"({"type":"bye","from":"a"})");
}

TEST(SignalingMessageTest, ARollbackNeedsNoSdp) {
  EXPECT_TRUE(parse_member_frame(R"({"type":"description","description":{"type":"rollback"}})"));
}

TEST(SignalingMessageTest, KeepsTextWithNulAndNonAscii) {
  const auto frame = parse_member_frame("{\"type\":\"candidate\",\"candidate\":{\"candidate\":\"a\\u0000\xc3\xa4\"}}");
  ASSERT_TRUE(frame) << frame.error();
  EXPECT_THAT(frame->text_from("a"), HasSubstr("\"a\\u0000\xc3\xa4\""));
}

TEST(SignalingMessageTest, WritesTheServersFrames) {
  EXPECT_EQ(welcome_frame("b", {.role = Role::polite, .peer = "a"}, 65536),
            R"({"type":"welcome","version":1,"you":"b","polite":true,"peers":["a"],"maxMessageBytes":65536})");
  EXPECT_EQ(welcome_frame("a", {.role = Role::impolite, .peer = {}}, 9),
            R"({"type":"welcome","version":1,"you":"a","polite":false,"peers":[],"maxMessageBytes":9})");
  EXPECT_EQ(joined_frame("b"), R"({"type":"joined","peer":"b"})");
  EXPECT_EQ(left_frame("b"), R"({"type":"left","peer":"b"})");
  EXPECT_EQ(error_frame(SignalingError::room_full, "2 of 2"),
            R"({"type":"error","code":"room_full","message":"2 of 2"})");
}

}  // namespace
}  // namespace wdc::server
