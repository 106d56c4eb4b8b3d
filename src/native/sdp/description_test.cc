// SPDX-License-Identifier: MIT
#include "src/native/sdp/description.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace wdc::sdp {
namespace {

std::string captured(const std::string& name) {
  std::ifstream file(std::string(WDC_SDP_TESTDATA) + "/" + name + ".sdp", std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

Description parsed(std::string_view text, DescriptionKind kind) {
  const auto description = parse(text, kind);
  EXPECT_TRUE(description) << description.error().message();
  return description.value_or(Description{});
}

std::string refusal(std::string_view text, DescriptionKind kind = DescriptionKind::offer,
                    const ParseLimits& limits = {}) {
  const auto description = parse(text, kind, limits);
  return description ? "accepted" : description.error().message();
}

/// The text with one part replaced, which must be there.
std::string with(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), by);
}

DataSection our_data() {
  DataSection data;
  data.mid = "0";
  data.ice_ufrag = "abcd1234";
  data.ice_pwd = "abcdefghijklmnopqrstuvwx";
  data.trickle = true;
  data.fingerprints = {{"sha-256", std::vector<std::byte>(32, std::byte{0xab})}};
  data.max_message_size = 262'144;
  data.candidates = {"candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"};
  return data;
}

// ---- what browsers write

TEST(BrowserDescriptionTest, ReadsAChromiumOffer) {
  const auto offer = parsed(captured("chromium_data_offer"), DescriptionKind::offer);
  EXPECT_EQ(offer.sections.size(), 1U);
  EXPECT_EQ(offer.bundle, std::vector<std::string>{"0"});
  EXPECT_EQ(offer.data.mid, "0");
  EXPECT_EQ(offer.data.ice_ufrag, "FRwW");
  EXPECT_EQ(offer.data.ice_pwd, "oCuGm4i4W1nATUF3+OQRxjOw");
  EXPECT_TRUE(offer.data.trickle);
  EXPECT_EQ(offer.data.setup, Setup::actpass);
  EXPECT_EQ(offer.data.sctp_port, 5'000);
  EXPECT_EQ(offer.data.max_message_size, 262'144U);
  ASSERT_EQ(offer.data.fingerprints.size(), 1U);
  EXPECT_EQ(offer.data.fingerprints[0].algorithm, "sha-256");
  EXPECT_EQ(offer.data.fingerprints[0].digest.size(), 32U);
  EXPECT_EQ(offer.data.fingerprints[0].digest[0], std::byte{0xa1});
  EXPECT_EQ(offer.data.candidates.size(), 2U);
  EXPECT_FALSE(offer.data.end_of_candidates);
}

TEST(BrowserDescriptionTest, ReadsAFirefoxOffer) {
  const auto offer = parsed(captured("firefox_data_offer"), DescriptionKind::offer);
  EXPECT_EQ(offer.data.ice_ufrag, "8bea7836");
  EXPECT_EQ(offer.data.max_message_size, 1'073'741'823U);
  EXPECT_EQ(offer.data.fingerprints.size(), 1U);  // of the whole session
  EXPECT_TRUE(offer.data.trickle);
  EXPECT_TRUE(offer.data.end_of_candidates);
  EXPECT_EQ(offer.data.candidates.size(), 4U);
}

TEST(BrowserDescriptionTest, ReadsEverythingThatWasCaptured) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WDC_SDP_TESTDATA)) {
    const std::string name = entry.path().stem().string();
    SCOPED_TRACE(name);
    const bool is_offer = name.find("offer") != name.npos;
    const auto description = parsed(captured(name), is_offer ? DescriptionKind::offer : DescriptionKind::answer);
    EXPECT_EQ(description.data.fingerprints.size(), 1U);
    EXPECT_EQ(description.data.setup, is_offer ? Setup::actpass : Setup::active);
    // What is read and written again reads the same.
    const auto again = parse(write(description), is_offer ? DescriptionKind::offer : DescriptionKind::answer);
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->data, description.data);
    ++count;
  }
  EXPECT_EQ(count, 22U);
}

