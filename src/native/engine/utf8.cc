// SPDX-License-Identifier: MIT
#include "src/native/engine/utf8.h"

#include <cstdint>
#include <cstring>

namespace wdc::native {

bool is_utf8(std::span<const std::byte> bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = at + bytes.size();
  const auto follows = [](unsigned char byte) { return (byte & 0xc0) == 0x80; };
  while (at != end) {
    if (end - at >= 8) {  // most text is ASCII
      std::uint64_t eight;
      std::memcpy(&eight, at, sizeof eight);
      if ((eight & 0x8080808080808080) == 0) {
        at += 8;
        continue;
      }
    }
    const unsigned char first = *at;
    if (first < 0x80) {
      ++at;
      continue;
    }
    const auto left = end - at;
    if (first >= 0xc2 && first <= 0xdf) {
      if (left < 2 || !follows(at[1])) return false;
      at += 2;
    } else if (first >= 0xe0 && first <= 0xef) {
      if (left < 3 || !follows(at[1]) || !follows(at[2])) return false;
      if (first == 0xe0 && at[1] < 0xa0) return false;  // overlong
      if (first == 0xed && at[1] > 0x9f) return false;  // a surrogate
      at += 3;
    } else if (first >= 0xf0 && first <= 0xf4) {
      if (left < 4 || !follows(at[1]) || !follows(at[2]) || !follows(at[3])) return false;
      if (first == 0xf0 && at[1] < 0x90) return false;  // overlong
      if (first == 0xf4 && at[1] > 0x8f) return false;  // above U+10FFFF
      at += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace wdc::native
