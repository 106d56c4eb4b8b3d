// SPDX-License-Identifier: MIT
#include "apps/server/relay.h"

namespace wdc::server {

std::expected<Seat, JoinRefusal> Relay::join(std::string_view room_name, const MemberId& member,
                                             MemberConnection& connection) {
  auto seat = rooms_.join(room_name, member);
  if (!seat) return seat;
  connections_.emplace(member, &connection);
  connection.deliver(welcome_frame(member, *seat, max_message_bytes_));
  if (seat->peer) connections_.at(*seat->peer)->deliver(joined_frame(member));
  return seat;
}

void Relay::leave(const MemberId& member) {
  const auto peer = rooms_.leave(member);
  connections_.erase(member);
  if (peer) connections_.at(*peer)->deliver(left_frame(member));
}

void Relay::forward(const MemberId& sender, const MemberFrame& frame) {
  const auto peer = rooms_.peer_of(sender);
  if (!peer || (frame.to && *frame.to != *peer)) return;
  connections_.at(*peer)->deliver(frame.text_from(sender));
}

}  // namespace wdc::server
