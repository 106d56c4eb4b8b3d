// SPDX-License-Identifier: MIT
#include "src/native/ice/candidate.h"

#include <algorithm>
#include <charconv>

namespace wdc::ice {
namespace {

// RFC 8445 section 5.1.2.2.
constexpr std::uint32_t preference(CandidateType type) {
  switch (type) {
    case CandidateType::host:
      return 126;
    case CandidateType::peer_reflexive:
      return 110;
    case CandidateType::server_reflexive:
      return 100;
    case CandidateType::relayed:
      break;
  }
  return 0;
}

constexpr std::size_t kLongestCandidate = 1'024;  // browsers write less than 200
constexpr std::size_t kLongestName = 253;         // RFC 1035

bool equals(std::string_view a, std::string_view lower_case) {
  return std::ranges::equal(a, lower_case, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}

std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

template <class T>
std::optional<T> number(std::string_view word) {
  T value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::optional<CandidateType> type_named(std::string_view word) {
  for (const CandidateType type :
       {CandidateType::host, CandidateType::peer_reflexive, CandidateType::server_reflexive, CandidateType::relayed}) {
    if (equals(word, name(type))) return type;
  }
  return std::nullopt;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
           c == '_';
  });
}

std::unexpected<std::string> refuse(std::string_view what) { return std::unexpected(std::string(what)); }

/// What follows the type: pairs of a name and a value.
bool read_extensions(Candidate& candidate, std::string_view rest) {
  std::optional<IpAddress> related_ip;
  std::optional<std::uint16_t> related_port;
  while (true) {
    const std::string_view key = next_word(rest);
    if (key.empty()) break;
    const std::string_view value = next_word(rest);
    if (value.empty()) return false;
    if (key == "raddr") related_ip = IpAddress::parse(value);
    if (key == "rport") related_port = number<std::uint16_t>(value);
    if (key == "ufrag" && candidate.username_fragment.empty()) candidate.username_fragment = value;
  }
  if (related_ip && related_port) candidate.related = SocketAddress{*related_ip, *related_port};
  return true;
}

}  // namespace

std::string_view name(CandidateType type) {
  switch (type) {
    case CandidateType::host:
      return "host";
    case CandidateType::peer_reflexive:
      return "prflx";
    case CandidateType::server_reflexive:
      return "srflx";
    case CandidateType::relayed:
      break;
  }
  return "relay";
}

std::uint32_t candidate_priority(CandidateType type, std::uint16_t local_preference) {
  constexpr std::uint32_t kComponent = 1;
  return preference(type) << 24 | std::uint32_t{local_preference} << 8 | (256 - kComponent);
}

bool is_ice_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/' ||
           c == '-' || c == '=' || c == '#' || c == '_';
  });
}

std::expected<Candidate, std::string> parse_candidate(std::string_view text) {
  if (text.size() > kLongestCandidate) return refuse("the candidate is longer than 1024 bytes");
  if (text.starts_with("a=")) text.remove_prefix(2);
  if (text.starts_with("candidate:")) text.remove_prefix(10);
  Candidate candidate;
  const std::string_view foundation = next_word(text);
  if (foundation.empty() || foundation.size() > 32 || !is_ice_text(foundation)) {
    return refuse("the candidate's foundation is not 1 to 32 letters, digits, '+' or '/'");
  }
  candidate.foundation = foundation;
  const auto component = number<std::uint16_t>(next_word(text));
  if (!component || *component < 1 || *component > 256) return refuse("the candidate's component is not 1 to 256");
  candidate.component = *component;
  const std::string_view transport = next_word(text);
  if (equals(transport, "tcp")) {
    candidate.transport = CandidateTransport::tcp;
  } else if (!equals(transport, "udp")) {
    return refuse("the candidate's transport is neither udp nor tcp");
  }
  const auto priority = number<std::uint32_t>(next_word(text));
  if (!priority) return refuse("the candidate's priority is not a number of 32 bits");
  candidate.priority = *priority;
  const std::string_view address = next_word(text);
  if (const auto ip = IpAddress::parse(address)) {
    candidate.address.ip = *ip;
  } else if (is_host_name(address)) {
    candidate.host_name = address;
  } else {
    return refuse("the candidate's address is neither an address nor a name");
  }
  const auto port = number<std::uint16_t>(next_word(text));
  if (!port) return refuse("the candidate's port is not a number of 16 bits");
  candidate.address.port = *port;
  if (next_word(text) != "typ") return refuse("the candidate has no 'typ'");
  const auto type = type_named(next_word(text));
  if (!type) return refuse("the candidate's type is not host, srflx, prflx or relay");
  candidate.type = *type;
  if (!read_extensions(candidate, text)) return refuse("the candidate's last extension has no value");
  return candidate;
}

std::string format_candidate(const Candidate& candidate) {
  std::string text = "candidate:" + candidate.foundation + ' ' + std::to_string(candidate.component) + ' ';
  text += candidate.transport == CandidateTransport::udp ? "udp " : "tcp ";
  text += std::to_string(candidate.priority) + ' ';
  text += candidate.host_name.empty() ? candidate.address.ip.to_string() : candidate.host_name;
  text += ' ' + std::to_string(candidate.address.port) + " typ ";
  text += name(candidate.type);
  if (candidate.related) {
    text += " raddr " + candidate.related->ip.to_string() + " rport " + std::to_string(candidate.related->port);
  }
  if (!candidate.username_fragment.empty()) text += " ufrag " + candidate.username_fragment;
  return text;
}

}  // namespace wdc::ice
