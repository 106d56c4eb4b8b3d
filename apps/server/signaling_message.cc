// SPDX-License-Identifier: MIT
#include "apps/server/signaling_message.h"

#include <boost/json.hpp>
#include <utility>

#include "apps/server/text.h"

namespace wdc::server {
namespace {

namespace json = boost::json;
using Reason = std::unexpected<std::string>;

// Far more than any frame needs; bounds the recursion of the parser and of the serializer.
constexpr std::size_t kMostDepth = 16;

std::expected<std::string, std::string> string_field(const json::object& object, std::string_view name) {
  const auto* field = object.if_contains(name);
  if (field == nullptr) return Reason(concat("\"", name, "\" is missing"));
  const auto* text = field->if_string();
  if (text == nullptr) return Reason(concat("\"", name, "\" is not a string"));
  return std::string(*text);
}

std::expected<json::value, std::string> parse_description(const json::object& frame) {
  const auto* field = frame.if_contains("description");
  if (field == nullptr || !field->is_object()) return Reason("\"description\" is missing or not an object");
  const auto type = string_field(field->get_object(), "type");
  if (!type) return Reason("description: " + type.error());
  const bool is_rollback = *type == "rollback";
  if (!is_rollback && *type != "offer" && *type != "answer" && *type != "pranswer") {
    return Reason(concat("description: unknown type \"", escape(*type, 32), "\""));
  }
  if (const auto sdp = string_field(field->get_object(), "sdp"); !sdp) {
    if (!is_rollback || field->get_object().contains("sdp")) return Reason("description: " + sdp.error());
  }
  return *field;
}

std::expected<json::value, std::string> parse_candidate(const json::object& frame) {
  const auto* field = frame.if_contains("candidate");
  if (field == nullptr) return Reason("\"candidate\" is missing");
  if (field->is_null()) return *field;
  if (!field->is_object()) return Reason("\"candidate\" is neither an object nor null");
  if (const auto text = string_field(field->get_object(), "candidate"); !text) {
    return Reason("candidate: " + text.error());
  }
  return *field;
}

std::expected<std::optional<MemberId>, std::string> parse_to(const json::object& frame) {
  if (!frame.contains("to")) return std::nullopt;
  auto to = string_field(frame, "to");
  if (!to) return Reason(to.error());
  return std::optional<MemberId>(std::move(*to));
}

std::string_view name_of(MemberFrame::Type type) {
  switch (type) {
    case MemberFrame::Type::description:
      return "description";
    case MemberFrame::Type::candidate:
      return "candidate";
    case MemberFrame::Type::bye:
      return "bye";
  }
  std::unreachable();
}

}  // namespace

std::string_view name_of(SignalingError code) {
  switch (code) {
    case SignalingError::malformed:
      return "malformed";
    case SignalingError::too_large:
      return "too_large";
    case SignalingError::bad_room:
      return "bad_room";
    case SignalingError::unsupported_version:
      return "unsupported_version";
    case SignalingError::room_full:
      return "room_full";
    case SignalingError::too_many_rooms:
      return "too_many_rooms";
    case SignalingError::rate_limited:
      return "rate_limited";
    case SignalingError::slow_reader:
      return "slow_reader";
    case SignalingError::idle:
      return "idle";
  }
  std::unreachable();
}

std::expected<MemberFrame, std::string> parse_member_frame(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMostDepth;
  json::error_code error;
  const auto value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) return Reason(concat("frame of ", text.size(), " bytes is not JSON of at most ", kMostDepth, " levels"));
  const auto* object = value.if_object();
  if (object == nullptr) return Reason("frame is not a JSON object");
  const auto type = string_field(*object, "type");
  if (!type) return Reason(type.error());
  auto to = parse_to(*object);
  if (!to) return Reason(to.error());

  if (*type == "bye") return MemberFrame{MemberFrame::Type::bye, std::move(*to), nullptr};
  const bool is_description = *type == "description";
  if (!is_description && *type != "candidate") return Reason(concat("unknown type \"", escape(*type, 32), "\""));
  auto payload = is_description ? parse_description(*object) : parse_candidate(*object);
  if (!payload) return Reason(payload.error());
  return MemberFrame{is_description ? MemberFrame::Type::description : MemberFrame::Type::candidate, std::move(*to),
                     std::move(*payload)};
}

std::string MemberFrame::text_from(const MemberId& sender) const {
  json::object frame{{"type", name_of(type)}, {"from", sender}};
  if (type != Type::bye) frame.emplace(name_of(type), payload);
  return json::serialize(frame);
}

std::string welcome_frame(const MemberId& you, const Seat& seat, std::size_t max_message_bytes) {
  json::array peers;
  if (seat.peer) peers.emplace_back(*seat.peer);
  return json::serialize(json::object{{"type", "welcome"},
                                      {"version", kSignalingVersion},
                                      {"you", you},
                                      {"polite", seat.role == Role::polite},
                                      {"peers", std::move(peers)},
                                      {"maxMessageBytes", max_message_bytes}});
}

std::string joined_frame(const MemberId& peer) {
  return json::serialize(json::object{{"type", "joined"}, {"peer", peer}});
}

std::string left_frame(const MemberId& peer) { return json::serialize(json::object{{"type", "left"}, {"peer", peer}}); }

std::string error_frame(SignalingError code, std::string_view message) {
  return json::serialize(json::object{{"type", "error"}, {"code", name_of(code)}, {"message", message}});
}

}  // namespace wdc::server
