// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/outstanding.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace wdc::sctp {

Outstanding::Outstanding(MessageSlab& messages, Tsn initial, std::size_t chunk_header_size)
    : messages_(messages),
      header_size_(chunk_header_size),
      next_(initial),
      cumulative_(next_.previous()),
      chunks_(64),
      states_(64),
      lowest_lost_(next_),
      highest_acked_(cumulative_) {}

void Outstanding::grow() {
  // At once for as many messages as wait, within reason: each will have a chunk at least.
  const std::size_t wanted = std::bit_ceil(messages_.used());
  grow_to(std::clamp(wanted, chunks_.size() * 2, chunks_.size() * 16));
}

void Outstanding::grow_to(std::size_t size) {
  std::vector<OutstandingChunk> chunks(size);
  std::vector<State> states(chunks.size());
  for (UnwrappedTsn tsn = cumulative_.next(); tsn < next_; tsn = tsn.next()) {
    const std::size_t to = static_cast<std::size_t>(tsn.value()) & (chunks.size() - 1);
    chunks[to] = chunks_[slot(tsn)];
    states[to] = states_[slot(tsn)];
  }
  chunks_ = std::move(chunks);
  states_ = std::move(states);
}

void Outstanding::leave_flight(const OutstandingChunk& chunk) {
  in_flight_ -= header_size_ + chunk.length;
  in_flight_payload_ -= chunk.length;
}

void Outstanding::enter_flight(const OutstandingChunk& chunk) {
  in_flight_ += header_size_ + chunk.length;
  in_flight_payload_ += chunk.length;
}

UnwrappedTsn Outstanding::add(MessageIndex index, std::uint32_t offset, std::uint16_t length, std::uint32_t fragment,
                              DataFlags flags, TimePoint now) {
  assert(!full());
  if (order_ >= kBusyAfter && chunks_.size() < kBusyChunks) [[unlikely]] {
    grow_to(kBusyChunks);
    messages_.reserve(kBusyMessages);
  }
  if (static_cast<std::size_t>(next_.since(cumulative_)) >= chunks_.size()) grow();
  OutgoingMessage& message = messages_[index];
  if (message.outstanding++ == 0) message.first_tsn = next_;
  message.last_tsn = next_;
  OutstandingChunk& added = chunks_[slot(next_)];
  added = {index, offset, fragment, length, 1, flags, 0, ++order_};
  states_[slot(next_)] = State::in_flight;
  enter_flight(added);
  if (timed_at_ == kNever) {
    timed_at_ = now;
    timed_tsn_ = next_;
  }
  const UnwrappedTsn tsn = next_;
  next_ = next_.next();
  return tsn;
}

void Outstanding::add_abandoned(MessageIndex index) {
  if (static_cast<std::size_t>(next_.since(cumulative_)) >= chunks_.size()) grow();
  OutgoingMessage& message = messages_[index];
  if (message.outstanding++ == 0) message.first_tsn = next_;
  message.last_tsn = next_;
  chunks_[slot(next_)] = {index, message.sent, message.next_fragment, 0, 0, {}, 0, 0};
  states_[slot(next_)] = State::abandoned;
  next_ = next_.next();
}

bool Outstanding::given_up(const OutstandingChunk& chunk, TimePoint now) const {
  const OutgoingMessage& message = messages_[chunk.message];
  return message.expires <= now || (message.max_retransmits && chunk.transmissions > *message.max_retransmits);
}

std::optional<Outstanding::Lost> Outstanding::next_lost(TimePoint now) {
  lowest_lost_ = std::max(lowest_lost_, cumulative_.next());
  for (; lost_count_ > 0 && lowest_lost_ < next_; lowest_lost_ = lowest_lost_.next()) {
    if (states_[slot(lowest_lost_)] != State::lost) continue;
    const OutstandingChunk& lost = chunks_[slot(lowest_lost_)];
    if (!given_up(lost, now)) return Lost{lowest_lost_, &lost};
    abandon(lost.message);
  }
  return std::nullopt;
}

