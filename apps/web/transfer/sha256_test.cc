// SPDX-License-Identifier: MIT
#include "apps/web/transfer/sha256.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace wdc::transfer {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.update(bytes_of(text));
  return to_hex(hash.finish());
}

// NIST's examples for FIPS 180-4, and the short messages of its CAVP test set.
TEST(Sha256Test, HashesTheExamplesOfTheStandard) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                   "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(sha256("\xd3"), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1");
  EXPECT_EQ(sha256("\x11\xaf"), "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98");
}

TEST(Sha256Test, HashesAMillionTimesTheLetterA) {
  Sha256 hash;
  const std::string thousand(1000, 'a');
  for (int i = 0; i < 1000; ++i) hash.update(bytes_of(thousand));
  EXPECT_EQ(to_hex(hash.finish()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, GivesTheSameDigestHoweverTheBytesAreCut) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const auto whole = sha256(std::string_view(text).substr(0, length));
    for (const std::size_t cut : {length / 3, length / 2, length - length / 7}) {
      Sha256 hash;
      hash.update(bytes_of(std::string_view(text).substr(0, cut)));
      hash.update({});
      hash.update(bytes_of(std::string_view(text).substr(cut, length - cut)));
      ASSERT_EQ(to_hex(hash.finish()), whole) << length << " bytes cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace wdc::transfer
