// SPDX-License-Identifier: MIT
// The fuzzer's seeds, and seeded mutations of each, in every build: what the fuzzer finds becomes a seed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/engine/drive_transport.h"
#include "tests/support/sim/random.h"

namespace wdc::fuzz {
namespace {

TEST(EngineFuzzCorpusTest, TransportsTakeEverySeedAndItsMutants) {
  sim::Random random(1);
  int seeds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WDC_FUZZ_CORPUS)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = std::as_bytes(std::span(text));
    drive_transport(bytes);
    ++seeds;
    for (int i = 0; i < 40; ++i) {
      std::vector<std::byte> mutant(bytes.begin(), bytes.end());
      for (std::uint64_t count = 1 + random.below(4); count > 0; --count) {
        // The first byte says who the input is.
        mutant[1 + random.below(mutant.size() - 1)] = static_cast<std::byte>(random.next());
      }
      drive_transport(mutant);
    }
  }
  EXPECT_GE(seeds, 6);
}

}  // namespace
}  // namespace wdc::fuzz
