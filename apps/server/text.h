// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace wdc::server {

namespace internal {
inline void append(std::string& out, std::string_view text) { out += text; }
template <std::integral T>
void append(std::string& out, T number) {
  out += std::to_string(number);
}
template <std::floating_point T>
void append(std::string& out, T number) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}
}  // namespace internal

// "room of " + 3 + " members": std::format is not in GCC 12.
template <class... Parts>
[[nodiscard]] std::string concat(const Parts&... parts) {
  std::string out;
  (internal::append(out, parts), ...);
  return out;
}

// Text of a remote, safe in a terminal, a log and a message: printable ASCII stays, everything else becomes \xNN, and
// what is longer than `limit` bytes is cut with a note of the length.
[[nodiscard]] std::string escape(std::string_view remote_text, std::size_t limit = 160);

}  // namespace wdc::server
