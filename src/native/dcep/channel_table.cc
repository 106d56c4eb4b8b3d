// SPDX-License-Identifier: MIT
#include "src/native/dcep/channel_table.h"

#include <algorithm>

namespace wdc::dcep {

ChannelTable::Channel& ChannelTable::at(ChannelId id) {
  auto& page = pages_[id.value() / kPageSize];
  if (page == nullptr) page = std::make_unique<Page>();
  return (*page)[id.value() % kPageSize];
}

ChannelTable::State ChannelTable::state(ChannelId id) const {
  const auto& page = pages_[id.value() / kPageSize];
  return page == nullptr ? State::none : (*page)[id.value() % kPageSize].state;
}

void ChannelTable::create(ChannelId id, State state) {
  at(id) = {.state = state};
  ++count_;
}

std::optional<ChannelId> ChannelTable::open(const ChannelParameters& parameters) {
  // An id rests before it is used again, but the table, and what else is kept for each stream, stays small: the search
  // begins again when it has gone through four times as many as there are channels.
  const std::uint32_t pairs = streams_ / 2U + 1;
  const auto near = static_cast<std::uint32_t>(std::max<std::size_t>(64, 4 * (count_ + 1)));
  if (next_id_ >= near) next_id_ = 0;
  for (std::uint32_t i = 0; i < pairs; ++i) {
    const std::uint32_t value = (next_id_ + i) % pairs * 2 + parity(role_);
    const ChannelId id(static_cast<std::uint16_t>(value));
    if (value >= 65'535 || !is_usable(id) || exists(id)) continue;
    next_id_ = (next_id_ + i + 1) % pairs;
    create(id, State::opening);
    outputs_.emplace_back(ControlMessage{id, write_open(parameters)});
    return id;
  }
  return std::nullopt;
}

bool ChannelTable::add_negotiated(ChannelId id) {
  if (!is_usable(id) || exists(id)) return false;
  create(id, State::open);
  return true;
}

void ChannelTable::close(ChannelId id) {
  if (state(id) == State::opening || state(id) == State::open) begin_close(id);
}

void ChannelTable::begin_close(ChannelId id) {
  at(id).state = State::closing;
  outputs_.emplace_back(ResetRequest{id});
}

ChannelTable::Arrival ChannelTable::handle_message(ChannelId id, std::uint32_t ppid,
                                                   std::span<const std::byte> message) {
  const auto meaning = payload_meaning(ppid);
  if (!meaning) {  // RFC 8831 section 6.6 leaves other PPIDs to others
    ++dropped_;
    return Arrival::dropped;
  }
  if (meaning->kind != PayloadKind::control) {
    if (state(id) == State::opening || state(id) == State::open) return Arrival::deliver;
    if (state(id) == State::none) return refuse(id);
    ++dropped_;  // we are closing
    return Arrival::dropped;
  }
  const auto type = dcep_message_type(message);
  if (type == DcepMessageType::open) return handle_open(id, message);
  if (type == DcepMessageType::ack) {
    if (state(id) == State::opening) {
      at(id).state = State::open;
      outputs_.emplace_back(ChannelAcknowledged{id});
    }
    return Arrival::handled;  // one too many does no harm
  }
  return refuse(id);
}

ChannelTable::Arrival ChannelTable::handle_open(ChannelId id, std::span<const std::byte> message) {
  auto parameters = parse_open(message);
  // The peer opens the stream anew: it has seen both resets, and only the answer to ours is still on its way.
  if (state(id) == State::closing && at(id).peer_reset_done) handle_reset_done(id);
  // RFC 8832 section 6: the id is of the peer's parity, and the stream is not in use.
  const bool is_peers = id.value() % 2 != parity(role_);
  if (!parameters || !is_peers || !is_usable(id) || exists(id)) return refuse(id);
  create(id, State::open);
  outputs_.emplace_back(ControlMessage{id, write_ack()});
  outputs_.emplace_back(IncomingChannel{id, std::move(*parameters)});
  return Arrival::handled;
}

/// An error is answered by closing the channel (RFC 8832 section 6), also one that never was. One that is closing
/// already is left to close.
ChannelTable::Arrival ChannelTable::refuse(ChannelId id) {
  ++dropped_;
  if (!is_usable(id) || state(id) == State::closing) return Arrival::dropped;
  if (state(id) == State::none) create(id, State::closing);
  begin_close(id);
  return Arrival::dropped;
}

void ChannelTable::handle_peer_reset(ChannelId id) {
  if (!exists(id)) return;
  at(id).peer_reset_done = true;
  if (state(id) != State::closing) begin_close(id);
  finish_if_reset(id);
}

void ChannelTable::handle_reset_done(ChannelId id) {
  if (state(id) != State::closing) return;
  at(id).local_reset_done = true;
  finish_if_reset(id);
}

void ChannelTable::finish_if_reset(ChannelId id) {
  Channel& channel = at(id);
  if (!channel.local_reset_done || !channel.peer_reset_done) return;
  channel = {};
  --count_;
  outputs_.emplace_back(ChannelClosed{id});
}

std::optional<Output> ChannelTable::poll() {
  if (outputs_.empty()) return std::nullopt;
  Output output = std::move(outputs_.front());
  outputs_.pop_front();
  return output;
}

}  // namespace wdc::dcep
