// SPDX-License-Identifier: MIT
#include "src/native/dtls/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "src/native/dtls/record_opener.h"

namespace wdc::dtls {
namespace {

using Bytes = std::vector<std::byte>;

constexpr Salt kSalt{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};

Bytes key_bytes(AeadAlgorithm algorithm) {
  Bytes key(key_size(algorithm));
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(i * 7 + 1);
  return key;
}

std::unique_ptr<Aead> aead(AeadProvider& provider, AeadDirection direction,
                           AeadAlgorithm algorithm = AeadAlgorithm::aes_128_gcm) {
  return provider.create(algorithm, direction, key_bytes(algorithm));
}

Bytes slot_with(std::string_view text) {
  Bytes slot(kHeadRoom + text.size() + kTailRoom);
  std::ranges::copy(std::as_bytes(std::span(text)), slot.begin() + static_cast<std::ptrdiff_t>(kHeadRoom));
  return slot;
}

Bytes sealed(RecordSealer& sealer, std::string_view text) {
  Bytes slot = slot_with(text);
  MutableByteView view = std::span(slot).subspan(kHeadRoom, text.size());
  EXPECT_TRUE(sealer.seal(ContentType::application_data, {&view, 1}));
  EXPECT_EQ(view.data(), slot.data());
  EXPECT_EQ(view.size(), slot.size());
  return slot;
}

ArrivedRecord arrived(Bytes& record) { return {*RecordWalk(record).next(), {}, {}}; }

OpenStatus open_one(RecordOpener& opener, Bytes record) {
  ArrivedRecord one = arrived(record);
  opener.open({&one, 1});
  return one.status;
}

std::string text_of(const ArrivedRecord& record) {
  return {reinterpret_cast<const char*>(record.text.data()), record.text.size()};
}

TEST(RecordWalkTest, FindsSeveralRecordsInADatagram) {
  Bytes datagram(2 * kHeaderSize + 5);
  RecordHeader{ContentType::handshake, kDtls12, 0, 7, 3}.write(datagram.data());
  RecordHeader{ContentType::alert, kDtls10, 2, kMostSequence, 2}.write(datagram.data() + kHeaderSize + 3);
  RecordWalk walk(datagram);
  const auto first = walk.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->header.type, ContentType::handshake);
  EXPECT_EQ(first->header.sequence, 7U);
  EXPECT_EQ(first->fragment().size(), 3U);
  const auto second = walk.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->header.epoch, 2U);
  EXPECT_EQ(second->header.sequence, kMostSequence);
  EXPECT_FALSE(walk.next());
  EXPECT_FALSE(walk.rubbish());
}

TEST(RecordWalkTest, StopsAtRubbishAfterAValidRecord) {
  for (const std::size_t tail : {1U, 12U, 13U, 40U}) {
    Bytes datagram(kHeaderSize + 3 + tail, std::byte{0xee});
    RecordHeader{ContentType::handshake, kDtls12, 0, 7, 3}.write(datagram.data());
    RecordWalk walk(datagram);
    EXPECT_TRUE(walk.next());
    EXPECT_FALSE(walk.next());
    EXPECT_TRUE(walk.rubbish());
  }
}

TEST(RecordWalkTest, RefusesALengthBeyondTheDatagram) {
  Bytes datagram(kHeaderSize + 3);
  RecordHeader{ContentType::handshake, kDtls12, 0, 0, 4}.write(datagram.data());
  RecordWalk walk(datagram);
  EXPECT_FALSE(walk.next());
  EXPECT_TRUE(walk.rubbish());
}

TEST(ReplayWindowTest, AgreesWithASetOfAllNumbers) {
  ReplayWindow window;
  std::set<std::uint64_t> seen;
  std::uint64_t state = 1;
  std::uint64_t highest = 0;
  for (int i = 0; i < 200'000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t random = state >> 33;
    // Mostly near the front, sometimes far behind, sometimes a leap of more than the window.
    const std::uint64_t sequence = random % 97 == 0  ? highest + random % 5'000
                                   : random % 5 == 0 ? highest + random % 3
                                   : highest > 2'000 ? highest - random % 1'500
                                                     : random % (highest + 1);
    const bool too_old = !seen.empty() && highest + 1 > sequence && highest + 1 - sequence > ReplayWindow::kSize;
    ASSERT_EQ(window.fresh(sequence), !too_old && !seen.contains(sequence)) << sequence << " of " << highest;
    if (!window.fresh(sequence)) continue;
    window.mark(sequence);
    seen.insert(sequence);
    highest = std::max(highest, sequence);
  }
}

