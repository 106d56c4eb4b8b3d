// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <charconv>

#include "src/native/sdp/description.h"

namespace wdc::sdp {
namespace {

std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::optional<std::uint64_t> number(std::string_view word, std::uint64_t most = ~std::uint64_t{0}) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc{} || end != word.data() + word.size() || value > most) return std::nullopt;
  return value;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& character : lower) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character + 32);
  }
  return lower;
}

/// RFC 8839 section 5.4, ice-char, and the four more that browsers take too.
bool is_ice_text(std::string_view text, std::size_t least) {
  return text.size() >= least && text.size() <= 256 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/' ||
                  c == '-' || c == '=' || c == '#' || c == '_';
         });
}

/// RFC 8866 section 9: a token, what mids and group names are made of.
bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`{|}~";
  return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.find(c) != kOthers.npos;
  });
}

/// RFC 8122 section 5: "XX:XX:…".
std::optional<std::vector<std::byte>> parse_digest(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (text.size() % 3 != 2) return std::nullopt;
  std::vector<std::byte> digest;
  digest.reserve(text.size() / 3 + 1);
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0 || (i + 2 < text.size() && text[i + 2] != ':')) return std::nullopt;
    digest.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return digest;
}

/// RFC 8122 section 5 names these; a hash of a name we do not know may have any length.
std::optional<std::size_t> digest_size(std::string_view algorithm) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 5> kSizes{
      {{"sha-1", 20}, {"sha-224", 28}, {"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}}};
  for (const auto& [name, size] : kSizes) {
    if (name == algorithm) return size;
  }
  return std::nullopt;
}

/// The lines of one section, or those before the first.
struct Lines {
  std::size_t first_line = 0;
  std::string mid;
  bool is_bundle_only = false;
  std::uint16_t port = 0;
  std::optional<std::string> ice_ufrag, ice_pwd, tls_id;
  bool ice_lite = false;
  std::optional<bool> trickle;
  std::vector<Fingerprint> fingerprints;
  std::optional<Setup> setup;
  std::optional<std::uint16_t> sctp_port, sctpmap_port;
  std::optional<std::uint64_t> max_message_size;
  std::vector<std::string> candidates;
  bool end_of_candidates = false;
};

class Parser {
 public:
  Parser(std::string_view text, DescriptionKind kind, const ParseLimits& limits)
      : rest_(text), kind_(kind), limits_(limits) {}

  std::expected<Description, ParseError> run();

 private:
  bool read_lines();
  bool read_line(char type, std::string_view value);
  bool read_origin(std::string_view value);
  bool read_media(std::string_view value);
  bool read_attribute(std::string_view name, std::string_view value);
  bool read_group(std::string_view value);
  bool read_mid(std::string_view value);
  bool read_fingerprint(std::string_view value);
  bool read_setup(std::string_view value);
  bool read_sctpmap(std::string_view value);
  bool read_candidate(std::string_view value);
  bool read_text(std::optional<std::string>& to, std::string_view name, std::string_view value, std::size_t least);
  template <class T>
  bool read_number(std::optional<T>& to, std::string_view name, std::string_view value, std::uint64_t least,
                   std::uint64_t most);

  bool choose_data_section();
  bool resolve();
  [[nodiscard]] bool is_data(std::size_t i) const;
  /// The first section of the bundle that section i is in, or itself.
  [[nodiscard]] const Lines& tagged(std::size_t i) const;

  Lines& current() { return sections_.empty() ? session_ : sections_.back(); }
  bool refuse(std::string reason) { return refuse_at(line_, std::move(reason)); }
  bool refuse_at(std::size_t line, std::string reason) {
    error_ = {line, std::move(reason)};
    return false;
  }

  std::string_view rest_;
  DescriptionKind kind_;
  ParseLimits limits_;
  std::size_t line_ = 0;
  Lines session_;
  std::vector<Lines> sections_;
  bool has_bundle_ = false;
  Description description_;
  ParseError error_;
};

std::expected<Description, ParseError> Parser::run() {
  if (rest_.size() > limits_.bytes) {
    refuse_at(0, "the description of " + std::to_string(rest_.size()) + " bytes exceeds the limit of " +
                     std::to_string(limits_.bytes));
    return std::unexpected(std::move(error_));
  }
  if (!read_lines() || !choose_data_section() || !resolve()) return std::unexpected(std::move(error_));
  return std::move(description_);
}

bool Parser::read_lines() {
  bool has_origin = false;
  while (!rest_.empty()) {
    ++line_;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() && rest_.find_first_not_of("\r\n") == rest_.npos) break;  // blank lines at the end
    if (line.size() > limits_.line_bytes) {
      return refuse("a line of " + std::to_string(line.size()) + " bytes exceeds the limit of " +
                    std::to_string(limits_.line_bytes));
    }
    if (line.size() < 2 || line[0] < 'a' || line[0] > 'z' || line[1] != '=') return refuse("this is no line 'x=...'");
    if (line.find('\0') != line.npos || line.find('\r') != line.npos) return refuse("a control character");
    if (line_ == 1 && line != "v=0") return refuse("a description begins with 'v=0'");
    if (line_ > 1 && line[0] == 'v') return refuse("a second 'v='");
    if (line[0] == 'o') has_origin = true;
    if (!read_line(line[0], line.substr(2))) return false;
  }
  if (line_ == 0) return refuse_at(0, "the description is empty");
  return has_origin || refuse_at(0, "there is no 'o=' line");
}

bool Parser::read_line(char type, std::string_view value) {
  switch (type) {
    case 'o':
      return read_origin(value);
    case 'm':
      return read_media(value);
    case 'a': {
      const std::size_t colon = std::min(value.find(':'), value.size());
      return read_attribute(value.substr(0, colon), value.substr(std::min(colon + 1, value.size())));
    }
    default:
      return true;
  }
}

/// "o=- 4611731400430051336 2 IN IP4 127.0.0.1"
bool Parser::read_origin(std::string_view value) {
  next_word(value);
  const auto id = number(next_word(value));
  const auto version = number(next_word(value));
  if (!id || !version) return refuse("'o=' lacks the session's number and version");
  description_.session_id = *id;
  description_.session_version = *version;
  return true;
}

/// "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"
bool Parser::read_media(std::string_view value) {
  if (sections_.size() >= limits_.sections) {
    return refuse("more than " + std::to_string(limits_.sections) + " 'm=' lines");
  }
  MediaSection section;
  section.media = next_word(value);
  const std::string_view port = next_word(value);
  const auto port_number = number(port.substr(0, port.find('/')), 65'535);
  section.protocol = next_word(value);
  section.formats = trimmed(value);
  if (section.media.empty() || !port_number) return refuse("the port of 'm=' is not 0 to 65535");
  if (section.protocol.empty() || section.formats.empty()) return refuse("'m=' lacks a protocol or a format");
  Lines lines;
  lines.first_line = line_;
  lines.port = static_cast<std::uint16_t>(*port_number);
  sections_.push_back(std::move(lines));
  description_.sections.push_back(std::move(section));
  return true;
}

bool Parser::read_attribute(std::string_view name, std::string_view value) {
  Lines& lines = current();
  if (name == "group") return read_group(value);
  if (name == "mid") return read_mid(value);
  if (name == "ice-ufrag") return read_text(lines.ice_ufrag, name, value, 4);
  if (name == "ice-pwd") return read_text(lines.ice_pwd, name, value, 22);
  if (name == "fingerprint") return read_fingerprint(value);
  if (name == "setup") return read_setup(value);
  if (name == "sctpmap") return read_sctpmap(value);
  if (name == "sctp-port") return read_number(lines.sctp_port, name, value, 1, 65'535);
  if (name == "max-message-size") {
    return read_number(lines.max_message_size, name, value, 0, ~std::uint64_t{0});
  }
  if (name == "candidate") return read_candidate(value);
  if (name == "tls-id") {
    if (value.size() > 255) return refuse("a=tls-id has more than 255 characters");
    lines.tls_id = value;
  }
  if (name == "ice-options") {
    lines.trickle = lines.trickle.value_or(false);
    for (std::string_view word = next_word(value); !word.empty(); word = next_word(value)) {
      if (word == "trickle") lines.trickle = true;
    }
  }
  if (name == "ice-lite") lines.ice_lite = true;
  if (name == "end-of-candidates") lines.end_of_candidates = true;
  if (name == "bundle-only") lines.is_bundle_only = true;
  return true;
}

bool Parser::read_group(std::string_view value) {
  if (next_word(value) != "BUNDLE" || has_bundle_) return true;
  has_bundle_ = true;
  for (std::string_view mid = next_word(value); !mid.empty(); mid = next_word(value)) {
    if (!is_token(mid)) return refuse("a mid of a=group is not made of letters, digits and signs");
    if (description_.bundle.size() >= limits_.sections) return refuse("a=group names too many mids");
    description_.bundle.emplace_back(mid);
  }
  return true;
}

bool Parser::read_mid(std::string_view value) {
  value = trimmed(value);
  if (sections_.empty()) return refuse("a=mid stands before the first 'm='");
  if (!is_token(value)) return refuse("a=mid is not made of letters, digits and signs");
  const auto is_same = [&](const Lines& lines) { return lines.mid == value; };
  if (std::ranges::any_of(sections_, is_same)) return refuse("two sections have the same a=mid");
  current().mid = value;
  return true;
}

bool Parser::read_text(std::optional<std::string>& to, std::string_view name, std::string_view value,
                       std::size_t least) {
  value = trimmed(value);
  if (!is_ice_text(value, least)) {
    return refuse("a=" + std::string(name) + " is not " + std::to_string(least) +
                  " to 256 letters, digits, '+' or '/'");
  }
  if (to && *to != value) return refuse("a second a=" + std::string(name) + " that differs");
  to = value;
  return true;
}

template <class T>
bool Parser::read_number(std::optional<T>& to, std::string_view name, std::string_view value, std::uint64_t least,
                         std::uint64_t most) {
  const auto parsed = number(trimmed(value), most);
  if (!parsed || *parsed < least) {
    return refuse("a=" + std::string(name) + " is not " + std::to_string(least) + " to " + std::to_string(most));
  }
  if (to && *to != *parsed) return refuse("a second a=" + std::string(name) + " that differs");
  to = static_cast<T>(*parsed);
  return true;
}

bool Parser::read_fingerprint(std::string_view value) {
  Fingerprint fingerprint{lower_case(next_word(value)), {}};
  auto digest = parse_digest(next_word(value));
  if (fingerprint.algorithm.empty() || !digest)
    return refuse("a=fingerprint is not a hash's name and bytes in hexadecimal");
  const auto size = digest_size(fingerprint.algorithm);
  if (size && digest->size() != *size) {
    return refuse("a=fingerprint of " + fingerprint.algorithm + " has " + std::to_string(digest->size()) +
                  " bytes instead of " + std::to_string(*size));
  }
  if (digest->size() > 128) return refuse("a=fingerprint has more than 128 bytes");
  fingerprint.digest = std::move(*digest);
  auto& fingerprints = current().fingerprints;
  if (std::ranges::find(fingerprints, fingerprint) != fingerprints.end()) return true;
  if (fingerprints.size() >= limits_.fingerprints) {
    return refuse("more than " + std::to_string(limits_.fingerprints) + " a=fingerprint lines");
  }
  fingerprints.push_back(std::move(fingerprint));
  return true;
}

bool Parser::read_setup(std::string_view value) {
  value = trimmed(value);
  auto& setup = current().setup;
  if (value == "actpass") {
    setup = Setup::actpass;
  } else if (value == "active") {
    setup = Setup::active;
  } else if (value == "passive") {
    setup = Setup::passive;
  } else {
    return refuse("a=setup is not actpass, active or passive");
  }
  return true;
}

/// "a=sctpmap:5000 webrtc-datachannel 1024", of the drafts before RFC 8841.
bool Parser::read_sctpmap(std::string_view value) {
  const auto port = number(next_word(value), 65'535);
  if (!port || *port == 0) return refuse("a=sctpmap begins with no port");
  if (next_word(value) == "webrtc-datachannel") current().sctpmap_port = static_cast<std::uint16_t>(*port);
  return true;
}

bool Parser::read_candidate(std::string_view value) {
  auto& candidates = current().candidates;
  // More than are looked at is no reason to refuse: they are checked by nobody.
  if (candidates.size() < limits_.candidates) candidates.push_back("candidate:" + std::string(trimmed(value)));
  return true;
}

// ---- the data channels' section

bool Parser::is_data(std::size_t i) const {
  const MediaSection& section = description_.sections[i];
  if (section.media != "application") return false;
  if (section.protocol == "UDP/DTLS/SCTP" || section.protocol == "TCP/DTLS/SCTP") {
    return section.formats == "webrtc-datachannel";
  }
  return section.protocol == "DTLS/SCTP" &&
         (section.formats == "webrtc-datachannel" || number(section.formats, 65'535).value_or(0) != 0);
}

bool Parser::choose_data_section() {
  std::optional<std::size_t> chosen;
  std::optional<std::size_t> rejected;
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    // RFC 9143 section 6: port 0 is no rejection where the section may only be used bundled.
    MediaSection& section = description_.sections[i];
    section.mid = sections_[i].mid;
    section.is_rejected = sections_[i].port == 0 && !sections_[i].is_bundle_only;
    if (!is_data(i)) continue;
    auto& found = section.is_rejected ? rejected : chosen;
    if (!found) found = i;
  }
  if (!chosen && rejected) return refuse_at(sections_[*rejected].first_line, "the data channels are rejected (port 0)");
  if (!chosen) return refuse_at(0, "there is no 'm=application' section for data channels");
  description_.data_index = *chosen;
  return true;
}

const Lines& Parser::tagged(std::size_t i) const {
  const Lines& own = sections_[i];
  const auto& bundle = description_.bundle;
  if (own.mid.empty() || std::ranges::find(bundle, own.mid) == bundle.end()) return own;
  const auto first = std::ranges::find(sections_, bundle.front(), &Lines::mid);
  return first != sections_.end() ? *first : own;
}

bool Parser::resolve() {
  const std::size_t index = description_.data_index;
  const Lines& own = sections_[index];
  // RFC 9143 section 7.1.3: what is bundled may leave its transport to the first of the group.
  const Lines& first = tagged(index);
  const Lines& transport = own.ice_ufrag ? own : first;
  const MediaSection& section = description_.sections[index];
  DataSection& data = description_.data;
  const auto missing = [&](std::string_view what) {
    return refuse_at(own.first_line, "the section of the data channels has no " + std::string(what));
  };

  data.mid = own.mid;
  data.protocol = section.protocol;
  data.form = section.formats == "webrtc-datachannel" ? DataForm::rfc8841 : DataForm::legacy;
  const auto& ufrag = transport.ice_ufrag ? transport.ice_ufrag : session_.ice_ufrag;
  const auto& pwd = transport.ice_pwd ? transport.ice_pwd : session_.ice_pwd;
  if (!ufrag) return missing("a=ice-ufrag");
  if (!pwd) return missing("a=ice-pwd");
  data.ice_ufrag = *ufrag;
  data.ice_pwd = *pwd;
  data.ice_lite = session_.ice_lite;
  data.trickle = transport.trickle.value_or(session_.trickle.value_or(false));
  data.fingerprints = transport.fingerprints.empty() ? session_.fingerprints : transport.fingerprints;
  if (data.fingerprints.empty()) return missing("a=fingerprint");
  const auto& setup = transport.setup ? transport.setup : session_.setup;
  if (!setup) return missing("a=setup");
  if (kind_ == DescriptionKind::answer && *setup == Setup::actpass) {
    return refuse_at(own.first_line, "an answer's a=setup is active or passive");
  }
  data.setup = *setup;
  data.tls_id = transport.tls_id.value_or(session_.tls_id.value_or(std::string{}));
  // One transport, described twice: its candidates stand at the first place only.
  const Lines& gathered = first.ice_ufrag == ufrag && own.candidates.empty() ? first : own;
  data.candidates = gathered.candidates;
  data.end_of_candidates = gathered.end_of_candidates || session_.end_of_candidates;
  if (own.sctp_port) {
    data.sctp_port = *own.sctp_port;
  } else if (data.form == DataForm::legacy) {
    data.sctp_port = own.sctpmap_port.value_or(static_cast<std::uint16_t>(number(section.formats).value_or(5'000)));
  } else {
    data.sctp_port = own.sctpmap_port.value_or(std::uint16_t{5'000});
  }
  data.max_message_size = own.max_message_size.value_or(data.max_message_size);
  return true;
}

}  // namespace

std::string ParseError::message() const { return line == 0 ? reason : "line " + std::to_string(line) + ": " + reason; }

std::expected<Description, ParseError> parse(std::string_view text, DescriptionKind kind, const ParseLimits& limits) {
  return Parser(text, kind, limits).run();
}

}  // namespace wdc::sdp
