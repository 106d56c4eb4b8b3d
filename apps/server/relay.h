// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <unordered_map>

#include "apps/server/room_registry.h"
#include "apps/server/signaling_message.h"

namespace wdc::server {

// The way to one member. `deliver` may call back into the relay (to leave).
class MemberConnection {
 public:
  virtual ~MemberConnection() = default;
  virtual void deliver(std::string frame) = 0;
};

// Knows the rooms and the way to each member, and tells members of one another in the order that docs/wire/signaling.md
// promises.
class Relay {
 public:
  Relay(std::size_t most_rooms, std::size_t max_message_bytes)
      : rooms_(most_rooms), max_message_bytes_(max_message_bytes) {}

  // Welcomes the member, then tells the other one. `connection` must stay until `leave`.
  [[nodiscard]] std::expected<Seat, JoinRefusal> join(std::string_view room_name, const MemberId& member,
                                                      MemberConnection& connection);

  // Tells the other member. Members unknown, or gone already, are nobody.
  void leave(const MemberId& member);

  // To the other member, unless it is not the one meant, or nobody is there.
  void forward(const MemberId& sender, const MemberFrame& frame);

  [[nodiscard]] std::size_t rooms() const { return rooms_.rooms(); }
  [[nodiscard]] std::size_t members() const { return rooms_.members(); }

 private:
  RoomRegistry rooms_;
  std::size_t max_message_bytes_;
  std::unordered_map<MemberId, MemberConnection*> connections_;
};

}  // namespace wdc::server
