// SPDX-License-Identifier: MIT
#include "apps/web/transfer/frame.h"

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

std::vector<Frame> one_of_each() {
  static const auto payload = bytes({1, 2, 3});
  return {Hello{},
          Offer{7, 0x1122334455, "näme.txt", "text/plain"},
          Accept{7, 4'194'304},
          Stop{7, Reason::declined},
          Data{7, 65'520, payload},
          Ack{7, 524'288},
          Finish{7, 9, kDigest},
          Done{7, kDigest},
          Cancel{7, Reason::read_failed}};
}

TEST(FrameTest, LooksAsTheDocumentSays) {
  EXPECT_EQ(encode(Hello{}), bytes({1, 1, 0, 0, 0x77, 0x64, 0x63, 0x66}));
  EXPECT_EQ(encode(Offer{1, 258, "a", "b/c"}),
            bytes({2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 1, 0, 3, 'a', 'b', '/', 'c'}));
  EXPECT_EQ(encode(Accept{1, 0x400000}), bytes({3, 0, 0, 0, 0, 0, 0, 1, 0, 0x40, 0, 0}));
  EXPECT_EQ(encode(Stop{2, Reason::hash_mismatch}), bytes({4, 5, 0, 0, 0, 0, 0, 2}));
  const auto payload = bytes({9});
  EXPECT_EQ(encode(Data{1, 3, payload}), bytes({5, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 9}));
  EXPECT_EQ(encode(Ack{1, 3}), bytes({6, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3}));
  EXPECT_EQ(encode(Finish{1, 3, kDigest}).size(), 48U);
  EXPECT_EQ(encode(Done{1, kDigest}).size(), 40U);
  EXPECT_EQ(encode(Cancel{1, Reason::cancelled}), bytes({9, 2, 0, 0, 0, 0, 0, 1}));
}

TEST(FrameTest, ReadsWhatItWrites) {
  for (const auto& frame : one_of_each()) {
    const auto written = encode(frame);
    const auto read = parse(written);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->index(), frame.index());
    EXPECT_EQ(encode(*read), written);
  }
}

TEST(FrameTest, RefusesEveryOtherLength) {
  for (const auto& frame : one_of_each()) {
    auto written = encode(frame);
    const bool is_data = std::holds_alternative<Data>(frame);
    for (std::size_t length = 0; length < written.size(); ++length) {
      // Data may have any length but none.
      EXPECT_EQ(parse(std::span(written).first(length)).has_value(), is_data && length > kDataHeader)
          << "type " << frame.index() + 1 << " of " << length << " bytes";
    }
    written.push_back(std::byte{0});
    EXPECT_EQ(parse(written).has_value(), is_data);
  }
}

TEST(FrameTest, RefusesFieldsOutOfRange) {
  const auto changed = [](const Frame& frame, std::size_t at, int value) {
    auto written = encode(frame);
    written[at] = static_cast<std::byte>(value);
    return parse(written);
  };
  for (const int type : {0, 10, 255}) EXPECT_FALSE(changed(Hello{}, 0, type));
  EXPECT_FALSE(changed(Hello{}, 1, 2)) << "version";
  EXPECT_FALSE(changed(Hello{}, 4, 0)) << "magic";
  EXPECT_FALSE(changed(Ack{1, 1}, 1, 1)) << "argument";
  EXPECT_FALSE(changed(Ack{1, 1}, 3, 1)) << "zero";
  EXPECT_FALSE(parse(encode(Offer{1, kMaxFileBytes + 1, "", ""})));
  EXPECT_TRUE(parse(encode(Offer{1, kMaxFileBytes, "", ""})));
  EXPECT_FALSE(parse(encode(Offer{1, 1, std::string(256, 'a'), ""})));
  EXPECT_FALSE(parse(encode(Offer{1, 1, "", std::string(256, 'a')})));
  EXPECT_FALSE(changed(Offer{1, 1, "abc", ""}, 17, 2)) << "lengths that do not add up";
  EXPECT_FALSE(parse(encode(Accept{1, kMinWindow - 1})));
  EXPECT_FALSE(parse(encode(Accept{1, kMaxWindow + 1})));
}

TEST(FrameTest, ReadsUnknownReasonsAsCancelled) {
  for (const int reason : {0, 6, 255}) {
    const auto frame = parse(bytes({4, reason, 0, 0, 0, 0, 0, 1}));
    ASSERT_TRUE(frame);
    EXPECT_EQ(std::get<Stop>(*frame).reason, Reason::cancelled);
  }
}

TEST(FrameTest, SurvivesAnyBytes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> noise(random() % 64);
    for (auto& byte : noise) byte = static_cast<std::byte>(random());
    if (!noise.empty()) noise[0] = static_cast<std::byte>(random() % 12);
    if (noise.size() > 3 && random() % 2 == 0) noise[1] = noise[2] = noise[3] = std::byte{0};
    if (const auto frame = parse(noise)) {
      EXPECT_EQ(encode(*frame).size(), noise.size());
    }
  }
}

}  // namespace
}  // namespace wdc::transfer
