// SPDX-License-Identifier: MIT
#include "apps/server/text.h"

namespace wdc::server {

std::string escape(std::string_view remote_text, std::size_t limit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : remote_text.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\' && c != '"') {
      out += c;
    } else {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  if (remote_text.size() > limit) out += concat("... (", remote_text.size(), " bytes)");
  return out;
}

}  // namespace wdc::server
