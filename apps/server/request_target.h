// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wdc::server {

// The target of an HTTP request in origin form (RFC 9112 section 3.2.1): "/path?query".
struct RequestTarget {
  std::vector<std::string> segments;  // of the path, percent-decoded once
  bool is_directory;                  // the path ends with '/'
  std::string_view path;              // as sent
  std::string_view query;             // as sent, without '?'

  // The value of `name` in the query, not decoded. Nothing if it is absent, or there more than once.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
  [[nodiscard]] bool has_parameter(std::string_view name) const;
};

// Nothing for what no file of ours is named: not origin form, a broken percent escape, a segment that is empty, starts
// with a dot (so "..", and hidden files), or decodes to a slash, a backslash or a control character.
[[nodiscard]] std::optional<RequestTarget> parse_target(std::string_view target);

}  // namespace wdc::server
