// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/engine/drive_transport.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wdc::fuzz::drive_transport(std::as_bytes(std::span(data, size)));
  return 0;
}
