// SPDX-License-Identifier: MIT
#include "src/native/sctp/association.h"

#include <algorithm>
#include <cassert>

#include "src/native/sctp/packet/abort_chunk.h"
#include "src/native/sctp/packet/cookie_echo_chunk.h"
#include "src/native/sctp/packet/error_chunk.h"
#include "src/native/sctp/packet/pad_chunk.h"
#include "src/native/sctp/packet/reconfig_chunk.h"
#include "src/native/sctp/packet/reconfig_request_parameter.h"
#include "src/native/sctp/packet/shutdown_chunk.h"
#include "src/native/sctp/tx/cubic.h"

namespace wdc::sctp {
namespace {

std::unique_ptr<CongestionController> make_congestion(const AssociationOptions& options, std::size_t packet_size) {
  if (options.congestion) return options.congestion(packet_size);
  return std::make_unique<Cubic>(packet_size);
}

}  // namespace

Association::Association(AssociationOptions options, BufferPool& pool, RandomSource& random)
    : options_(std::move(options)),
      packet_size_(options_.packet_size & ~std::size_t{3}),
      pool_(pool),
      random_(random),
      cookie_key_{random.next(), random.next()},
      transmission_(packet_size_, options_.timeouts, make_congestion(options_, packet_size_)) {
  options_.receive_window = std::clamp<std::size_t>(options_.receive_window, kLeastReceiveWindow, 0xffffffff);
  options_.receive_message_size = std::min(options_.receive_message_size, options_.receive_window);
  renew_local_numbers();
}

Association::~Association() = default;

// ---- mutators

void Association::connect(TimePoint now) {
  if (state_ != State::closed) return;
  state_ = State::cookie_wait;
  init_due_ = true;
  set_up_timeout_ = options_.timeouts.initial;
  set_up_deadline_ = now + set_up_timeout_;
}

SendStatus Association::send(StreamId stream, Ppid ppid, Payload payload, const SendOptions& options, TimePoint now) {
  if (state_ > State::established) return SendStatus::closed;
  if (payload.size() == 0) return SendStatus::empty_message;
  if (payload.size() > 0x7fffffff) return SendStatus::too_large;
  if (stream.value() >= options_.streams || (is_set_up() && stream.value() >= peer_.inbound_streams)) {
    return SendStatus::no_such_stream;
  }
  if (is_resetting(stream)) return SendStatus::stream_is_resetting;
  transmission_.send(stream, ppid, std::move(payload), options, now);
  return SendStatus::ok;
}

void Association::discard(StreamId stream, Ppid kept, TimePoint now) {
  if (state_ == State::ended) return;
  transmission_.discard(stream, kept);
  go_on(now);
}

SendStatus Association::reset_stream(StreamId stream, TimePoint now) {
  if (state_ != State::established || !peer_.capabilities.stream_reset) return SendStatus::closed;
  if (stream.value() >= peer_.inbound_streams) return SendStatus::no_such_stream;
  reset_->want(stream);
  go_on(now);
  return SendStatus::ok;
}

void Association::shutdown(TimePoint now) {
  if (state_ == State::established) {
    state_ = State::shutdown_pending;
    transmission_.hurry();
    go_on(now);
  } else if (state_ < State::established) {
    abort("shut down before it was set up", now);
  }
}

void Association::abort(std::string_view detail, TimePoint) {
  if (state_ == State::ended) return;
  abort_with(CauseCode::user_initiated_abort, detail, CloseReason::aborted);
}

void Association::consumed(std::size_t bytes) {
  if (!reception_) return;
  reception_->consumed(bytes);
}

// ---- handle

void Association::handle_packets(std::span<const ByteView> packets, TimePoint now) {
  answered_stray_ = false;
  for (const ByteView packet : packets) handle_packet(packet, now);
  go_on(now);
}

void Association::handle_packet(ByteView bytes, TimePoint now) {
  ++stats_.packets_received;
  const auto packet = PacketView::parse(bytes, options_.capabilities.zero_checksum ? Checksum::zero : Checksum::crc32c);
  if (!packet) {
    ++stats_.packets_malformed;
    return;
  }
  if (packet->header.destination != options_.local_port || packet->header.source != options_.remote_port) {
    ++stats_.packets_misdirected;
    return;
  }
  const auto first = ChunkWalk(packet->chunks).next();
  if (!first) {
    ++stats_.packets_malformed;
    return;
  }
  if (!accept_tag(*packet, *first)) {
    ++stats_.packets_misdirected;
    return;
  }
  if (state_ == State::ended ||
      (state_ == State::closed && first->type != ChunkType::init && first->type != ChunkType::cookie_echo)) {
    handle_stray(*packet, *first);
    return;
  }
  handle_chunks(*packet, now);
}

/// RFC 9260 section 8.5 and its exceptions.
bool Association::accept_tag(const PacketView& packet, const ChunkView& first) {
  const VerificationTag tag = packet.header.tag;
  switch (first.type) {
    case ChunkType::init:
      return tag == VerificationTag(0);
    case ChunkType::abort:
    case ChunkType::shutdown_complete:
      return tag_kind(first.flags) == TagKind::own ? tag == local_tag_ : is_set_up() && tag == peer_.tag;
    case ChunkType::shutdown_ack:
      // In these states it is of an association before this one, and is answered with its own tag.
      return tag == local_tag_ || state_ == State::cookie_wait || state_ == State::cookie_echoed;
    case ChunkType::cookie_echo:
      return true;  // the cookie itself says which tag it takes
    default:
      return tag == local_tag_;
  }
}

/// What comes for an association that is not there (RFC 9260 section 8.4): at most one answer a burst.
void Association::handle_stray(const PacketView& packet, const ChunkView& first) {
  if (std::exchange(answered_stray_, true)) return;
  if (first.type == ChunkType::abort || first.type == ChunkType::shutdown_complete || first.type == ChunkType::init ||
      first.type == ChunkType::cookie_ack || first.type == ChunkType::error) {
    return;
  }
  if (first.type == ChunkType::shutdown_ack) {
    answer(packet.header.tag, BareChunk{ChunkType::shutdown_complete, TagKind::reflected});
  } else {
    answer(packet.header.tag, AbortChunk{TagKind::reflected, {}});
  }
}

void Association::handle_chunks(const PacketView& packet, TimePoint now) {
  ChunkWalk walk(packet.chunks);
  while (const auto chunk = walk.next()) {
    if (!handle_chunk(packet, *chunk, now)) break;
    if (state_ == State::ended) return;
  }
  if (walk.malformed()) ++stats_.packets_malformed;
  if (reception_) reception_->handle_packet_end(now);
}

bool Association::handle_chunk(const PacketView& packet, const ChunkView& chunk, TimePoint now) {
  switch (chunk.type) {
    case ChunkType::init:
      handle_init(packet, chunk, now);
      return false;  // nothing else may be with it
    case ChunkType::init_ack:
      handle_init_ack(chunk, now);
      return false;
    case ChunkType::cookie_echo:
      return handle_cookie_echo(packet, chunk, now);
    case ChunkType::cookie_ack:
      handle_cookie_ack(now);
      return true;
    case ChunkType::abort:
      handle_abort(chunk);
      return false;
    case ChunkType::error:
      handle_error(chunk, now);
      return true;
    case ChunkType::shutdown_ack:
      handle_shutdown_ack(packet);
      return true;
    case ChunkType::shutdown_complete:
      if (state_ == State::shutdown_ack_sent) end(CloseReason::shutdown, CauseCode::none, {});
      return false;
    case ChunkType::pad:
      return true;
    default:
      break;
  }
  switch (chunk.type) {
    case ChunkType::data:
    case ChunkType::i_data:
    case ChunkType::sack:
    case ChunkType::forward_tsn:
    case ChunkType::i_forward_tsn:
    case ChunkType::heartbeat:
    case ChunkType::heartbeat_ack:
    case ChunkType::reconfig:
    case ChunkType::shutdown:
      break;
    default:
      return handle_unknown(chunk);
  }
  if (!is_set_up()) return true;  // it overtook the COOKIE ACK, and will be sent again
  switch (chunk.type) {
    case ChunkType::data:
      handle_data<DataChunk>(chunk, DataKind::data, now);
      break;
    case ChunkType::i_data:
      handle_data<IDataChunk>(chunk, DataKind::i_data, now);
      break;
    case ChunkType::forward_tsn:
      handle_forward<ForwardTsnChunk>(chunk, DataKind::data, now);
      break;
    case ChunkType::i_forward_tsn:
      handle_forward<IForwardTsnChunk>(chunk, DataKind::i_data, now);
      break;
    case ChunkType::sack:
      handle_sack(chunk, now);
      break;
    case ChunkType::heartbeat:
      handle_heartbeat(chunk);
      break;
    case ChunkType::heartbeat_ack:
      handle_heartbeat_ack(chunk, now);
      break;
    case ChunkType::reconfig:
      handle_reconfig(chunk, now);
      break;
    default:
      handle_shutdown(chunk, now);
      break;
  }
  return true;
}

// ---- data

template <class Chunk>
void Association::handle_data(const ChunkView& chunk, DataKind kind, TimePoint now) {
  // Only until the peer has nothing more to send (section 9.2).
  if (state_ == State::shutdown_received || state_ == State::shutdown_ack_sent) return;
  const auto data = Chunk::parse(chunk);
  if (!data) {
    ++stats_.packets_malformed;
    return;
  }
  if (kind != reception_->kind()) return violate("DATA and I-DATA mixed");  // RFC 8260 section 2.2.1
  if (data->payload.empty()) {
    std::array<std::byte, 4> tsn{};
    store_big_endian(tsn.data(), data->tsn.value());
    return abort_with(CauseCode::no_user_data, text_of(tsn), CloseReason::protocol_violation);
  }
  if (data->stream.value() >= options_.streams) {
    std::array<std::byte, 4> information{};
    store_big_endian(information.data(), data->stream.value());
    answer(peer_.tag, ErrorChunk{{CauseCode::invalid_stream_identifier, information}});
    return;
  }
  switch (reception_->handle_data(*data)) {
    case Reception::Outcome::fine:
      break;
    case Reception::Outcome::inconsistent:
      return violate("fragments that contradict one another");
    case Reception::Outcome::too_large:
      return violate("a message of more than " + std::to_string(options_.receive_message_size) + " bytes");
  }
  if (state_ == State::shutdown_sent) {  // section 9.2: it has not seen our SHUTDOWN
    shutdown_due_ = true;
    shutdown_deadline_ = now + transmission_.timeout().value();
    reception_->request_sack();
  }
}

template <class Chunk>
void Association::handle_forward(const ChunkView& chunk, DataKind kind, TimePoint) {
  if (!peer_.capabilities.partial_reliability || kind != reception_->kind()) {
    ++stats_.unknown_chunks;  // not agreed on
    return;
  }
  const auto forward = Chunk::parse(chunk);
  if (!forward) {
    ++stats_.packets_malformed;
    return;
  }
  reception_->handle_forward(*forward);
}

void Association::handle_sack(const ChunkView& chunk, TimePoint now) {
  if (state_ == State::cookie_echoed) return;
  const auto sack = SackChunk::parse(chunk);
  if (!sack) {
    ++stats_.packets_malformed;
    return;
  }
  if (transmission_.handle_sack(*sack, now)) {
    errors_ = 0;
  } else {
    ++stats_.sacks_refused;
  }
}

bool Association::handle_unknown(const ChunkView& chunk) {
  ++stats_.unknown_chunks;
  const UnknownTypeRule rule = unknown_chunk_rule(static_cast<std::uint8_t>(chunk.type));
  if (rule.reports && is_set_up()) answer(peer_.tag, ErrorChunk{{CauseCode::unrecognized_chunk_type, chunk.bytes}});
  return rule.goes_on;
}

// ---- stream reset

void Association::handle_reconfig(const ChunkView& chunk, TimePoint now) {
  if (!peer_.capabilities.stream_reset) {
    ++stats_.unknown_chunks;
    return;
  }
  auto parameters = ReconfigChunk::parameters(chunk);
  while (const auto parameter = parameters.next()) {
    if (parameter->type == ParameterType::outgoing_reset_request) {
      const auto request = OutgoingResetParameter::parse(*parameter);
      if (!request) break;
      if (reset_->handle_request(*request, reception_->cumulative()) == StreamReset::Verdict::perform)
        perform_peer_reset();
    } else if (parameter->type == ParameterType::reconfig_response) {
      const auto response = ReconfigResponseParameter::parse(*parameter);
      if (!response) break;
      const auto reply = reset_->handle_response(*response, now, transmission_.timeout().value());
      if (reply == StreamReset::Answer::ignored) continue;
      errors_ = 0;
      const bool performed = reply == StreamReset::Answer::done;
      for (const StreamId stream : reset_->requested()) {
        if (performed) transmission_.queue().reset_numbers(stream);
      }
      events_.push(ResetEvent{reset_->requested(), performed});
      reset_->forget_requested();
    } else if (ReconfigRequestParameter::is(parameter->type)) {
      if (const auto request = ReconfigRequestParameter::parse(*parameter)) reset_->handle_denied(request->request);
    }
  }
  if (parameters.malformed()) ++stats_.packets_malformed;
}

void Association::perform_peer_reset() {
  const std::vector<StreamId>& streams = reset_->peer_streams();
  for (const StreamId stream : streams) reception_->reset_stream(stream);
  if (streams.empty()) reception_->reset_all_streams();
  events_.push(PeerResetEvent{streams});
  reset_->performed();
}

// ---- time

TimePoint Association::next_deadline() const {
  if (state_ == State::ended) return kNever;
  TimePoint deadline = std::min({set_up_deadline_, shutdown_deadline_, heartbeat_deadline_, transmission_.deadline()});
  if (reception_) deadline = std::min(deadline, reception_->deadline());
  if (reset_) deadline = std::min(deadline, reset_->deadline());
  return deadline;
}

void Association::handle_timeout(TimePoint now) {
  if (set_up_deadline_ <= now) handle_set_up_timeout(now);
  if (state_ == State::ended || state_ == State::closed || state_ == State::cookie_wait) return;
  if (reception_->deadline() <= now) reception_->handle_timeout();
  if (transmission_.deadline() <= now && transmission_.handle_timeout(now)) count_error();
  if (state_ != State::ended && reset_->deadline() <= now && reset_->handle_timeout()) {
    transmission_.timeout().back_off();
    count_error();
  }
  if (shutdown_deadline_ <= now) handle_shutdown_timeout(now);
  if (heartbeat_deadline_ <= now) handle_heartbeat_timeout(now);
  if (state_ != State::ended) go_on(now);
}

/// What may go on now that something has happened.
void Association::go_on(TimePoint now) {
  if (!is_set_up() || state_ == State::cookie_echoed) return;
  if (reset_->poll_waiting(reception_->cumulative())) perform_peer_reset();
  if (reset_->has_wanted() && !reset_->is_under_way()) {
    const std::size_t most =
        (packet_size_ - CommonHeader::kSize - kChunkHeaderSize - OutgoingResetParameter::kHeaderSize) /
        OutgoingResetParameter::kStreamSize;
    reset_->begin([&](StreamId stream) { return transmission_.queue().is_idle(stream); },
                  transmission_.last_assigned_tsn(), most);
  }
  if (!transmission_.is_done()) return;
  if (state_ == State::shutdown_pending) {
    state_ = State::shutdown_sent;
    shutdown_due_ = true;
    shutdown_deadline_ = now + transmission_.timeout().value();
  } else if (state_ == State::shutdown_received) {
    state_ = State::shutdown_ack_sent;
    shutdown_ack_due_ = true;
    shutdown_deadline_ = now + transmission_.timeout().value();
  }
}

// ---- poll

bool Association::is_set_up() const { return state_ >= State::cookie_echoed && state_ != State::ended; }

bool Association::may_send_data() const {
  return state_ == State::established || state_ == State::shutdown_pending || state_ == State::shutdown_received;
}

Checksum Association::outgoing_checksum() const {
  return peer_.capabilities.zero_checksum ? Checksum::zero : Checksum::crc32c;
}

void Association::poll_transmit(PacketTrain& train, TimePoint now) {
  assert(train.empty() && train.capacity() > 0 && train.packet_size() >= packet_size_);
  if (!control_.empty()) {
    control_.drain_to(train);
  } else if (state_ != State::ended) {
    transmit_control(train, now);
    if (train.empty() && may_send_data()) transmit_data(train, now);
  }
  stats_.packets_sent += train.count();
}

/// One packet of everything that is not data, and of a little data where there is no more.
void Association::transmit_control(PacketTrain& train, TimePoint now) {
  const MutableByteView slot = train.slot().first(packet_size_);
  if (std::exchange(init_due_, false)) {
    CommonHeader first = header();
    first.tag = VerificationTag(0);
    PacketWriter packet(slot, first);
    if (packet.append(our_init(ChunkType::init, local_tag_, local_initial_tsn_)))
      train.push(packet.finish(Checksum::crc32c));
    return;
  }
  if (!is_set_up()) return;
  PacketWriter packet(slot, header());
  if (std::exchange(cookie_echo_due_, false)) {
    static_cast<void>(packet.append(CookieEchoChunk{peer_cookie_}));
    // Section 5.1: reports go with the cookie, if they fit.
    if (!unrecognized_parameters_.empty()) {
      static_cast<void>(packet.append(ErrorChunk{{CauseCode::unrecognized_parameters, unrecognized_parameters_}}));
    }
    train.push(packet.finish(Checksum::crc32c));
    return;
  }
  if (cookie_ack_due_ && packet.append(BareChunk{ChunkType::cookie_ack})) cookie_ack_due_ = false;
  if (state_ == State::cookie_echoed) return;
  // RFC 9260 section 6.1: an answer takes the acknowledgement with it. Only where all of it fits, as a train of data
  // has no room for anything else.
  const std::size_t queued = transmission_.queue().buffered();
  const bool takes_data = may_send_data() && queued > 0 && queued <= packet_size_ / 2;
  if (takes_data && reception_->has_unacknowledged()) reception_->request_sack();
  if (reception_->wants_sack()) reception_->write_sacks(packet);
  if (transmission_.wants_forward()) transmission_.write_forward(packet, now);
  if (reset_->wants_to_write()) reset_->write(packet, now, transmission_.timeout().value());
  if (heartbeat_due_) {
    heartbeat_due_ = false;
    heartbeat_nonce_ = random_.next();
    heartbeat_sent_ = now;
    std::array<std::byte, sizeof heartbeat_nonce_> info{};
    store_big_endian(info.data(), heartbeat_nonce_);
    static_cast<void>(packet.append(HeartbeatChunk{ChunkType::heartbeat, info}));
  }
  if (shutdown_due_ && packet.append(ShutdownChunk{reception_->cumulative().wire()})) shutdown_due_ = false;
  if (shutdown_ack_due_ && packet.append(BareChunk{ChunkType::shutdown_ack})) shutdown_ack_due_ = false;
  if (!packet.has_chunks()) return;
  if (takes_data) static_cast<void>(transmission_.fill(packet, now));
  train.push(packet.finish(outgoing_checksum()));
}

/// Data packets of one size: each is topped up as soon as it is known that another follows.
void Association::transmit_data(PacketTrain& train, TimePoint now) {
  const Checksum checksum = outgoing_checksum();
  std::optional<PacketWriter> last;
  while (train.count() + (last ? 1 : 0) < train.capacity()) {
    PacketWriter packet(train.slot(last ? 1 : 0).first(packet_size_), header());
    if (!transmission_.fill(packet, now)) break;
    if (last) {
      if (last->room() > 0) static_cast<void>(last->append(PadChunk{last->room()}));
      train.push(last->finish(checksum));
    }
    last = packet;
  }
  if (last) train.push(last->finish(checksum));
  if (train.empty() || !reset_->has_wanted()) return;
  go_on(now);  // a stream to be reset may have nothing queued now
}

std::optional<Event> Association::poll_event() {
  if (const auto stream = transmission_.queue().poll_low()) return BufferedLowEvent{*stream};
  if (events_.empty()) return std::nullopt;
  return events_.pop();
}

std::optional<ReceivedMessage> Association::poll_message() {
  return reception_ ? reception_->poll_message() : std::nullopt;
}

AssociationStats Association::stats() const {
  AssociationStats stats = stats_;
  if (reception_) {
    stats.duplicate_chunks = reception_->duplicates();
    stats.unread_bytes = reception_->reassembly().held_bytes();
  }
  stats.retransmissions = transmission_.retransmissions();
  stats.timeouts = transmission_.timeouts();
  stats.probes = transmission_.probes();
  stats.abandoned_messages = transmission_.abandoned_messages();
  stats.in_flight_bytes = transmission_.in_flight_bytes();
  stats.congestion_window = transmission_.congestion().window();
  stats.smoothed_round_trip = transmission_.timeout().smoothed();
  return stats;
}

}  // namespace wdc::sctp
