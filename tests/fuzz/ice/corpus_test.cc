// SPDX-License-Identifier: MIT
#include "tests/fuzz/corpus.h"
#include "tests/fuzz/ice/targets.h"

namespace wdc::fuzz {
namespace {

const std::filesystem::path kCorpus = WDC_ICE_FUZZ_CORPUS;

TEST(IceFuzzCorpusTest, StunParserTakesEverySeedAndItsMutants) { run_corpus(kCorpus / "stun", parse_stun, 2'000); }
TEST(IceFuzzCorpusTest, CandidateParserTakesEverySeedAndItsMutants) {
  run_corpus(kCorpus / "candidate", parse_candidate, 2'000);
}
TEST(IceFuzzCorpusTest, DescriptionParserTakesEverySeedAndItsMutants) {
  run_corpus(WDC_SDP_TESTDATA, parse_description, 100);
}
TEST(IceFuzzCorpusTest, AgentTakesEverySeedAndItsMutants) { run_corpus(kCorpus / "agent", drive_agent, 200); }

}  // namespace
}  // namespace wdc::fuzz
