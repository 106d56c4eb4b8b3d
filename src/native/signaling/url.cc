// SPDX-License-Identifier: MIT
#include "src/native/signaling/url.h"

#include <algorithm>
#include <charconv>

namespace wdc::native::signaling {

namespace {

constexpr std::string_view kInsecure = "ws://";
constexpr std::string_view kSecure = "wss://";

std::string in_brackets(std::string_view host) {
  return host.find(':') == std::string_view::npos ? std::string(host) : '[' + std::string(host) + ']';
}

/// The parameters but for room and version, each with an & behind it.
std::string others(std::string_view query) {
  std::string kept;
  while (!query.empty()) {
    const auto parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    const auto name = parameter.substr(0, parameter.find('='));
    if (!parameter.empty() && name != "room" && name != "version") kept += std::string(parameter) + '&';
  }
  return kept;
}

}  // namespace

std::string WebSocketUrl::authority() const {
  const std::uint16_t usual = is_secure ? 443 : 80;
  return port == usual ? in_brackets(host) : in_brackets(host) + ':' + std::to_string(port);
}

std::string WebSocketUrl::text() const {
  return std::string(is_secure ? kSecure : kInsecure) + authority() + target.substr(0, target.find('?'));
}

Result<WebSocketUrl> parse_web_socket_url(std::string_view url, std::string_view room) {
  const auto refuse = [&](std::string_view why) {
    return fail(Errc::invalid_argument, "signaling URL \"" + std::string(url) + "\": " + std::string(why));
  };
  // It becomes part of a request: no line ends and no blanks.
  if (!std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; }))
    return fail(Errc::invalid_argument, "the signaling URL has a character that a URL cannot have");
  WebSocketUrl made;
  made.is_secure = url.starts_with(kSecure);
  if (!made.is_secure && !url.starts_with(kInsecure))
    return refuse("it is to begin with ws://, wss:// or be broadcast:");
  auto rest = url.substr(made.is_secure ? kSecure.size() : kInsecure.size());
  rest = rest.substr(0, rest.find('#'));
  auto authority = rest.substr(0, rest.find_first_of("/?"));
  rest.remove_prefix(authority.size());
  if (authority.find('@') != std::string_view::npos) return refuse("a user name has no meaning here");
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return refuse("the address has no ]");
    made.host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
  } else {
    made.host = authority.substr(0, authority.find(':'));
    authority.remove_prefix(made.host.size());
  }
  if (made.host.empty()) return refuse("there is no host");
  made.port = made.is_secure ? 443 : 80;
  if (!authority.empty()) {
    const auto port = authority.substr(1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), made.port);
    if (authority[0] != ':' || error != std::errc() || end != port.data() + port.size() || made.port == 0)
      return refuse("the port is not 1 to 65535");
  }
  const auto question = rest.find('?');
  const auto path = rest.substr(0, question);
  const auto query = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  made.target = path.empty() ? "/" : std::string(path);
  made.target += '?' + others(query) + "room=" + std::string(room) + "&version=1";
  return made;
}

}  // namespace wdc::native::signaling
