// SPDX-License-Identifier: MIT
#include "tests/fuzz/corpus.h"
#include "tests/fuzz/engine/drive_transport.h"

namespace wdc::fuzz {
namespace {

// The first byte says who the input is.
TEST(EngineFuzzCorpusTest, TransportsTakeEverySeedAndItsMutants) {
  run_corpus(WDC_FUZZ_CORPUS, drive_transport, 40, 1);
}

}  // namespace
}  // namespace wdc::fuzz