TEST(BrowserDescriptionTest, TakesOnlyTheDataChannelsOfAnOfferWithAudioAndVideo) {
  for (const std::string browser : {"chromium", "firefox"}) {
    SCOPED_TRACE(browser);
    const auto offer = parsed(captured(browser + "_av_offer"), DescriptionKind::offer);
    ASSERT_EQ(offer.sections.size(), 3U);
    EXPECT_EQ(offer.data_index, 2U);
    EXPECT_EQ(offer.data.mid, "2");
    const auto answer = make_answer(offer, our_data(), 7, 1);
    const std::string text = write(answer);
    EXPECT_NE(text.find("m=audio 0 UDP/TLS/RTP/SAVPF "), text.npos);
    EXPECT_NE(text.find("m=video 0 UDP/TLS/RTP/SAVPF "), text.npos);
    EXPECT_NE(text.find("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"), text.npos);
    EXPECT_NE(text.find("a=group:BUNDLE 2\r\n"), text.npos);
    EXPECT_EQ(mismatch(offer, parsed(text, DescriptionKind::answer)), std::nullopt);
  }
}

TEST(BrowserDescriptionTest, FindsTheTransportOfABundleAtItsFirstSection) {
  for (const std::string browser : {"chromium", "firefox"}) {
    SCOPED_TRACE(browser);
    const auto offer = parsed(captured(browser + "_bundle_offer"), DescriptionKind::offer);
    EXPECT_EQ(offer.data.mid, "1");
    EXPECT_FALSE(offer.sections[1].is_rejected);  // port 0 with a=bundle-only in Firefox
    EXPECT_GE(offer.data.candidates.size(), 2U);
  }
  // Left out where it says the same, as RFC 9143 would have it.
  std::string text = captured("firefox_bundle_offer");
  const std::size_t data = text.find("m=application");
  const auto offer = parsed(text, DescriptionKind::offer);
  for (const std::string_view line : {"a=ice-pwd:", "a=ice-ufrag:", "a=setup:"}) {
    const std::size_t at = text.find(line, data);
    text.erase(at, text.find('\n', at) + 1 - at);
  }
  EXPECT_EQ(parsed(text, DescriptionKind::offer).data, offer.data);
}

TEST(BrowserDescriptionTest, KnowsARestart) {
  for (const std::string browser : {"chromium", "firefox"}) {
    const auto before = parsed(captured(browser + "_data_offer"), DescriptionKind::offer);
    const auto now = parsed(captured(browser + "_restart_offer"), DescriptionKind::offer);
    EXPECT_TRUE(is_ice_restart(before.data, now.data)) << browser;
    EXPECT_FALSE(is_ice_restart(before.data, before.data));
    EXPECT_EQ(before.data.fingerprints, now.data.fingerprints);
    EXPECT_GT(now.session_version, before.session_version);
  }
}

// ---- the old form

constexpr std::string_view kLegacyOffer =
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "a=fingerprint:SHA-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33\r\n"
    "a=setup:actpass\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"
    "m=application 54111 DTLS/SCTP 5001\r\nc=IN IP4 192.0.2.1\r\na=mid:data\r\n"
    "a=sctpmap:5001 webrtc-datachannel 1024\r\n";

