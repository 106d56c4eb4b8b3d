// SPDX-License-Identifier: MIT
#include "src/native/signaling/frame.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

namespace wdc::native::signaling {

namespace {

namespace json = boost::json;
using core::signaling::Bye;
using core::signaling::Candidate;
using core::signaling::Description;
using core::signaling::Frame;
using core::signaling::Joined;
using core::signaling::Left;
using core::signaling::Refused;
using core::signaling::Welcome;

constexpr std::size_t kMostDepth = 16;

constexpr std::array kTypes{SdpType::offer, SdpType::pranswer, SdpType::answer, SdpType::rollback};

bool is_id(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::optional<std::string> text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::optional<std::string> id_of(const json::object& object, std::string_view name) {
  auto text = text_of(object, name);
  return text && is_id(*text) ? text : std::nullopt;
}

/// Absent and null are the same; false: it is of another type.
bool read_optional_text(const json::object& object, std::string_view name, std::optional<std::string>& to) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return true;
  to = text_of(object, name);
  return to.has_value();
}

std::optional<std::int64_t> integer(const json::value& value) {
  json::error_code error;
  const auto number = value.to_number<std::int64_t>(error);
  return error ? std::nullopt : std::optional(number);
}

std::optional<ParsedFrame> parse_welcome(const json::object& object) {
  const auto* version = object.if_contains("version");
  const auto* polite = object.if_contains("polite");
  const auto* peers = object.if_contains("peers");
  auto you = id_of(object, "you");
  if (version == nullptr || !integer(*version) || !you || polite == nullptr || !polite->is_bool() || peers == nullptr ||
      !peers->is_array())
    return std::nullopt;
  Welcome welcome{.you = std::move(*you), .polite = polite->get_bool()};
  for (const auto& peer : peers->get_array()) {
    if (!peer.is_string() || !is_id(peer.get_string())) return std::nullopt;
    if (!welcome.peer) welcome.peer = std::string(peer.get_string());
  }
  ParsedFrame parsed;
  if (const auto* most = object.if_contains("maxMessageBytes")) {
    const auto bytes = integer(*most);
    if (!bytes || *bytes <= 0) return std::nullopt;
    parsed.max_frame = static_cast<std::size_t>(*bytes);
  }
  parsed.frame = std::move(welcome);
  return parsed;
}

std::optional<SessionDescription> parse_description(const json::object& object) {
  const auto* value = object.if_contains("description");
  if (value == nullptr || !value->is_object()) return std::nullopt;
  const auto& fields = value->get_object();
  const auto name = text_of(fields, "type");
  if (!name) return std::nullopt;
  const auto* const type = std::ranges::find(kTypes, *name, [](SdpType one) { return wdc::name(one); });
  if (type == kTypes.end()) return std::nullopt;
  SessionDescription description{.type = *type};
  auto sdp = text_of(fields, "sdp");
  if (!sdp && (*type != SdpType::rollback || fields.contains("sdp"))) return std::nullopt;
  if (sdp) description.sdp = std::move(*sdp);
  return description;
}

std::optional<IceCandidate> parse_candidate(const json::object& fields) {
  IceCandidate candidate;
  auto text = text_of(fields, "candidate");
  if (!text || !read_optional_text(fields, "sdpMid", candidate.sdp_mid) ||
      !read_optional_text(fields, "usernameFragment", candidate.username_fragment))
    return std::nullopt;
  candidate.candidate = std::move(*text);
  const auto* line = fields.if_contains("sdpMLineIndex");
  if (line == nullptr || line->is_null()) return candidate;
  const auto index = integer(*line);
  if (!index || *index < 0 || *index > 65'535) return std::nullopt;
  candidate.sdp_m_line_index = static_cast<std::uint16_t>(*index);
  return candidate;
}

/// Of a type that has been checked; empty: a field is missing or of the wrong type.
std::optional<ParsedFrame> parse_fields(std::string_view type, const json::object& object) {
  const auto made = [](Frame frame) { return ParsedFrame{.frame = std::move(frame)}; };
  if (type == "welcome") return parse_welcome(object);
  if (type == "joined" || type == "left") {
    auto peer = id_of(object, "peer");
    if (!peer) return std::nullopt;
    return type == "joined" ? made(Joined{std::move(*peer)}) : made(Left{std::move(*peer)});
  }
  if (type == "error") {
    const auto code = text_of(object, "code");
    auto message = text_of(object, "message");
    if (!code || !message) return std::nullopt;
    return made(Refused{error_of(*code, std::move(*message))});
  }
  // Between members.
  std::optional<std::string> from;
  if (object.contains("from")) {
    from = id_of(object, "from");
    if (!from) return std::nullopt;
  }
  std::optional<Frame> frame;
  if (type == "bye") {
    frame = Bye{from.value_or("")};
  } else if (type == "description") {
    auto description = parse_description(object);
    if (!description) return std::nullopt;
    frame = Description{from.value_or(""), std::move(*description)};
  } else {
    const auto* value = object.if_contains("candidate");
    if (value == nullptr || (!value->is_object() && !value->is_null())) return std::nullopt;
    auto candidate = value->is_null() ? IceCandidate{} : parse_candidate(value->get_object());
    if (!candidate) return std::nullopt;
    frame = Candidate{from.value_or(""), std::move(*candidate)};
  }
  if (!from) return ParsedFrame{};
  return ParsedFrame{.frame = std::move(frame)};
}

json::value value_of(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

}  // namespace

std::expected<ParsedFrame, std::string> parse_frame(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMostDepth;
  json::error_code error;
  const auto value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return std::unexpected("a frame of " + std::to_string(text.size()) + " bytes that is not JSON");
  const auto* object = value.if_object();
  const auto type = object == nullptr ? std::nullopt : text_of(*object, "type");
  if (!type) return std::unexpected("a frame without a type");
  constexpr std::array<std::string_view, 7> kKnown{"welcome",   "joined", "left", "description",
                                                   "candidate", "bye",    "error"};
  if (std::ranges::find(kKnown, *type) == kKnown.end()) return std::unexpected("a frame of an unknown type");
  auto parsed = parse_fields(*type, *object);
  if (!parsed) return std::unexpected("a " + *type + " frame with a field that is missing or of the wrong type");
  return std::move(*parsed);
}

std::string write_frame(const Frame& frame, std::string_view to) {
  json::object object;
  if (const auto* description = std::get_if<Description>(&frame)) {
    const auto& [type, sdp] = description->description;
    json::object fields{{"type", wdc::name(type)}};
    if (type != SdpType::rollback) fields.emplace("sdp", sdp);
    object = {{"type", "description"}, {"to", to}, {"description", std::move(fields)}};
  } else if (const auto* candidate = std::get_if<Candidate>(&frame)) {
    const auto& told = candidate->candidate;
    if (told.candidate.empty() && !told.sdp_mid && !told.sdp_m_line_index)
      return json::serialize(json::object{{"type", "candidate"}, {"to", to}, {"candidate", nullptr}});
    json::object fields{{"candidate", told.candidate},
                        {"sdpMid", value_of(told.sdp_mid)},
                        {"sdpMLineIndex", nullptr},
                        {"usernameFragment", value_of(told.username_fragment)}};
    if (told.sdp_m_line_index) fields["sdpMLineIndex"] = *told.sdp_m_line_index;
    object = {{"type", "candidate"}, {"to", to}, {"candidate", std::move(fields)}};
  } else {
    object = {{"type", "bye"}};
  }
  return json::serialize(object);
}

Error error_of(std::string_view code, std::string message) {
  if (code == "malformed") return Error(Errc::signaling_malformed, std::move(message));
  if (code == "too_large") return Error(Errc::signaling_too_large, std::move(message));
  if (code == "bad_room") return Error(Errc::invalid_argument, std::move(message));
  if (code == "unsupported_version") return Error(Errc::unsupported, std::move(message));
  if (code == "room_full") return Error(Errc::room_full, std::move(message));
  if (code == "rate_limited") return Error(Errc::rate_limited, std::move(message));
  if (code == "slow_reader") return Error(Errc::signaling_lost, std::move(message));
  return Error(Errc::signaling_refused, std::move(message));
}

std::optional<Error> error_of_close(std::uint16_t code) {
  constexpr std::array<std::pair<std::uint16_t, std::string_view>, 9> kNames{{{4001, "malformed"},
                                                                              {4002, "too_large"},
                                                                              {4003, "bad_room"},
                                                                              {4004, "unsupported_version"},
                                                                              {4010, "room_full"},
                                                                              {4011, "too_many_rooms"},
                                                                              {4012, "rate_limited"},
                                                                              {4013, "slow_reader"},
                                                                              {4014, "idle"}}};
  if (code < 4000 || code > 4099) return std::nullopt;
  const std::string detail = "close code " + std::to_string(code);
  for (const auto& [number, name] : kNames)
    if (number == code) return error_of(name, detail);
  return Error(Errc::signaling_refused, detail);
}

}  // namespace wdc::native::signaling
