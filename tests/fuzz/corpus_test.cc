// SPDX-License-Identifier: MIT
// The fuzzers' seeds, and a thousand seeded mutations of each, in every build: what a fuzzer finds becomes a seed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/drive_association.h"
#include "tests/fuzz/drive_framed.h"
#include "tests/fuzz/parse_packet.h"
#include "tests/support/sim/random.h"

namespace wdc::fuzz {
namespace {

using Bytes = std::vector<std::byte>;

std::vector<Bytes> seeds(const char* folder) {
  std::vector<Bytes> all;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(WDC_FUZZ_CORPUS) / folder)) {
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
    switch (random.below(4)) {
      case 0:
        bytes[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1U << random.below(8));
        break;
      case 1:
        bytes[static_cast<std::size_t>(at)] = static_cast<std::byte>(random.next());
        break;
      case 2:
        bytes.erase(bytes.begin() + at);
        break;
      default:
        bytes.insert(bytes.begin() + at, static_cast<std::byte>(random.next()));
        break;
    }
  }
}

void run(const char* folder, void (*target)(sctp::ByteView), int mutations) {
  const auto all = seeds(folder);
  ASSERT_GE(all.size(), 5U);
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

TEST(FuzzCorpusTest, PacketParserTakesEverySeedAndItsMutants) { run("packet", parse_packet, 1'000); }
TEST(FuzzCorpusTest, AssociationTakesEverySeedAndItsMutants) { run("association", drive_association, 300); }
TEST(FuzzCorpusTest, FramedModeTakesEverySeedAndItsMutants) { run("framed", drive_framed, 300); }

}  // namespace
}  // namespace wdc::fuzz
