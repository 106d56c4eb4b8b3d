// SPDX-License-Identifier: MIT
#include "tests/fuzz/corpus.h"

#include "tests/fuzz/drive_association.h"
#include "tests/fuzz/drive_framed.h"
#include "tests/fuzz/parse_packet.h"

namespace wdc::fuzz {
namespace {

const std::filesystem::path kCorpus = WDC_FUZZ_CORPUS;

TEST(FuzzCorpusTest, PacketParserTakesEverySeedAndItsMutants) { run_corpus(kCorpus / "packet", parse_packet, 1'000); }
TEST(FuzzCorpusTest, AssociationTakesEverySeedAndItsMutants) {
  run_corpus(kCorpus / "association", drive_association, 300);
}
TEST(FuzzCorpusTest, FramedModeTakesEverySeedAndItsMutants) { run_corpus(kCorpus / "framed", drive_framed, 300); }

}  // namespace
}  // namespace wdc::fuzz
