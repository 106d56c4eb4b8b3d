// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "tests/support/sim/random.h"

namespace wdc::fuzz {

/// From one to four bytes flipped, replaced, taken out or put in; never the first `kept`.
inline void mutate(std::vector<std::byte>& bytes, std::size_t kept, sim::Random& random) {
  for (std::uint64_t count = 1 + random.below(4); count > 0 && bytes.size() > kept; --count) {
    const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(kept + random.below(bytes.size() - kept));
    switch (random.below(4)) {
      case 0:
        *at ^= static_cast<std::byte>(1U << random.below(8));
        break;
      case 1:
        *at = static_cast<std::byte>(random.next());
        break;
      case 2:
        bytes.erase(at);
        break;
      default:
        bytes.insert(at, static_cast<std::byte>(random.next()));
        break;
    }
  }
}

/// A fuzzer's seeds, and so many seeded mutants of each, in every build: what a fuzzer finds becomes a seed. `kept`:
/// the first bytes of an input that only say what the rest is.
inline void run_corpus(const std::filesystem::path& folder, void (*target)(std::span<const std::byte>), int mutants,
                       std::size_t kept = 0) {
  sim::Random random(1);
  int seeds = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto seed = std::as_bytes(std::span(text));
    target(seed);
    ++seeds;
    for (int i = 0; i < mutants; ++i) {
      std::vector<std::byte> mutant(seed.begin(), seed.end());
      mutate(mutant, kept, random);
      target(mutant);
    }
  }
  EXPECT_GE(seeds, 3);
}

}  // namespace wdc::fuzz