TEST(ReplayWindowTest, ReachesTheLastSequenceNumber) {
  ReplayWindow window;
  window.mark(0);
  window.mark(kMostSequence);
  EXPECT_FALSE(window.fresh(kMostSequence));
  EXPECT_FALSE(window.fresh(0));
  EXPECT_TRUE(window.fresh(kMostSequence - 1));
  EXPECT_TRUE(window.fresh(kMostSequence - ReplayWindow::kSize + 1));
  EXPECT_FALSE(window.fresh(kMostSequence - ReplayWindow::kSize));
}

TEST(RecordSealerTest, NoncesAreEpochAndSequenceNumberAndNeverRandom) {
  const auto provider = make_openssl_aead_provider();
  RecordSealer sealer(aead(*provider, AeadDirection::seal), kSalt);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Bytes record = sealed(sealer, "text");
    EXPECT_EQ(load_big_endian<std::uint64_t>(record.data() + 3), (std::uint64_t{1} << 48) + i);
    EXPECT_EQ(load_big_endian<std::uint64_t>(record.data() + kHeaderSize), (std::uint64_t{1} << 48) + i);
  }
}

TEST(RecordSealerTest, SealsATrainInPlace) {
  const auto provider = make_best_aead_provider();
  RecordSealer sealer(aead(*provider, AeadDirection::seal), kSalt);
  RecordOpener opener(aead(*provider, AeadDirection::open), kSalt);
  constexpr std::size_t kCount = 130;  // more than fit one call of the AEAD
  constexpr std::size_t kText = 1'163;
  constexpr std::size_t kStride = kHeadRoom + kText + kTailRoom;
  Bytes block(kCount * kStride);
  std::vector<MutableByteView> texts;
  for (std::size_t i = 0; i < kCount; ++i) {
    texts.push_back(std::span(block).subspan(i * kStride + kHeadRoom, i + 1 < kCount ? kText : 10));
    std::ranges::fill(texts.back(), static_cast<std::byte>(i));
  }
  ASSERT_TRUE(sealer.seal(ContentType::application_data, texts));
  // The records touch: the block is a train for one segmented send.
  std::vector<ArrivedRecord> records;
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(texts[i].data(), block.data() + i * kStride);
    records.push_back({*RecordWalk(texts[i]).next(), {}, {}});
  }
  opener.open(records);
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(records[i].status, OpenStatus::opened);
    ASSERT_EQ(records[i].text.size(), i + 1 < kCount ? kText : 10U);
    EXPECT_TRUE(std::ranges::all_of(records[i].text, [&](std::byte b) { return b == static_cast<std::byte>(i); }));
  }
}

TEST(RecordSealerTest, SequenceNumbersEndBeforeTheyWrap) {
  const auto provider = make_openssl_aead_provider();
  RecordSealer sealer(aead(*provider, AeadDirection::seal), kSalt, {.last_sequence = 1});
  sealed(sealer, "a");
  sealed(sealer, "b");
  Bytes slot = slot_with("c");
  MutableByteView view = std::span(slot).subspan(kHeadRoom, 1);
  EXPECT_FALSE(sealer.seal(ContentType::application_data, {&view, 1}));
  EXPECT_EQ(sealer.next_sequence(), 2U);
}

TEST(RecordSealerTest, AKeyProtectsNoMoreBlocksThanItMay) {
  const auto provider = make_openssl_aead_provider();
  RecordSealer sealer(aead(*provider, AeadDirection::seal), kSalt, {.sealed_blocks = 10});
  sealed(sealer, std::string(100, 'x'));  // 8 blocks
  Bytes slot = slot_with(std::string(17, 'y'));
  MutableByteView view = std::span(slot).subspan(kHeadRoom, 17);
  EXPECT_FALSE(sealer.seal(ContentType::application_data, {&view, 1}));
  sealed(sealer, "z");
}

