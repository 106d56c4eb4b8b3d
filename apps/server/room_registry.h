// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace wdc::server {

// Who a member is to the others: opaque, new at every join.
using MemberId = std::string;

// Its part in perfect negotiation (docs/wire/signaling.md). A place, once taken, keeps its role.
enum class Role { impolite, polite };

// What a member finds when it has joined.
struct Seat {
  Role role;
  std::optional<MemberId> peer;
};

enum class JoinRefusal { bad_name, room_full, too_many_rooms };

// 1 to 64 characters of [A-Za-z0-9_-].
[[nodiscard]] bool is_room_name(std::string_view name);

// Rooms of two places. Ids are given, not made; nothing here does input or output.
class RoomRegistry {
 public:
  static constexpr std::size_t kPlaces = 2;  // one impolite, one polite: the wire format knows no third

  explicit RoomRegistry(std::size_t most_rooms) : most_rooms_(most_rooms) {}

  // REQUIRES: `member` is in no room.
  [[nodiscard]] std::expected<Seat, JoinRefusal> join(std::string_view room_name, const MemberId& member);

  // Frees the place, and the room with its last member. Answers who stays behind. Unknown members are nobody.
  std::optional<MemberId> leave(const MemberId& member);

  [[nodiscard]] std::optional<MemberId> peer_of(const MemberId& member) const;

  [[nodiscard]] std::size_t rooms() const { return rooms_.size(); }
  [[nodiscard]] std::size_t members() const { return room_of_.size(); }

 private:
  // Places [0] and [1] are those of Role::impolite and Role::polite; empty: free.
  using Room = std::array<MemberId, kPlaces>;

  std::size_t most_rooms_;
  std::unordered_map<std::string, Room> rooms_;
  std::unordered_map<MemberId, std::string> room_of_;
};

}  // namespace wdc::server
