// SPDX-License-Identifier: MIT
// How an association ends: shutdown (RFC 9260 section 9), abort, and a path that has failed (section 8).
#include <algorithm>
#include <cassert>

#include "src/native/sctp/association.h"
#include "src/native/sctp/packet/abort_chunk.h"
#include "src/native/sctp/packet/shutdown_chunk.h"

namespace wdc::sctp {

void Association::handle_abort(const ChunkView& chunk) {
  const AbortChunk abort = AbortChunk::parse(chunk);
  end(CloseReason::aborted_by_peer, abort.cause.code, text_of(abort.cause.information));
}

void Association::handle_shutdown(const ChunkView& chunk, TimePoint now) {
  const auto shutdown = ShutdownChunk::parse(chunk);
  if (!shutdown) {
    ++stats_.packets_malformed;
    return;
  }
  if (state_ == State::cookie_echoed) return;
  transmission_.handle_cumulative(shutdown->cumulative_tsn, now);
  switch (state_) {
    case State::established:
    case State::shutdown_pending:
      state_ = State::shutdown_received;
      transmission_.hurry();
      break;
    case State::shutdown_sent:  // both at once
    case State::shutdown_ack_sent:
      state_ = State::shutdown_ack_sent;
      shutdown_due_ = false;
      shutdown_ack_due_ = true;
      shutdown_deadline_ = now + transmission_.timeout().value();
      break;
    default:
      break;
  }
}

void Association::handle_shutdown_ack(const PacketView& packet) {
  switch (state_) {
    case State::shutdown_sent:
    case State::shutdown_ack_sent:
      answer(peer_.tag, BareChunk{ChunkType::shutdown_complete});
      end(CloseReason::shutdown, CauseCode::none, {});
      break;
    case State::cookie_wait:
    case State::cookie_echoed:  // section 8.5.1, rule E
      answer(packet.header.tag, BareChunk{ChunkType::shutdown_complete, TagKind::reflected});
      break;
    default:
      break;
  }
}

void Association::violate(std::string_view detail) {
  abort_with(CauseCode::protocol_violation, detail, CloseReason::protocol_violation);
}

void Association::abort_with(CauseCode cause, std::string_view detail, CloseReason reason) {
  if (state_ >= State::cookie_echoed || peer_.tag != VerificationTag(0)) {
    constexpr std::size_t kMostDetail = 128;
    answer(peer_.tag, AbortChunk{TagKind::own, {cause, bytes_of(detail.substr(0, kMostDetail))}});
  }
  end(reason, cause, detail);
}

void Association::end(CloseReason reason, CauseCode cause, std::string_view detail) {
  assert(state_ != State::ended);
  state_ = State::ended;
  transmission_.stop();
  init_due_ = cookie_echo_due_ = cookie_ack_due_ = heartbeat_due_ = shutdown_due_ = shutdown_ack_due_ = false;
  set_up_deadline_ = shutdown_deadline_ = heartbeat_deadline_ = kNever;
  events_.push(ClosedEvent{reason, cause, std::string(detail)});
}

void Association::handle_shutdown_timeout(TimePoint now) {
  count_error();
  if (state_ == State::ended) return;
  transmission_.timeout().back_off();
  shutdown_deadline_ = now + transmission_.timeout().value();
  (state_ == State::shutdown_ack_sent ? shutdown_ack_due_ : shutdown_due_) = true;
}

// ---- the path

void Association::handle_heartbeat(const ChunkView& chunk) {
  const auto heartbeat = HeartbeatChunk::parse(chunk);
  if (!heartbeat) {
    ++stats_.packets_malformed;
    return;
  }
  answer(peer_.tag, HeartbeatChunk{ChunkType::heartbeat_ack, heartbeat->info});
}

void Association::handle_heartbeat_ack(const ChunkView& chunk, TimePoint now) {
  const auto heartbeat = HeartbeatChunk::parse(chunk);
  if (!heartbeat || heartbeat->info.size() != sizeof heartbeat_nonce_ || heartbeat_sent_ == kNever ||
      load_big_endian<std::uint64_t>(heartbeat->info.data()) != heartbeat_nonce_) {
    return;
  }
  transmission_.timeout().observe(now - std::exchange(heartbeat_sent_, kNever));
  errors_ = 0;
}

void Association::arm_heartbeat(TimePoint now) {
  heartbeat_sent_ = kNever;
  heartbeat_deadline_ = kNever;
  if (options_.heartbeat_interval <= Duration{}) return;
  heartbeat_deadline_ = now + options_.heartbeat_interval + transmission_.timeout().value();
}

void Association::handle_heartbeat_timeout(TimePoint now) {
  if (state_ == State::ended) return;
  if (std::exchange(heartbeat_sent_, kNever) != kNever) {  // the last one was not answered
    transmission_.timeout().back_off();
    count_error();
    if (state_ == State::ended) return;
  }
  // Section 8.3: only an idle path needs one; while data is in flight, T3 watches it. The interval is jittered.
  heartbeat_due_ = transmission_.in_flight_bytes() == 0;
  const Duration rto = transmission_.timeout().value();
  const Duration jitter(static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(rto.count())) -
                        rto.count() / 2);
  // One that failed is repeated after the timeout, so that a dead path is noticed.
  heartbeat_deadline_ = now + rto + (errors_ > 0 ? Duration{} : options_.heartbeat_interval + jitter);
}

/// RFC 9260 section 8.1.
void Association::count_error() {
  if (state_ == State::ended || ++errors_ <= options_.max_retransmits) return;
  abort_with(CauseCode::none, {}, CloseReason::timed_out);
}

}  // namespace wdc::sctp
