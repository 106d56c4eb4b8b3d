// SPDX-License-Identifier: MIT
// Text with line ends, as SDP has, within one line of a program's input or output: "\n" and "\r" are written for them.
#pragma once

#include <string>
#include <string_view>

namespace wdc::test {

inline std::string to_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c == '\n')
      line += "\\n";
    else if (c == '\r')
      line += "\\r";
    else
      line += c;
  }
  return line;
}

inline std::string from_one_line(std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size())
      text += line[++i] == 'n' ? '\n' : '\r';
    else
      text += line[i];
  }
  return text;
}

}  // namespace wdc::test
