// SPDX-License-Identifier: MIT
// How an association begins (RFC 9260 section 5): INIT, cookies, both ends at once, restart.
#include <algorithm>

#include "src/native/sctp/association.h"
#include "src/native/sctp/packet/abort_chunk.h"
#include "src/native/sctp/packet/cookie_echo_chunk.h"
#include "src/native/sctp/packet/error_chunk.h"

namespace wdc::sctp {
namespace {

/// RFC 9260 sections 3.3.2 and 3.3.3.
bool is_acceptable(const InitChunk& init) {
  return init.a_rwnd >= kLeastReceiveWindow && init.outbound_streams > 0 && init.inbound_streams > 0;
}

/// A tag is never zero (RFC 9260 section 3.3.2).
VerificationTag random_tag(RandomSource& random) {
  for (;;) {
    if (const auto tag = static_cast<std::uint32_t>(random.next()); tag != 0) return VerificationTag(tag);
  }
}

}  // namespace

void Association::renew_local_numbers() {
  local_tag_ = random_tag(random_);
  local_initial_tsn_ = Tsn(static_cast<std::uint32_t>(random_.next()));
}

InitToSend Association::our_init(ChunkType type, VerificationTag tag, Tsn tsn) const {
  return {type,
          tag,
          static_cast<std::uint32_t>(options_.receive_window),
          options_.streams,
          options_.streams,
          tsn,
          options_.capabilities,
          {},
          {}};
}

void Association::handle_init(const PacketView& packet, const ChunkView& chunk, TimePoint now) {
  const auto init = InitChunk::parse(chunk);
  const bool is_alone = padded(chunk.bytes.size()) >= packet.chunks.size();
  if (!init || !is_alone || init->initiate_tag == VerificationTag(0)) {
    ++stats_.packets_malformed;
    return;
  }
  if (!is_acceptable(*init)) {
    answer(init->initiate_tag, AbortChunk{TagKind::own, {CauseCode::invalid_mandatory_parameter, {}}});
    return;
  }
  if (state_ == State::shutdown_ack_sent) {  // section 9.2: finish first
    shutdown_ack_due_ = true;
    return;
  }
  StateCookie cookie;
  cookie.created = now;
  cookie.peer_tag = init->initiate_tag;
  cookie.peer_initial_tsn = init->initial_tsn;
  cookie.peer_window = init->a_rwnd;
  cookie.peer_outbound_streams = init->outbound_streams;
  cookie.peer_inbound_streams = init->inbound_streams;
  cookie.peer_capabilities = init->capabilities;
  if (is_set_up()) {  // section 5.2.2: maybe a restart, and only its cookie will tell
    cookie.local_tag = random_tag(random_);
    cookie.local_initial_tsn = Tsn(static_cast<std::uint32_t>(random_.next()));
    cookie.local_tie_tag = local_tag_;
    cookie.peer_tie_tag = peer_.tag;
  } else {  // section 5.2.1: the same numbers as in our own INIT
    cookie.local_tag = local_tag_;
    cookie.local_initial_tsn = local_initial_tsn_;
  }
  const StateCookie::Bytes bytes = cookie.sign(cookie_key_);
  InitToSend reply = our_init(ChunkType::init_ack, cookie.local_tag, cookie.local_initial_tsn);
  reply.cookie = bytes;
  const std::span unrecognized = std::span(init->unrecognized).first(init->unrecognized_count);
  reply.unrecognized = unrecognized;
  // Reports are left out where they make the packet too large.
  if (CommonHeader::kSize + reply.size() > packet_size_) reply.unrecognized = {};
  answer(init->initiate_tag, reply);
}

void Association::handle_init_ack(const ChunkView& chunk, TimePoint now) {
  if (state_ != State::cookie_wait) return;  // section 5.2.3
  const auto init = InitChunk::parse(chunk);
  if (!init) {
    ++stats_.packets_malformed;
    return;
  }
  // It came with our tag: whoever sent it is the peer, and will not send another (section 3.3.3, erratum 7148).
  peer_.tag = init->initiate_tag;
  if (peer_.tag == VerificationTag(0) || !is_acceptable(*init)) {
    return abort_with(CauseCode::invalid_mandatory_parameter, {}, CloseReason::protocol_violation);
  }
  if (init->cookie.empty() || kChunkHeaderSize + init->cookie.size() + CommonHeader::kSize > packet_size_) {
    return abort_with(CauseCode::missing_mandatory_parameter, {}, CloseReason::protocol_violation);
  }
  peer_cookie_.assign(init->cookie.begin(), init->cookie.end());
  unrecognized_parameters_.clear();
  for (const ByteView parameter : std::span(init->unrecognized).first(init->unrecognized_count)) {
    unrecognized_parameters_.resize(padded(unrecognized_parameters_.size()));
    unrecognized_parameters_.insert(unrecognized_parameters_.end(), parameter.begin(), parameter.end());
  }
  set_up({init->initiate_tag, init->initial_tsn, init->a_rwnd, init->outbound_streams, init->inbound_streams,
          init->capabilities});
  state_ = State::cookie_echoed;
  cookie_echo_due_ = true;
  init_due_ = false;
  set_up_attempts_ = 0;
  set_up_timeout_ = options_.timeouts.initial;
  set_up_deadline_ = now + set_up_timeout_;
}

void Association::set_up(const Peer& peer) {
  peer_ = peer;
  // What both can do; a zero checksum is agreed for each direction by its receiver (RFC 9653 section 5.1).
  const Capabilities& ours = options_.capabilities;
  peer_.capabilities.partial_reliability &= ours.partial_reliability;
  peer_.capabilities.message_interleaving &= ours.message_interleaving;
  peer_.capabilities.stream_reset &= ours.stream_reset;
  peer_.inbound_streams = std::min(peer.inbound_streams, options_.streams);
  const DataKind kind = peer_.capabilities.message_interleaving ? DataKind::i_data : DataKind::data;
  transmission_.start({local_initial_tsn_, peer.window, kind, peer_.capabilities.partial_reliability});
  reception_ = std::make_unique<Reception>(
      Reception::Terms{
          peer.initial_tsn, kind, options_.sack_rate, {options_.receive_window, options_.receive_message_size}},
      pool_, random_.next());
  reset_ = std::make_unique<StreamReset>(local_initial_tsn_, peer.initial_tsn);
}

bool Association::handle_cookie_echo(const PacketView& packet, const ChunkView& chunk, TimePoint now) {
  const auto cookie = StateCookie::open(CookieEchoChunk::parse(chunk).cookie, cookie_key_);
  if (!cookie || packet.header.tag != cookie->local_tag) {
    ++stats_.cookies_refused;
    return false;
  }
  const bool is_known = is_set_up() && cookie->local_tag == local_tag_ && cookie->peer_tag == peer_.tag;
  if (const Duration age = now - cookie->created; age > options_.cookie_lifetime && !is_known) {
    ++stats_.cookies_refused;
    const auto staleness =
        std::chrono::duration_cast<std::chrono::microseconds>(age - options_.cookie_lifetime).count();
    std::array<std::byte, 4> information{};
    store_big_endian(information.data(), static_cast<std::uint32_t>(std::min<std::int64_t>(staleness, 0xffffffff)));
    answer(cookie->peer_tag, ErrorChunk{{CauseCode::stale_cookie, information}});
    return false;
  }
  if (!accept_cookie(*cookie, now)) {
    ++stats_.cookies_refused;
    return false;
  }
  return true;
}

/// RFC 9260 section 5.2.4, table 12.
bool Association::accept_cookie(const StateCookie& cookie, TimePoint now) {
  const Peer peer{cookie.peer_tag,
                  cookie.peer_initial_tsn,
                  cookie.peer_window,
                  cookie.peer_outbound_streams,
                  cookie.peer_inbound_streams,
                  cookie.peer_capabilities};
  const bool local_matches = cookie.local_tag == local_tag_;
  switch (state_) {
    case State::ended:
      return false;
    case State::closed:
    case State::cookie_wait:  // action B, with no tag of the peer's known yet
      if (!local_matches) return false;
      set_up(peer);
      become_established(now);
      events_.push(connected_event());
      cookie_ack_due_ = true;
      return true;
    default:
      break;
  }
  if (local_matches && cookie.peer_tag == peer_.tag) {  // action D
    handle_cookie_ack(now);
    cookie_ack_due_ = true;
    return true;
  }
  if (local_matches) {  // action B: both sent INITs, and the peer answered ours under another tag
    if (state_ != State::cookie_echoed) return false;
    set_up(peer);
    become_established(now);
    events_.push(connected_event());
    cookie_ack_due_ = true;
    return true;
  }
  const bool tie_matches = cookie.local_tie_tag == local_tag_ && cookie.peer_tie_tag == peer_.tag;
  if (!tie_matches || cookie.peer_tag == peer_.tag) return false;  // action C and everything else
  if (state_ == State::shutdown_ack_sent) {                        // section 9.2: the old association is finished first
    shutdown_ack_due_ = true;
    return false;
  }
  restart(cookie, now);  // action A
  return true;
}

void Association::restart(const StateCookie& cookie, TimePoint now) {
  transmission_.stop();
  local_tag_ = cookie.local_tag;
  local_initial_tsn_ = cookie.local_initial_tsn;
  set_up({cookie.peer_tag, cookie.peer_initial_tsn, cookie.peer_window, cookie.peer_outbound_streams,
          cookie.peer_inbound_streams, cookie.peer_capabilities});
  shutdown_due_ = shutdown_ack_due_ = heartbeat_due_ = false;
  shutdown_deadline_ = kNever;
  become_established(now);
  events_.push(RestartedEvent{connected_event()});
  cookie_ack_due_ = true;
}

ConnectedEvent Association::connected_event() const {
  return {peer_.capabilities, peer_.inbound_streams, std::min(peer_.outbound_streams, options_.streams)};
}

void Association::become_established(TimePoint now) {
  state_ = State::established;
  init_due_ = cookie_echo_due_ = false;
  set_up_deadline_ = kNever;
  peer_cookie_.clear();
  unrecognized_parameters_.clear();
  errors_ = 0;
  arm_heartbeat(now);
}

void Association::handle_cookie_ack(TimePoint now) {
  if (state_ != State::cookie_echoed) return;
  become_established(now);
  events_.push(connected_event());
}

void Association::handle_error(const ChunkView& chunk, TimePoint now) {
  const ErrorCause cause = ErrorChunk::parse(chunk).cause;
  if (cause.code != CauseCode::stale_cookie || state_ != State::cookie_echoed) return;
  // Section 5.2.6: begin again. The attempts are counted together with the lost ones.
  state_ = State::cookie_wait;
  cookie_echo_due_ = false;
  handle_set_up_timeout(now);
}

void Association::handle_set_up_timeout(TimePoint now) {
  if (++set_up_attempts_ > options_.max_init_retransmits) {
    return end(CloseReason::timed_out, CauseCode::none, "no answer to the association's set-up");
  }
  set_up_timeout_ = std::min(2 * set_up_timeout_, options_.timeouts.max);
  set_up_deadline_ = now + set_up_timeout_;
  (state_ == State::cookie_wait ? init_due_ : cookie_echo_due_) = true;
}

}  // namespace wdc::sctp