TEST(RecordOpenerTest, ReplayWindowMovesOnlyAfterTheTagVerified) {
  const auto provider = make_openssl_aead_provider();
  RecordSealer sealer(aead(*provider, AeadDirection::seal), kSalt);
  RecordOpener opener(aead(*provider, AeadDirection::open), kSalt);
  const Bytes first = sealed(sealer, "first");
  Bytes forged = first;
  store_big_endian(forged.data() + 3, (std::uint64_t{1} << 48) + 100'000);  // far ahead: it would shut everything out
  EXPECT_EQ(open_one(opener, forged), OpenStatus::forged);
  EXPECT_EQ(open_one(opener, first), OpenStatus::opened);
  EXPECT_EQ(open_one(opener, first), OpenStatus::replayed);
  EXPECT_EQ(opener.failed_tags(), 1U);
}

TEST(RecordOpenerTest, OpensARecordOnceThoughItComesTwiceInABurst) {
  const auto provider = make_best_aead_provider();
  RecordSealer sealer(aead(*provider, AeadDirection::seal), kSalt);
  RecordOpener opener(aead(*provider, AeadDirection::open), kSalt);
  Bytes one = sealed(sealer, "once");
  Bytes again = one;
  std::array records{arrived(one), arrived(again)};
  opener.open(records);
  EXPECT_EQ(records[0].status, OpenStatus::opened);
  EXPECT_EQ(text_of(records[0]), "once");
  EXPECT_EQ(records[1].status, OpenStatus::replayed);
  EXPECT_TRUE(records[1].text.empty());
}

TEST(RecordOpenerTest, EveryBitOfARecordIsProtected) {
  for (const auto& provider : {make_openssl_aead_provider(), make_best_aead_provider()}) {
    RecordSealer sealer(aead(*provider, AeadDirection::seal), kSalt);
    RecordOpener opener(aead(*provider, AeadDirection::open), kSalt);
    const Bytes record = sealed(sealer, "some text");
    for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
      Bytes changed = record;
      changed[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      const auto found = RecordWalk(changed).next();
      if (!found) continue;  // no record any more: its version or its length
      EXPECT_NE(open_one(opener, changed), OpenStatus::opened) << bit;
    }
    EXPECT_EQ(open_one(opener, record), OpenStatus::opened);
  }
}

TEST(RecordOpenerTest, RecordsTooShortOrTooLongAreMalformed) {
  const auto provider = make_openssl_aead_provider();
  RecordOpener opener(aead(*provider, AeadDirection::open), kSalt);
  for (const std::size_t size : {std::size_t{0}, std::size_t{23}, kMostText + 25}) {
    Bytes record(kHeaderSize + size);
    RecordHeader{ContentType::application_data, kDtls12, 1, 0, static_cast<std::uint16_t>(size)}.write(record.data());
    EXPECT_EQ(open_one(opener, record), OpenStatus::malformed) << size;
  }
}

TEST(RecordOpenerTest, SaysWhenTooManyTagsHaveFailed) {
  const auto provider = make_openssl_aead_provider();
  RecordSealer sealer(aead(*provider, AeadDirection::seal), kSalt);
  RecordOpener opener(aead(*provider, AeadDirection::open), kSalt, {.failed_tags = 2});
  Bytes record = sealed(sealer, "text");
  record.back() ^= std::byte{1};
  EXPECT_EQ(open_one(opener, record), OpenStatus::forged);
  EXPECT_FALSE(opener.exhausted());
  EXPECT_EQ(open_one(opener, record), OpenStatus::forged);
  EXPECT_TRUE(opener.exhausted());
}

TEST(AeadTest, ProvidersMakeAndOpenTheSameRecords) {
  const auto openssl = make_openssl_aead_provider();
  const auto ipsec_mb = make_ipsec_mb_aead_provider();
  if (!ipsec_mb) GTEST_SKIP() << "no libipsec-mb, or a processor without AVX2 and AES";
  EXPECT_EQ(make_best_aead_provider()->name(), "ipsec-mb");
  for (const AeadAlgorithm algorithm : {AeadAlgorithm::aes_128_gcm, AeadAlgorithm::aes_256_gcm}) {
    RecordSealer one(aead(*openssl, AeadDirection::seal, algorithm), kSalt);
    RecordSealer other(aead(*ipsec_mb, AeadDirection::seal, algorithm), kSalt);
    RecordOpener opens_one(aead(*ipsec_mb, AeadDirection::open, algorithm), kSalt);
    RecordOpener opens_other(aead(*openssl, AeadDirection::open, algorithm), kSalt);
    // Every length around the block sizes, and some long ones.
    for (std::size_t size = 0; size <= kMostText; size += size < 1'300 ? 1 : 997) {
      std::string text(size, '\0');
      for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + size);
      const Bytes a = sealed(one, text);
      ASSERT_EQ(a, sealed(other, text)) << size;
      Bytes first = a;
      Bytes second = a;
      ArrivedRecord by_ipsec_mb = arrived(first);
      ArrivedRecord by_openssl = arrived(second);
      opens_one.open({&by_ipsec_mb, 1});
      opens_other.open({&by_openssl, 1});
      ASSERT_EQ(text_of(by_ipsec_mb), text) << size;
      ASSERT_EQ(text_of(by_openssl), text) << size;
    }
  }
}

// Test case 2 of the definition of GCM; the additional data changes the tag alone.
TEST(AeadTest, FollowsThePublishedVectors) {
  for (const auto& provider : {make_openssl_aead_provider(), make_best_aead_provider()}) {
    const Bytes key(16);
    const auto aes = provider->create(AeadAlgorithm::aes_128_gcm, AeadDirection::seal, key);
    Bytes record(8 + 32);
    std::byte* const text = record.data() + 8;
    AeadJob job{text, 16, {}, {}, false};
    ASSERT_TRUE(aes->seal({&job, 1}));
    const std::array<unsigned char, 16> expected{0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92,
                                                 0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78};
    EXPECT_EQ(std::memcmp(text, expected.data(), 16), 0);
  }
}

}  // namespace
}  // namespace wdc::dtls
