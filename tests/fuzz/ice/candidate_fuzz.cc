// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/ice/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wdc::fuzz::parse_candidate(std::as_bytes(std::span(data, size)));
  return 0;
}
