// SPDX-License-Identifier: MIT
#include "apps/server/room_registry.h"

#include <algorithm>

namespace wdc::server {
namespace {

std::optional<MemberId> other_in(const std::array<MemberId, RoomRegistry::kPlaces>& room, const MemberId& member) {
  const MemberId& other = room[0] == member ? room[1] : room[0];
  if (other.empty()) return std::nullopt;
  return other;
}

}  // namespace

bool is_room_name(std::string_view name) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::expected<Seat, JoinRefusal> RoomRegistry::join(std::string_view room_name, const MemberId& member) {
  if (!is_room_name(room_name)) return std::unexpected(JoinRefusal::bad_name);
  std::string name(room_name);
  auto found = rooms_.find(name);
  if (found == rooms_.end()) {
    if (rooms_.size() >= most_rooms_) return std::unexpected(JoinRefusal::too_many_rooms);
    found = rooms_.emplace(name, Room{}).first;
  }
  auto& room = found->second;
  const auto place = std::ranges::find(room, MemberId());
  if (place == room.end()) return std::unexpected(JoinRefusal::room_full);
  *place = member;
  room_of_.emplace(member, std::move(name));
  return Seat{.role = place == room.begin() ? Role::impolite : Role::polite, .peer = other_in(room, member)};
}

std::optional<MemberId> RoomRegistry::leave(const MemberId& member) {
  const auto name = room_of_.find(member);
  if (name == room_of_.end()) return std::nullopt;
  const auto room = rooms_.find(name->second);
  auto peer = other_in(room->second, member);
  if (peer) {
    std::ranges::find(room->second, member)->clear();
  } else {
    rooms_.erase(room);
  }
  room_of_.erase(name);
  return peer;
}

std::optional<MemberId> RoomRegistry::peer_of(const MemberId& member) const {
  const auto name = room_of_.find(member);
  if (name == room_of_.end()) return std::nullopt;
  return other_in(rooms_.at(name->second), member);
}

}  // namespace wdc::server
