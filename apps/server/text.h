// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

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
  // People read 100000 better than 1e+05; what would be longer than that does not stay fixed.
  const bool is_plain = number > T(-1e15) && number < T(1e15);
  const auto format = is_plain ? std::chars_format::fixed : std::chars_format::general;
  const auto written = std::to_chars(digits, digits + sizeof digits, number, format);
  if (written.ec == std::errc()) out.append(digits, written.ptr);
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