void Outstanding::mark_retransmitted(UnwrappedTsn tsn) {
  OutstandingChunk& sent = chunks_[slot(tsn)];
  assert(states_[slot(tsn)] == State::lost);
  states_[slot(tsn)] = State::in_flight;
  --lost_count_;
  enter_flight(sent);
  if (sent.transmissions < 65'535) ++sent.transmissions;
  sent.misses = 0;
  sent.order = ++order_;
  if (timed_at_ != kNever && timed_tsn_ == tsn) timed_at_ = kNever;  // rule C5
}

void Outstanding::acknowledge(UnwrappedTsn tsn, SackOutcome& outcome, TimePoint now) {
  const std::size_t at = slot(tsn);
  OutstandingChunk& acked = chunks_[at];
  switch (states_[at]) {
    case State::in_flight:
      leave_flight(acked);
      break;
    case State::lost:
      --lost_count_;
      break;
    case State::acked:
    case State::abandoned:
      return;
  }
  states_[at] = State::acked;
  outcome.acked_bytes += header_size_ + acked.length;
  // An acknowledgement of a chunk sent twice may mean the first: it says nothing about what was sent in between.
  if (acked.transmissions == 1 || acked.order == probe_order_)
    newest_acked_order_ = std::max(newest_acked_order_, acked.order);
  if (timed_at_ != kNever && timed_tsn_ == tsn) {
    outcome.round_trip = now - timed_at_;
    timed_at_ = kNever;
  }
}

void Outstanding::advance(UnwrappedTsn to, SackOutcome& outcome, TimePoint now) {
  outcome.cumulative_advanced = to > cumulative_;
  for (UnwrappedTsn tsn = cumulative_.next(); tsn <= to; tsn = tsn.next()) {
    acknowledge(tsn, outcome, now);
    const MessageIndex index = chunks_[slot(tsn)].message;
    OutgoingMessage& message = messages_[index];
    if (--message.outstanding == 0 && (message.abandoned || message.is_cut())) forget_message(messages_, index);
  }
  if (timed_at_ != kNever && timed_tsn_ <= to) timed_at_ = kNever;  // it was abandoned
  cumulative_ = to;
  highest_acked_ = std::max(highest_acked_, to);
}

SackOutcome Outstanding::handle_cumulative(Tsn wire, TimePoint now) {
  SackOutcome outcome;
  outcome.in_flight_before = in_flight_;
  const UnwrappedTsn to = UnwrappedTsn::near(cumulative_, wire);
  if (to < cumulative_ || to >= next_) return outcome;
  outcome.valid = true;
  advance(to, outcome, now);
  return outcome;
}

SackOutcome Outstanding::handle_sack(const SackChunk& sack, TimePoint now) {
  SackOutcome outcome;
  outcome.in_flight_before = in_flight_;
  const UnwrappedTsn to = UnwrappedTsn::near(cumulative_, sack.cumulative_tsn);
  if (to < cumulative_ || to >= next_) return outcome;
  for (std::size_t i = 0; i < sack.gap_block_count(); ++i) {
    const GapBlock block = sack.gap_block(i);
    if (block.start == 0 || block.end < block.start || to.plus(block.end) >= next_) return outcome;
  }
  outcome.valid = true;
  advance(to, outcome, now);
  mark_gaps(sack, outcome, now);
  return outcome;
}

void Outstanding::mark_gaps(const SackChunk& sack, SackOutcome& outcome, TimePoint now) {
  if (sack.gap_block_count() == 0 && highest_acked_ <= cumulative_) return;
  // What an earlier SACK reported and this one does not: the peer has thrown it away (RFC 9260 section 6.2.1, rule
  // iii).
  UnwrappedTsn at = cumulative_.next();
  const auto renege_before = [&](UnwrappedTsn end) {
    for (; at < end; at = at.next()) {
      if (states_[slot(at)] != State::acked) continue;
      outcome.reneged = true;
      states_[slot(at)] = State::in_flight;
      enter_flight(chunks_[slot(at)]);
    }
  };
  UnwrappedTsn highest = cumulative_;
  for (std::size_t i = 0; i < sack.gap_block_count(); ++i) {
    const GapBlock block = sack.gap_block(i);
    renege_before(cumulative_.plus(block.start));
    for (UnwrappedTsn tsn = cumulative_.plus(block.start); tsn <= cumulative_.plus(block.end); tsn = tsn.next()) {
      acknowledge(tsn, outcome, now);
    }
    at = std::max(at, cumulative_.plus(block.end).next());
    highest = std::max(highest, cumulative_.plus(block.end));
  }
  renege_before(highest_acked_.next());
  highest_acked_ = highest;
  // Only a SACK with news counts (RFC 9260 section 7.2.4: the chunks it newly acknowledges decide).
  if (outcome.acked_bytes > 0) count_misses(highest, outcome);
}

/// A chunk is missing where something sent after it has arrived. "After" is told by the order of transmissions, so a
/// retransmission that is lost again is found as well. For chunks sent once this is the HTNA rule of section 7.2.4.
void Outstanding::count_misses(UnwrappedTsn highest, SackOutcome& outcome) {
  for (UnwrappedTsn tsn = cumulative_.next(); tsn < highest; tsn = tsn.next()) {
    if (states_[slot(tsn)] != State::in_flight) continue;
    OutstandingChunk& missing = chunks_[slot(tsn)];
    if (missing.order >= newest_acked_order_) continue;
    const bool before_probe = missing.order < probe_order_ && probe_order_ <= newest_acked_order_;
    if (++missing.misses < kMissesForLoss && !before_probe) continue;
    lose(tsn);
    ++outcome.lost_chunks;
  }
}

void Outstanding::lose(UnwrappedTsn tsn) {
  OutstandingChunk& lost = chunks_[slot(tsn)];
  leave_flight(lost);
  lost.misses = 0;
  states_[slot(tsn)] = State::lost;
  ++lost_count_;
  lowest_lost_ = std::min(lowest_lost_, tsn);
}

std::optional<UnwrappedTsn> Outstanding::lose_last() {
  for (UnwrappedTsn tsn = next_.previous(); tsn > cumulative_; tsn = tsn.previous()) {
    if (states_[slot(tsn)] != State::in_flight) continue;
    const OutgoingMessage& message = messages_[chunks_[slot(tsn)].message];
    if (message.max_retransmits || message.expires != kNever) return std::nullopt;
    lose(tsn);
    return tsn;
  }
  return std::nullopt;
}

void Outstanding::handle_timeout() {
  for (UnwrappedTsn tsn = cumulative_.next(); tsn < next_; tsn = tsn.next()) {
    if (states_[slot(tsn)] == State::in_flight) lose(tsn);
  }
  timed_at_ = kNever;
}

void Outstanding::abandon(MessageIndex index) {
  OutgoingMessage& message = messages_[index];
  if (message.abandoned) return;
  message.abandoned = true;
  ++abandoned_count_;
  if (message.outstanding > 0) {
    for (UnwrappedTsn tsn = std::max(message.first_tsn, cumulative_.next()); tsn <= message.last_tsn;
         tsn = tsn.next()) {
      if (chunks_[slot(tsn)].message != index) continue;
      if (states_[slot(tsn)] == State::in_flight) leave_flight(chunks_[slot(tsn)]);
      if (states_[slot(tsn)] == State::lost) --lost_count_;
      states_[slot(tsn)] = State::abandoned;
      if (timed_at_ != kNever && timed_tsn_ == tsn) timed_at_ = kNever;
    }
  }
  abandoned_.push_back(index);
}

MessageIndex Outstanding::poll_abandoned() {
  if (abandoned_.empty()) return kNoMessage;
  const MessageIndex index = abandoned_.back();
  abandoned_.pop_back();
  return index;
}

UnwrappedTsn Outstanding::forward_point() const {
  UnwrappedTsn point = cumulative_;
  while (point.next() < next_ && states_[slot(point.next())] == State::abandoned) point = point.next();
  return point;
}

void Outstanding::clear() {
  for (UnwrappedTsn tsn = cumulative_.next(); tsn < next_; tsn = tsn.next()) {
    const MessageIndex index = chunks_[slot(tsn)].message;
    OutgoingMessage& message = messages_[index];
    if (--message.outstanding == 0) forget_message(messages_, index);
  }
  cumulative_ = next_.previous();
  highest_acked_ = cumulative_;
  in_flight_ = in_flight_payload_ = lost_count_ = 0;
  lowest_lost_ = next_;
  timed_at_ = kNever;
  abandoned_.clear();
}

}  // namespace wdc::sctp
