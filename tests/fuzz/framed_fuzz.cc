// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/drive_framed.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wdc::fuzz::drive_framed(std::as_bytes(std::span(data, size)));
  return 0;
}
