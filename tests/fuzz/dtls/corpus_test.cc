// SPDX-License-Identifier: MIT
#include "tests/fuzz/corpus.h"
#include "tests/fuzz/dtls/drive_session.h"

namespace wdc::fuzz {
namespace {

// The first byte says who the input is.
TEST(DtlsFuzzCorpusTest, SessionsTakeEverySeedAndItsMutants) { run_corpus(WDC_FUZZ_CORPUS, drive_session, 100, 1); }

}  // namespace
}  // namespace wdc::fuzz
