// SPDX-License-Identifier: MIT
#include "src/native/sctp/buffer_pool.h"

#include <gtest/gtest.h>

#include <vector>

namespace wdc::sctp {
namespace {

std::size_t memory_of(const BufferPool& pool) { return pool.used_bytes() + pool.retained_bytes(); }

TEST(BufferPoolTest, ASizeThatWasNotSeenYetNeedsNoMemory) {
  BufferPool pool;
  { const auto first = pool.take(1); }
  const auto before = memory_of(pool);
  std::vector<Buffer> buffers;
  for (const std::size_t size : {64U, 100U, 500U, 1'000U, 5'000U, 65'536U}) {
    buffers.push_back(pool.take(size));
    EXPECT_GE(buffers.back().capacity(), size);
  }
  EXPECT_EQ(memory_of(pool), before);
  buffers.clear();
  EXPECT_EQ(pool.used_bytes(), 0U);
  EXPECT_EQ(memory_of(pool), before);
}

TEST(BufferPoolTest, ALargerOneStandsInForAMediumOneThatIsMissing) {
  BufferPool pool;
  std::vector<Buffer> buffers;
  for (int i = 0; i < 5; ++i) buffers.push_back(pool.take(2'000));
  EXPECT_EQ(buffers[3].capacity(), 2'048U);
  EXPECT_EQ(buffers[4].capacity(), 4'096U);
}

TEST(BufferPoolTest, SmallOnesAreDoubledLongBeforeTheLastIsInUse) {
  BufferPool pool;
  std::vector<Buffer> buffers;
  buffers.push_back(pool.take(64));
  const auto before = memory_of(pool);
  while (buffers.size() < 12) buffers.push_back(pool.take(64));
  EXPECT_EQ(memory_of(pool), before);
  buffers.push_back(pool.take(64));
  EXPECT_EQ(memory_of(pool), before + 16 * 64U);
}

TEST(BufferPoolTest, ABlockOfASlabIsKeptWhereItsLimitIsReached) {
  BufferPool pool(16 * 1'024);
  std::vector<Buffer> small;
  std::vector<Buffer> large;
  while (small.size() < 16) small.push_back(pool.take(64));
  while (large.size() < 4) large.push_back(pool.take(8'192));
  large.clear();
  EXPECT_LE(pool.retained_bytes(), 16'384U);
  const auto before = pool.retained_bytes();
  small.clear();
  EXPECT_EQ(pool.retained_bytes(), before + 16 * 64U);
  EXPECT_LE(pool.retained_bytes(), 16'384U);
}

TEST(BufferPoolTest, KeepsNoMoreThanItsLimit) {
  BufferPool pool(1'000);
  std::vector<Buffer> buffers;
  for (int i = 0; i < 100; ++i) buffers.push_back(pool.take(static_cast<std::size_t>(i) * 50));
  EXPECT_LE(pool.retained_bytes(), 1'000U);
  buffers.clear();
  EXPECT_LE(pool.retained_bytes(), 1'000U);
  EXPECT_EQ(pool.used_bytes(), 0U);
}

TEST(BufferPoolTest, ALoadThatSwingsTakesNothingAnew) {
  for (const std::size_t most : {60'000U, 100'000U}) {
    BufferPool pool;
    std::vector<Buffer> buffers;
    std::size_t memory = 0;
    for (int swing = 0; swing < 3; ++swing) {
      while (buffers.size() < most) buffers.push_back(pool.take(64));
      if (swing == 0) memory = memory_of(pool);
      EXPECT_EQ(memory_of(pool), memory);
      buffers.clear();
      EXPECT_EQ(memory_of(pool), memory);
    }
  }
}

TEST(BufferPoolTest, AHugeOneIsGivenBackToTheSystem) {
  BufferPool pool;
  { const auto huge = pool.take(std::size_t{64} << 20); }
  EXPECT_LT(pool.retained_bytes(), std::size_t{1} << 20);
}

}  // namespace
}  // namespace wdc::sctp
