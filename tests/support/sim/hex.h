// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace wdc::sim {

/// The bytes written as hexadecimal digits; anything else between them is for the reader.
[[nodiscard]] inline std::vector<std::byte> hex(std::string_view text) {
  std::vector<std::byte> bytes;
  int high = -1;
  for (const char character : text) {
    int digit = -1;
    if (character >= '0' && character <= '9') digit = character - '0';
    if (character >= 'a' && character <= 'f') digit = character - 'a' + 10;
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::byte>(high * 16 + digit));
      high = -1;
    }
  }
  return bytes;
}

}  // namespace wdc::sim
