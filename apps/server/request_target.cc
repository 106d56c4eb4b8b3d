// SPDX-License-Identifier: MIT
#include "apps/server/request_target.h"

#include <algorithm>
#include <charconv>
#include <ranges>

namespace wdc::server {
namespace {

std::optional<std::string> decode_segment(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    unsigned char byte = 0;
    const char* const end = text.data() + i + 3;
    const auto parsed = std::from_chars(text.data() + i + 1, end, byte, 16);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

bool is_servable(std::string_view segment) {
  if (segment.empty() || segment.starts_with('.')) return false;
  return std::ranges::none_of(
      segment, [](char c) { return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::vector<std::string_view> values_of(std::string_view query, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto part : std::views::split(query, '&')) {
    const std::string_view item(part.begin(), part.end());
    const auto equals = std::min(item.find('='), item.size());
    if (item.substr(0, equals) == name) values.push_back(item.substr(std::min(equals + 1, item.size())));
  }
  return values;
}

}  // namespace

std::optional<std::string_view> RequestTarget::parameter(std::string_view name) const {
  const auto values = values_of(query, name);
  if (values.size() != 1) return std::nullopt;
  return values.front();
}

bool RequestTarget::has_parameter(std::string_view name) const { return !values_of(query, name).empty(); }

std::optional<RequestTarget> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  const auto question = std::min(target.find('?'), target.size());
  RequestTarget out{.segments = {}, .is_directory = false, .path = target.substr(0, question), .query = {}};
  out.query = target.substr(std::min(question + 1, target.size()));
  out.is_directory = out.path.ends_with('/');
  std::string_view rest = out.path.substr(1);
  if (out.is_directory && !rest.empty()) rest.remove_suffix(1);
  if (out.path == "/") return out;
  for (const auto part : std::views::split(rest, '/')) {
    auto segment = decode_segment(std::string_view(part.begin(), part.end()));
    if (!segment || !is_servable(*segment)) return std::nullopt;
    out.segments.push_back(std::move(*segment));
  }
  if (out.segments.empty()) return std::nullopt;  // "//"
  return out;
}

}  // namespace wdc::server