TEST(LegacyDescriptionTest, IsReadAndAnsweredInItsOwnForm) {
  const auto offer = parsed(kLegacyOffer, DescriptionKind::offer);
  EXPECT_EQ(offer.data.form, DataForm::legacy);
  EXPECT_EQ(offer.data.sctp_port, 5'001);
  EXPECT_EQ(offer.data.max_message_size, 65'536U);
  EXPECT_FALSE(offer.data.trickle);
  EXPECT_EQ(offer.data.fingerprints[0].algorithm, "sha-1");
  EXPECT_TRUE(offer.bundle.empty());
  const std::string text = write(make_answer(offer, our_data(), 7, 1));
  EXPECT_NE(text.find("m=application 9 DTLS/SCTP 5000\r\n"), text.npos);
  EXPECT_NE(text.find("a=sctpmap:5000 webrtc-datachannel 65535\r\n"), text.npos);
  EXPECT_EQ(text.find("a=sctp-port"), text.npos);
  EXPECT_EQ(text.find("a=group"), text.npos);
  const auto answer = parsed(text, DescriptionKind::answer);
  EXPECT_EQ(answer.data.form, DataForm::legacy);
  EXPECT_EQ(answer.data.sctp_port, 5'000);
}

// ---- ours

TEST(DescriptionTest, ReadsWhatItWrites) {
  DataSection data = our_data();
  data.fingerprints.push_back({"sha-512", std::vector<std::byte>(64, std::byte{0x0f})});
  data.end_of_candidates = true;
  data.tls_id = "abcdefghijklmnopqrstuvwx";
  const auto offer = make_offer(data, 4'611'731'400'430'051'336, 2);
  EXPECT_EQ(parsed(write(offer), DescriptionKind::offer), offer);
  const auto answer = make_answer(offer, our_data(), 1, 1);
  EXPECT_EQ(answer.data.setup, Setup::active);
  EXPECT_EQ(parsed(write(answer), DescriptionKind::answer), answer);
  EXPECT_EQ(mismatch(offer, answer), std::nullopt);
}

TEST(DescriptionTest, AnswersEachSetupWithItsOpposite) {
  EXPECT_EQ(answering(Setup::actpass), Setup::active);
  EXPECT_EQ(answering(Setup::passive), Setup::active);
  EXPECT_EQ(answering(Setup::active), Setup::passive);
}

TEST(DescriptionTest, SaysWhyAnAnswerDoesNotFit) {
  const auto offer = make_offer(our_data(), 1, 1);
  auto answer = make_answer(offer, our_data(), 1, 1);
  answer.sections[0].mid = "other";
  EXPECT_NE(mismatch(offer, answer)->find("a=mid"), std::string::npos);
  answer = make_answer(offer, our_data(), 1, 1);
  answer.sections.push_back({.media = "audio", .protocol = "x", .formats = "0", .mid = "1", .is_rejected = true});
  EXPECT_NE(mismatch(offer, answer)->find("2 'm=' lines"), std::string::npos);
  auto passive_offer = offer;
  passive_offer.data.setup = Setup::active;
  answer = make_answer(offer, our_data(), 1, 1);
  EXPECT_NE(mismatch(passive_offer, answer)->find("a=setup"), std::string::npos);
}

// ---- errors name the line and the reason

TEST(DescriptionErrorTest, NamesTheLineAndTheReason) {
  const std::string good = write(make_offer(our_data(), 1, 1));
  EXPECT_EQ(refusal(good), "accepted");
  EXPECT_EQ(refusal(with(good, "v=0", "v=1")), "line 1: a description begins with 'v=0'");
  EXPECT_EQ(refusal(with(good, "o=- 1 1", "o=- x 1")), "line 2: 'o=' lacks the session's number and version");
  EXPECT_EQ(refusal(with(good, "s=-", "nonsense")), "line 3: this is no line 'x=...'");
  EXPECT_EQ(refusal(with(good, "m=application 9", "m=application 70000")),
            "line 6: the port of 'm=' is not 0 to 65535");
  EXPECT_EQ(refusal(with(good, "abcd1234", "abc")), "line 10: a=ice-ufrag is not 4 to 256 letters, digits, '+' or '/'");
  EXPECT_EQ(refusal(with(good, "abcdefghijklmnopqrstuvwx", "short")),
            "line 11: a=ice-pwd is not 22 to 256 letters, digits, '+' or '/'");
  EXPECT_EQ(refusal(with(good, "AB:AB", "AB")), "line 13: a=fingerprint of sha-256 has 31 bytes instead of 32");
  EXPECT_EQ(refusal(with(good, "AB:AB", "AB:XY")),
            "line 13: a=fingerprint is not a hash's name and bytes in hexadecimal");
  EXPECT_EQ(refusal(with(good, "actpass", "holdconn")), "line 14: a=setup is not actpass, active or passive");
  EXPECT_EQ(refusal(with(good, "sctp-port:5000", "sctp-port:0")), "line 15: a=sctp-port is not 1 to 65535");
  EXPECT_EQ(refusal(with(good, "size:262144", "size:many")),
            "line 16: a=max-message-size is not 0 to 18446744073709551615");
  EXPECT_EQ(refusal(good, DescriptionKind::answer), "line 6: an answer's a=setup is active or passive");
}

TEST(DescriptionErrorTest, NamesWhatIsMissing) {
  const std::string good = write(make_offer(our_data(), 1, 1));
  const auto without = [&](std::string_view line) {
    const std::size_t at = good.find(line);
    std::string text = good;
    return text.erase(at, text.find('\n', at) + 1 - at);
  };
  EXPECT_EQ(refusal(""), "the description is empty");
  EXPECT_EQ(refusal(without("o=")), "there is no 'o=' line");
  EXPECT_EQ(refusal(without("a=ice-ufrag")), "line 6: the section of the data channels has no a=ice-ufrag");
  EXPECT_EQ(refusal(without("a=ice-pwd")), "line 6: the section of the data channels has no a=ice-pwd");
  EXPECT_EQ(refusal(without("a=fingerprint")), "line 6: the section of the data channels has no a=fingerprint");
  EXPECT_EQ(refusal(without("a=setup")), "line 6: the section of the data channels has no a=setup");
  EXPECT_EQ(refusal(with(good, "m=application 9", "m=audio 9")),
            "there is no 'm=application' section for data channels");
  EXPECT_EQ(refusal(with(good, "m=application 9", "m=application 0")),
            "line 6: the data channels are rejected (port 0)");
  EXPECT_EQ(parsed(without("a=sctp-port"), DescriptionKind::offer).data.sctp_port, 5'000);
  EXPECT_EQ(parsed(without("a=max-message-size"), DescriptionKind::offer).data.max_message_size, 65'536U);
}

TEST(DescriptionErrorTest, RefusesContradictions) {
  const std::string good = write(make_offer(our_data(), 1, 1));
  EXPECT_EQ(refusal(good + "a=ice-ufrag:other\r\n"), "line 17: a second a=ice-ufrag that differs");
  EXPECT_EQ(refusal(good + "a=ice-ufrag:abcd1234\r\n"), "accepted");
  EXPECT_EQ(refusal(good + "a=sctp-port:1\r\n"), "line 17: a second a=sctp-port that differs");
  EXPECT_EQ(refusal(good + "m=audio 9 x 0\r\na=mid:0\r\n"), "line 18: two sections have the same a=mid");
}

TEST(DescriptionErrorTest, HoldsItsLimits) {
  const std::string good = write(make_offer(our_data(), 1, 1));
  EXPECT_EQ(refusal(good + std::string(300'000, 'a')).find("the description of "), 0U);
  EXPECT_EQ(refusal(good + "a=" + std::string(9'000, 'a') + "\r\n"),
            "line 17: a line of 9002 bytes exceeds the limit of 8192");
  std::string sections = good;
  for (int i = 0; i < 128; ++i) sections += "m=audio 9 x 0\r\n";
  EXPECT_EQ(refusal(sections), "line 144: more than 128 'm=' lines");
  std::string fingerprints = good;
  for (int i = 0; i < 16; ++i) fingerprints += "a=fingerprint:x-" + std::to_string(i) + " 00\r\n";
  EXPECT_EQ(refusal(fingerprints), "line 32: more than 16 a=fingerprint lines");
  std::string candidates = good;
  for (int i = 0; i < 500; ++i) candidates += "a=candidate:" + std::to_string(i) + "\r\n";
  EXPECT_EQ(parsed(candidates, DescriptionKind::offer).data.candidates.size(), 100U);
}

TEST(DescriptionTest, TakesLinesThatEndInLfAndBlankOnesAtTheEnd) {
  std::string text = write(make_offer(our_data(), 1, 1));
  const auto offer = parsed(text, DescriptionKind::offer);
  std::erase(text, '\r');
  EXPECT_EQ(parsed(text + "\n\n", DescriptionKind::offer), offer);
  EXPECT_EQ(refusal(with(text, "s=-\n", "s=-\n\n")), "line 4: this is no line 'x=...'");
}

TEST(DescriptionTest, PassesOverWhatItDoesNotKnow) {
  const std::string good = write(make_offer(our_data(), 1, 1));
  const std::string more = with(good, "t=0 0\r\n", "t=0 0\r\nb=AS:5\r\na=unheard-of\r\na=group:LS 0\r\nk=clear:x\r\n") +
                           "a=ssrc:1 cname:x\r\na=ice-options:renomination trickle\r\n";
  EXPECT_EQ(parsed(more, DescriptionKind::offer).data, parsed(good, DescriptionKind::offer).data);
}

}  // namespace
}  // namespace wdc::sdp
