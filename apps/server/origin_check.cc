// SPDX-License-Identifier: MIT
#include "apps/server/origin_check.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>

namespace wdc::server {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) { return boost::beast::iequals(a, b); }

std::string_view without_suffix(std::string_view text, std::string_view suffix) {
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return text;
}

bool is_same_origin(std::string_view origin, std::string_view host) {
  struct Scheme {
    std::string_view prefix;
    std::string_view default_port;
  };
  for (const Scheme& scheme : {Scheme{"http://", ":80"}, Scheme{"https://", ":443"}}) {
    if (!origin.starts_with(scheme.prefix)) continue;
    return equal_ignoring_case(without_suffix(origin.substr(scheme.prefix.size()), scheme.default_port),
                               without_suffix(host, scheme.default_port));
  }
  return false;
}

}  // namespace

bool is_origin_allowed(std::string_view origin, std::string_view host, std::span<const std::string> allowed) {
  if (is_plain_host(host) && is_same_origin(origin, host)) return true;
  return std::ranges::any_of(
      allowed, [origin](const std::string& item) { return item == "*" || equal_ignoring_case(item, origin); });
}

bool is_plain_host(std::string_view host) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]";
  return !host.empty() && host.size() <= 255 && host.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace wdc::server
