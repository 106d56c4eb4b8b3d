// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/transmission.h"

#include <algorithm>
#include <cassert>

namespace wdc::sctp {

Transmission::Transmission(std::size_t packet_size, const RetransmissionTimeoutOptions& timeouts,
                           std::unique_ptr<CongestionController> congestion)
    : packet_size_(packet_size), queue_(messages_), timeout_(timeouts), congestion_(std::move(congestion)) {}

Transmission::~Transmission() { stop(); }

void Transmission::start(const TransmissionTerms& terms) {
  terms_ = terms;
  peer_window_ = terms.peer_window;
  path_limit_ = {};
  outstanding_.emplace(messages_, terms.initial_tsn, header_size());
  forwarded_to_ = outstanding_->cumulative();
}

void Transmission::stop() {
  queue_.clear();
  if (outstanding_) outstanding_->clear();
  outstanding_.reset();
  t3_ = probe_at_ = pace_at_ = kNever;
  repeated_by_probe_.reset();
  in_recovery_ = is_paced_ = fast_retransmit_ = hurried_ = forward_due_ = probe_due_ = probed_ = false;
}

void Transmission::set_packet_size(std::size_t bytes) {
  packet_size_ = bytes;
  congestion_->set_packet_size(bytes);
}

void Transmission::send(StreamId stream, Ppid ppid, Payload payload, const SendOptions& options, TimePoint now) {
  assert(payload.size() > 0);
  const MessageIndex index = messages_.take();
  OutgoingMessage& message = messages_[index];
  message = OutgoingMessage{};
  message.payload = std::move(payload);
  message.stream = stream;
  message.ppid = ppid;
  message.unordered = options.unordered;
  message.max_retransmits = options.max_retransmits;
  if (options.lifetime) message.expires = now + *options.lifetime;
  queue_.push(index);
}

void Transmission::discard(StreamId stream, Ppid kept) {
  const MessageIndex begun = queue_.discard(stream, kept);
  if (begun == kNoMessage || !terms_.partial_reliability || messages_[begun].ppid == kept) return;
  outstanding_->abandon(begun);
  take_abandoned();
}

bool Transmission::fill(PacketWriter& packet, TimePoint now) {
  if (!outstanding_) return false;
  const std::size_t size_before = packet.size();
  if (probe_due_ && !outstanding_->has_lost() && !may_send_new(now)) repeated_by_probe_ = outstanding_->lose_last();
  is_paced_ = !pacer_.may_send(path(), now);
  while (window_open() || fast_retransmit_ || probe_due_) {
    const auto lost = outstanding_->next_lost(now);
    take_abandoned();
    if (!(lost ? write_lost(packet, *lost) : write_new(packet, now))) break;
    if (std::exchange(probe_due_, false)) outstanding_->note_probe();
  }
  probe_due_ = false;
  if (is_paced_) pace(now);
  if (packet.size() == size_before) return false;
  fast_retransmit_ = false;
  pacer_.note_sent(packet.size());
  if (t3_ == kNever) arm_t3(now);
  arm_probe(now);
  return true;
}

Pacer::Path Transmission::path() const {
  return {congestion_->window(), packet_size_, congestion_->in_slow_start(), timeout_.smoothed(), timeout_.shortest()};
}

/// The pacer has said no: asks again later where something waits for nothing else.
void Transmission::pace(TimePoint now) {
  is_paced_ = false;
  // With nothing in flight one chunk goes even into a closed window, and only this will ask for it.
  const bool waits = outstanding_->has_lost() || may_send_new(now) || (outstanding_->empty() && !queue_.empty());
  pace_at_ = waits && window_open() ? pacer_.next(path()) : kNever;
}

/// Whether the peer's window has room for something that was not sent yet.
bool Transmission::may_send_new(TimePoint now) {
  return !is_held_ && !outstanding_->full() && queue_.front(now, terms_.kind) != kNoMessage && peer_has_room();
}

bool Transmission::write_lost(PacketWriter& packet, const Outstanding::Lost& lost) {
  if (packet.room() < padded(header_size() + lost.chunk->length)) return false;
  outstanding_->mark_retransmitted(lost.tsn);
  ++retransmissions_;
  OutstandingChunk chunk = *lost.chunk;
  chunk.flags.immediate_sack = chunk.flags.immediate_sack || probe_due_;
  write_chunk(packet, messages_[chunk.message], lost.tsn, chunk);
  return true;
}

/// How much of the message goes into what is left of this packet; 0 if the packet is better left as it is.
std::size_t Transmission::fragment_size(const OutgoingMessage& message, const PacketWriter& packet) const {
  if (packet.room() <= header_size()) return 0;
  const std::size_t room = packet.room() - header_size();
  const std::size_t rest = message.payload.size() - message.sent;
  if (rest <= room) return rest;
  if (!packet.has_chunks()) return room;
  // Cutting a message that needs no cut costs a header here and a copy there: only where much would be wasted.
  const std::size_t whole = packet_size_ - CommonHeader::kSize - header_size();
  const std::size_t least = rest > whole ? 64 : packet_size_ / 8;
  return room >= least ? room : 0;
}

bool Transmission::write_new(PacketWriter& packet, TimePoint now) {
  if (!((window_open() && !is_held_) || probe_due_) || outstanding_->full()) return false;
  const MessageIndex index = queue_.front(now, terms_.kind);
  if (index == kNoMessage) return false;
  OutgoingMessage& message = messages_[index];
  const bool begins = message.next_fragment == 0;
  if (begins && !terms_.partial_reliability) {
    message.max_retransmits.reset();
    message.expires = kNever;
  }
  if (message.expires <= now) {
    outstanding_->abandon(index);
    take_abandoned();
    return true;  // nothing is written, but there may be more
  }
  const std::size_t length = fragment_size(message, packet);
  if (length == 0) return false;
  // RFC 9260 section 6.1, rule A: into a closed window goes one chunk, when nothing else is in flight.
  const std::size_t in_flight = outstanding_->in_flight_payload();
  if (in_flight > 0 && in_flight + length > peer_window_) return false;

  if (begins) queue_.assign_number(message, terms_.kind);
  const bool ends = message.sent + length == message.payload.size();
  const bool hurry = probe_due_ || (ends && (hurried_ || congestion_->window() <= packet_size_));
  const DataFlags flags{.immediate_sack = hurry, .unordered = message.unordered, .beginning = begins, .end = ends};
  const OutstandingChunk chunk{
      index, message.sent, message.next_fragment, static_cast<std::uint16_t>(length), 1, flags, 0, 0};
  const UnwrappedTsn tsn = outstanding_->add(index, chunk.offset, chunk.length, chunk.fragment, flags, now);
  write_chunk(packet, message, tsn, chunk);
  queue_.advance(length);
  return true;
}

void Transmission::write_chunk(PacketWriter& packet, const OutgoingMessage& message, UnwrappedTsn tsn,
                               const OutstandingChunk& chunk) {
  const ByteView payload = message.payload.bytes().subspan(chunk.offset, chunk.length);
  bool fits = false;
  if (terms_.kind == DataKind::i_data) {
    fits = packet.append(IDataChunk{tsn.wire(), message.stream, Mid(message.number), message.ppid, Fsn(chunk.fragment),
                                    chunk.flags, payload});
  } else {
    fits = packet.append(DataChunk{tsn.wire(), message.stream, Ssn(static_cast<std::uint16_t>(message.number)),
                                   message.ppid, chunk.flags, payload});
  }
  assert(fits);
  static_cast<void>(fits);
}

/// What was not yet sent of an abandoned message will not be. It still takes a TSN, without which a FORWARD-TSN could
/// not tell the peer that the message ends.
void Transmission::take_abandoned() {
  for (MessageIndex index = outstanding_->poll_abandoned(); index != kNoMessage;
       index = outstanding_->poll_abandoned()) {
    if (!messages_[index].is_cut()) {
      queue_.remove_partly_sent(index);
      outstanding_->add_abandoned(index);
    }
    forward_due_ = true;
  }
}

bool Transmission::handle_sack(const SackChunk& sack, TimePoint now) {
  if (!outstanding_) return false;
  const SackOutcome outcome = outstanding_->handle_sack(sack, now);
  if (!outcome.valid) return false;
  peer_window_ = sack.a_rwnd;
  if (repeated_by_probe_) judge_probe(sack, now);
  apply(outcome, now);
  return true;
}

bool Transmission::handle_cumulative(Tsn cumulative, TimePoint now) {
  if (!outstanding_) return false;
  const SackOutcome outcome = outstanding_->handle_cumulative(cumulative, now);
  if (outcome.valid) apply(outcome, now);
  return outcome.valid;
}

void Transmission::apply(const SackOutcome& outcome, TimePoint now) {
  if (outcome.round_trip) {
    timeout_.observe(*outcome.round_trip);
    path_limit_.observe(*outcome.round_trip, now);
  }
  if (outcome.acked_bytes > 0) {
    congestion_->handle_ack({now, outcome.acked_bytes, outcome.in_flight_before, outcome.cumulative_advanced,
                             in_recovery_, outcome.round_trip.value_or(Duration{})});
  }
  if (in_recovery_ && outstanding_->cumulative() >= recovery_end_) in_recovery_ = false;
  if (outcome.lost_chunks > 0 && !in_recovery_) {
    congestion_->handle_loss(outstanding_->in_flight_bytes(), now);
    repeated_by_probe_.reset();  // answered for
    in_recovery_ = true;
    recovery_end_ = outstanding_->next_tsn().previous();
    fast_retransmit_ = true;
    arm_t3(now);
  }
  if (outstanding_->empty()) {
    t3_ = kNever;  // rule R2
  } else if (outcome.cumulative_advanced || t3_ == kNever) {
    arm_t3(now);  // rules R3 and R4
  }
  if (outcome.acked_bytes > 0) probed_ = false;
  arm_probe(now);
  const UnwrappedTsn point = outstanding_->forward_point();
  if (point > outstanding_->cumulative() && (point > forwarded_to_ || now - forwarded_at_ >= timeout_.smoothed())) {
    forward_due_ = true;
  }
}

/// RFC 8985 section 7.4: where a probe has repaired a loss that no acknowledgement told of, that was a loss all the
/// same.
void Transmission::judge_probe(const SackChunk& sack, TimePoint now) {
  for (std::size_t i = 0; i < sack.duplicate_count(); ++i) {
    if (sack.duplicate(i) == repeated_by_probe_->wire()) return repeated_by_probe_.reset();  // both have arrived
  }
  if (outstanding_->cumulative() <= *repeated_by_probe_) return;
  repeated_by_probe_.reset();
  if (!in_recovery_) congestion_->handle_loss(outstanding_->in_flight_bytes(), now);
}

void Transmission::arm_t3(TimePoint now) { t3_ = now + timeout_.value(); }

void Transmission::arm_probe(TimePoint now) {
  probe_at_ = kNever;
  if (probed_ || t3_ == kNever || timeout_.smoothed() == Duration{} || peer_window_ < packet_size_) return;
  const bool may_be_delayed = outstanding_->in_flight_bytes() <= packet_size_;
  const Duration wait =
      std::max(2 * timeout_.smoothed(), kLeastProbeWait) + (may_be_delayed ? kLongestSackDelay : Duration{});
  if (now + wait < t3_) probe_at_ = now + wait;
}

bool Transmission::handle_timeout(TimePoint now) {
  if (t3_ <= now) {
    handle_t3(now);
    return true;
  }
  if (pace_at_ <= now) pace_at_ = kNever;  // and fill() is called
  if (probe_at_ > now) return false;
  probe_at_ = kNever;
  probe_due_ = probed_ = true;
  ++probes_;
  return false;
}

void Transmission::handle_t3(TimePoint now) {
  t3_ = probe_at_ = kNever;
  probe_due_ = false;
  repeated_by_probe_.reset();  // answered for
  probed_ = true;              // until something is acknowledged
  if (!outstanding_ || outstanding_->empty()) return;
  ++timeouts_;
  congestion_->handle_timeout(now);
  timeout_.back_off();
  outstanding_->handle_timeout();
  in_recovery_ = false;
  static_cast<void>(outstanding_->next_lost(now));  // gives up what is to be given up
  take_abandoned();
  if (outstanding_->forward_point() > outstanding_->cumulative()) forward_due_ = true;
  arm_t3(now);
}

void Transmission::write_forward(PacketWriter& packet, TimePoint now) {
  if (!forward_due_ || !outstanding_) return;
  forward_due_ = false;
  const bool written = terms_.kind == DataKind::i_data
                           ? write_forward_as<IForwardTsnChunk, IForwardTsnToSend>(packet, i_skips_)
                           : write_forward_as<ForwardTsnChunk, ForwardTsnToSend>(packet, skips_);
  if (!written) return;
  forwarded_at_ = now;
  if (t3_ == kNever) arm_t3(now);
}

namespace {

bool covers(ForwardTsnChunk::Skip& skip, const OutgoingMessage& message) {
  if (skip.stream != message.stream) return false;
  skip.ssn = Ssn(static_cast<std::uint16_t>(message.number));
  return true;
}

bool covers(IForwardTsnChunk::Skip& skip, const OutgoingMessage& message) {
  if (skip.stream != message.stream || skip.unordered != message.unordered) return false;
  // Interleaved messages of a stream may end in any order: the greatest number counts.
  if (static_cast<std::int32_t>(message.number - skip.mid.value()) > 0) skip.mid = Mid(message.number);
  return true;
}

void add_skip(std::vector<ForwardTsnChunk::Skip>& skips, const OutgoingMessage& message) {
  skips.push_back({message.stream, Ssn(static_cast<std::uint16_t>(message.number))});
}

void add_skip(std::vector<IForwardTsnChunk::Skip>& skips, const OutgoingMessage& message) {
  skips.push_back({message.stream, message.unordered, Mid(message.number)});
}

}  // namespace

template <class Chunk, class ToSend>
bool Transmission::write_forward_as(PacketWriter& packet, std::vector<typename Chunk::Skip>& skips) {
  const UnwrappedTsn end = outstanding_->forward_point();
  if (end <= outstanding_->cumulative() || packet.room() < Chunk::kHeaderSize + Chunk::kSkipSize) return false;
  const std::size_t most = (packet.room() - Chunk::kHeaderSize) / Chunk::kSkipSize;
  skips.clear();
  UnwrappedTsn point = outstanding_->cumulative();
  for (; point < end; point = point.next()) {
    const OutgoingMessage& message = outstanding_->message_at(point.next());
    // RFC 3758 section 3.2 lists ordered messages only; RFC 8260 section 2.3.1 both.
    if (terms_.kind == DataKind::data && message.unordered) continue;
    if (!skips.empty() && covers(skips.back(), message)) continue;
    if (std::ranges::any_of(skips, [&](auto& skip) { return covers(skip, message); })) continue;
    if (skips.size() == most) break;
    add_skip(skips, message);
  }
  if (!packet.append(ToSend{point.wire(), skips})) return false;
  forwarded_to_ = point;
  return true;
}

}  // namespace wdc::sctp
