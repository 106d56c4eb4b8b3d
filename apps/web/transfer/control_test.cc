// SPDX-License-Identifier: MIT
#include "apps/web/transfer/control.h"

#include <gtest/gtest.h>

#include <random>

namespace wdc::transfer {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

const Digest kDigest = [] {
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::byte>(i);
  return digest;
}();

std::vector<Control> one_of_each() {
  return {Offer{7, 0x1122334455, "näme.txt", "text/plain"}, Accept{7}, Stop{7, Reason::declined}, Done{7, kDigest},
          Cancel{7, Reason::read_failed}};
}

TEST(ControlTest, LooksAsTheDocumentSays) {
  EXPECT_EQ(encode(Offer{1, 258, "a", "b/c"}),
            bytes({1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 1, 0, 3, 'a', 'b', '/', 'c'}));
  EXPECT_EQ(encode(Accept{1}), bytes({2, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(encode(Stop{2, Reason::hash_mismatch}), bytes({3, 5, 0, 0, 0, 0, 0, 2}));
  const auto content = encode_content_header(1);
  EXPECT_EQ(std::vector(content.begin(), content.end()), bytes({4, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(encode(Done{1, kDigest}).size(), 40U);
  EXPECT_EQ(encode(Cancel{1, Reason::cancelled}), bytes({6, 2, 0, 0, 0, 0, 0, 1}));
}

TEST(ControlTest, ReadsWhatItWrites) {
  for (const auto& control : one_of_each()) {
    const auto written = encode(control);
    const auto read = parse(written);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->index(), control.index());
    EXPECT_EQ(encode(*read), written);
    EXPECT_FALSE(is_content(written));
  }
  EXPECT_TRUE(is_content(encode_content_header(7)));
  EXPECT_EQ(parse_content_header(encode_content_header(7)), 7U);
}

TEST(ControlTest, RefusesEveryOtherLength) {
  for (const auto& control : one_of_each()) {
    auto written = encode(control);
    for (std::size_t length = 0; length < written.size(); ++length)
      EXPECT_FALSE(parse(std::span(written).first(length))) << length << " bytes of " << written.size();
    written.push_back(std::byte{0});
    EXPECT_FALSE(parse(written));
  }
  const auto header = encode_content_header(7);
  for (std::size_t length = 1; length < header.size(); ++length)
    EXPECT_FALSE(parse_content_header(std::span(header).first(length)));
}

TEST(ControlTest, RefusesFieldsOutOfRange) {
  const auto changed = [](const Control& control, std::size_t at, int value) {
    auto written = encode(control);
    written[at] = static_cast<std::byte>(value);
    return parse(written);
  };
  for (const int type : {0, 4, 7, 255}) EXPECT_FALSE(changed(Accept{1}, 0, type));
  EXPECT_FALSE(changed(Accept{1}, 1, 1)) << "argument";
  EXPECT_FALSE(changed(Accept{1}, 3, 1)) << "zero";
  for (const std::size_t at : {1U, 2U, 3U}) {
    auto header = encode_content_header(7);
    header[at] = std::byte{1};
    EXPECT_FALSE(parse_content_header(header));
  }
  EXPECT_FALSE(parse(encode(Offer{1, kMaxFileBytes + 1, "", ""})));
  EXPECT_TRUE(parse(encode(Offer{1, kMaxFileBytes, "", ""})));
  EXPECT_FALSE(parse(encode(Offer{1, 1, std::string(256, 'a'), ""})));
  EXPECT_FALSE(parse(encode(Offer{1, 1, "", std::string(256, 'a')})));
  EXPECT_FALSE(changed(Offer{1, 1, "abc", ""}, 17, 2)) << "lengths that do not add up";
}

TEST(ControlTest, ReadsUnknownReasonsAsCancelled) {
  for (const int reason : {0, 6, 255}) {
    const auto control = parse(bytes({3, reason, 0, 0, 0, 0, 0, 1}));
    ASSERT_TRUE(control);
    EXPECT_EQ(std::get<Stop>(*control).reason, Reason::cancelled);
  }
}

TEST(ControlTest, SurvivesAnyBytes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> noise(random() % 64);
    for (auto& byte : noise) byte = static_cast<std::byte>(random());
    if (!noise.empty()) noise[0] = static_cast<std::byte>(random() % 8);
    if (noise.size() > 3 && random() % 2 == 0) noise[1] = noise[2] = noise[3] = std::byte{0};
    if (const auto control = parse(noise)) {
      EXPECT_EQ(encode(*control).size(), noise.size());
    }
    if (is_content(noise)) {
      EXPECT_LE(parse_content_header(noise).has_value(), noise.size() >= kHeaderSize);
    }
  }
}

}  // namespace
}  // namespace wdc::transfer
