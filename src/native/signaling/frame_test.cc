// SPDX-License-Identifier: MIT
#include "src/native/signaling/frame.h"

#include <gtest/gtest.h>

#include "src/native/signaling/url.h"

namespace wdc::native::signaling {
namespace {

using namespace core::signaling;  // NOLINT(google-build-using-namespace): the frames

template <class T>
T frame(std::string_view text) {
  const auto parsed = parse_frame(text);
  EXPECT_TRUE(parsed) << parsed.error();
  if (!parsed || !parsed->frame || !std::holds_alternative<T>(*parsed->frame)) {
    ADD_FAILURE() << "another frame than " << text;
    std::abort();
  }
  return std::get<T>(*parsed->frame);
}

TEST(SignalingFrame, ReadsWhatTheServerSays) {
  const auto* const text =
      R"({"type":"welcome","version":1,"you":"5f0c","polite":true,"peers":["a-_9"],"maxMessageBytes":1000,"new":[]})";
  const auto welcome = frame<Welcome>(text);
  EXPECT_EQ(welcome.you, "5f0c");
  EXPECT_TRUE(welcome.polite);
  EXPECT_EQ(welcome.peer, "a-_9");
  EXPECT_EQ(parse_frame(text)->max_frame, 1'000U);
  EXPECT_FALSE(frame<Welcome>(R"({"type":"welcome","version":1,"you":"b","polite":false,"peers":[]})").peer);
  EXPECT_EQ(frame<Joined>(R"({"type":"joined","peer":"c"})").peer, "c");
  EXPECT_EQ(frame<Left>(R"({"type":"left","peer":"c"})").peer, "c");
  EXPECT_EQ(frame<Bye>(R"({"type":"bye","from":"c"})").from, "c");
  const auto refused = frame<Refused>(R"({"type":"error","code":"room_full","message":"both places"})");
  EXPECT_EQ(refused.error.code(), Errc::room_full);
  EXPECT_EQ(refused.error.detail(), "both places");
}

TEST(SignalingFrame, ReadsWhatTheOtherMemberSays) {
  const auto offer =
      frame<Description>(R"({"type":"description","from":"m","description":{"type":"offer","sdp":"v=0\r\n"}})");
  EXPECT_EQ(offer.from, "m");
  EXPECT_EQ(offer.description.type, SdpType::offer);
  EXPECT_EQ(offer.description.sdp, "v=0\r\n");
  const auto candidate = frame<Candidate>(
      R"({"type":"candidate","from":"m","candidate":{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":2,"usernameFragment":null}})");
  EXPECT_EQ(candidate.candidate.candidate, "candidate:1");
  EXPECT_EQ(candidate.candidate.sdp_mid, "0");
  EXPECT_EQ(candidate.candidate.sdp_m_line_index, 2);
  EXPECT_FALSE(candidate.candidate.username_fragment);
  EXPECT_EQ(frame<Candidate>(R"({"type":"candidate","from":"m","candidate":null})").candidate.candidate, "");
  EXPECT_FALSE(parse_frame(R"({"type":"bye"})")->frame) << "of nobody";
}

TEST(SignalingFrame, WritesWhatItReads) {
  const Description offer{{}, {SdpType::offer, "v=0\r\ns=\"-\" \\ \xe2\x82\xac\r\n"}};
  const auto text = write_frame(offer, "other");
  EXPECT_NE(text.find(R"("to":"other")"), std::string::npos);
  EXPECT_EQ(frame<Description>(text.substr(0, text.size() - 1) + R"(,"from":"m"})").description.sdp,
            offer.description.sdp);
  const Candidate candidate{{}, {.candidate = "candidate:1", .sdp_mid = "0", .sdp_m_line_index = std::uint16_t{3}}};
  const auto written = write_frame(candidate, "other");
  const auto read = frame<Candidate>(written.substr(0, written.size() - 1) + R"(,"from":"m"})");
  EXPECT_EQ(read.candidate.candidate, "candidate:1");
  EXPECT_EQ(read.candidate.sdp_m_line_index, 3);
  EXPECT_EQ(write_frame(Candidate{}, "x"), R"({"type":"candidate","to":"x","candidate":null})");
  EXPECT_EQ(write_frame(Bye{}, "x"), R"({"type":"bye"})");
}

TEST(SignalingFrame, RefusesWhatIsMalformed) {
  const auto* const deep = "[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]";
  for (const std::string_view text :
       {"", "nonsense", "[]", "{}", R"({"type":3})", R"({"type":"hello"})", R"({"type":"welcome"})", deep,
        R"({"type":"welcome","version":1,"you":"no blanks","polite":true,"peers":[]})",
        R"({"type":"welcome","version":1,"you":"a","polite":true,"peers":[1]})",
        R"({"type":"welcome","version":1,"you":"a","polite":true,"peers":[],"maxMessageBytes":0})",
        R"({"type":"joined"})", R"({"type":"bye","from":7})", R"({"type":"error","code":"x"})",
        R"({"type":"description","from":"m","description":{"type":"wish","sdp":""}})",
        R"({"type":"description","from":"m","description":{"type":"offer"}})", R"({"type":"candidate","from":"m"})",
        R"({"type":"candidate","from":"m","candidate":{}})",
        R"({"type":"candidate","from":"m","candidate":{"candidate":"","sdpMLineIndex":70000}})"}) {
    EXPECT_FALSE(parse_frame(text)) << text;
  }
}

TEST(SignalingFrame, NamesCloseCodes) {
  EXPECT_EQ(error_of_close(4001)->code(), Errc::signaling_malformed);
  EXPECT_EQ(error_of_close(4002)->code(), Errc::signaling_too_large);
  EXPECT_EQ(error_of_close(4010)->code(), Errc::room_full);
  EXPECT_EQ(error_of_close(4012)->code(), Errc::rate_limited);
  EXPECT_EQ(error_of_close(4099)->code(), Errc::signaling_refused);
  EXPECT_FALSE(error_of_close(1000));
  EXPECT_FALSE(error_of_close(4100));
}

TEST(SignalingUrl, IsTakenApart) {
  const auto plain = parse_web_socket_url("ws://example.org:8080/ws?room=other&key=1&version=9#x", "blue").value();
  EXPECT_FALSE(plain.is_secure);
  EXPECT_EQ(plain.host, "example.org");
  EXPECT_EQ(plain.port, 8080);
  EXPECT_EQ(plain.target, "/ws?key=1&room=blue&version=1");
  EXPECT_EQ(plain.text(), "ws://example.org:8080/ws");
  const auto secure = parse_web_socket_url("wss://[2001:db8::1]", "blue").value();
  EXPECT_TRUE(secure.is_secure);
  EXPECT_EQ(secure.host, "2001:db8::1");
  EXPECT_EQ(secure.port, 443);
  EXPECT_EQ(secure.authority(), "[2001:db8::1]");
  EXPECT_EQ(secure.target, "/?room=blue&version=1");
}

TEST(SignalingUrl, IsRefusedWithAReason) {
  for (const std::string_view url : {"", "http://a/", "ws://", "ws:///ws", "ws://a:0/", "ws://a:65536/", "ws://a:x/",
                                     "ws://[::1", "ws://u@a/", "ws://a/ b", "ws://a/\r\nX: y", "broadcast:x"}) {
    const auto parsed = parse_web_socket_url(url, "blue");
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().code(), Errc::invalid_argument);
    EXPECT_FALSE(parsed.error().detail().empty());
  }
}

}  // namespace
}  // namespace wdc::native::signaling
