// SPDX-License-Identifier: MIT
#include "src/core/utf8.h"

#include <cstdint>
#include <cstring>

namespace wdc::core {

// RFC 3629 section 4.
bool is_utf8(std::span<const std::byte> bytes) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
  const std::size_t size = bytes.size();
  const auto continues = [&](std::size_t at, unsigned low = 0x80, unsigned high = 0xBF) {
    return at < size && data[at] >= low && data[at] <= high;
  };
  for (std::size_t i = 0; i < size;) {
    std::uint64_t word = 0;
    if (size - i >= sizeof word) {
      std::memcpy(&word, data + i, sizeof word);
      if ((word & kHighBits) == 0) {
        i += sizeof word;
        continue;
      }
    }
    const unsigned first = data[i];
    if (first < 0x80) {
      ++i;
    } else if (first >= 0xC2 && first <= 0xDF) {
      if (!continues(i + 1)) return false;
      i += 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
      if (!continues(i + 1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) || !continues(i + 2))
        return false;
      i += 3;
    } else if (first >= 0xF0 && first <= 0xF4) {
      if (!continues(i + 1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) || !continues(i + 2) ||
          !continues(i + 3))
        return false;
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace wdc::core
