// SPDX-License-Identifier: MIT
// The fuzzers' seeds, and seeded mutations of each, in every build: what a fuzzer finds becomes a seed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/ice/targets.h"
#include "tests/support/sim/random.h"

namespace wdc::fuzz {
namespace {

using Bytes = std::vector<std::byte>;

std::vector<Bytes> seeds(const std::filesystem::path& folder) {
  std::vector<Bytes> all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = std::as_bytes(std::span(text));
    all.emplace_back(bytes.begin(), bytes.end());
  }
  return all;
}

void mutate(Bytes& bytes, sim::Random& random) {
  for (std::uint64_t count = 1 + random.below(4); count > 0 && !bytes.empty(); --count) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(bytes.size()));
    if (random.chance(0.3)) {
      bytes.erase(bytes.begin() + at);
    } else if (random.chance(0.3)) {
      bytes.insert(bytes.begin() + at, static_cast<std::byte>(random.next()));
    } else {
      bytes[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1U << random.below(8));
    }
  }
}

void run(const std::filesystem::path& folder, void (*target)(std::span<const std::byte>), int mutations) {
  const auto all = seeds(folder);
  ASSERT_GE(all.size(), 3U);
  sim::Random random(1);
  for (const Bytes& seed : all) {
    target(seed);
    for (int i = 0; i < mutations; ++i) {
      Bytes mutant = seed;
      mutate(mutant, random);
      target(mutant);
    }
  }
}

const std::filesystem::path kCorpus = WDC_ICE_FUZZ_CORPUS;

TEST(IceFuzzCorpusTest, StunParserTakesEverySeedAndItsMutants) { run(kCorpus / "stun", parse_stun, 2'000); }
TEST(IceFuzzCorpusTest, CandidateParserTakesEverySeedAndItsMutants) {
  run(kCorpus / "candidate", parse_candidate, 2'000);
}
TEST(IceFuzzCorpusTest, DescriptionParserTakesEverySeedAndItsMutants) { run(WDC_SDP_TESTDATA, parse_description, 100); }
TEST(IceFuzzCorpusTest, AgentTakesEverySeedAndItsMutants) { run(kCorpus / "agent", drive_agent, 200); }

}  // namespace
}  // namespace wdc::fuzz
