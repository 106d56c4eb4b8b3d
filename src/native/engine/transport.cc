// SPDX-License-Identifier: MIT
#include "src/native/engine/transport.h"

#include <algorithm>
#include <string>
#include <utility>

namespace wdc::native {

namespace {

/// RFC 7983 section 7, of the protocols that are spoken here.
bool looks_like_dtls(dtls::ByteView datagram) {
  return !datagram.empty() && std::to_integer<unsigned>(datagram[0]) >= 20 &&
         std::to_integer<unsigned>(datagram[0]) <= 63;
}

sctp::StreamId stream_of(dcep::ChannelId id) { return sctp::StreamId(id.value()); }
dcep::ChannelId channel_of(sctp::StreamId id) { return dcep::ChannelId(id.value()); }

std::optional<Error> error_of(const sctp::ClosedEvent& closed) {
  switch (closed.reason) {
    case sctp::CloseReason::shutdown:
    case sctp::CloseReason::aborted:
      return std::nullopt;
    case sctp::CloseReason::aborted_by_peer:
      // RFC 9260 section 3.3.10.12: how a user says that it is going. Browsers say so when a connection is closed.
      if (closed.cause == sctp::CauseCode::user_initiated_abort || closed.cause == sctp::CauseCode::none)
        return std::nullopt;
      return Error(Errc::transport_error, "the peer has aborted the SCTP association, cause " +
                                              std::to_string(static_cast<unsigned>(closed.cause)));
    case sctp::CloseReason::timed_out:
      return Error(Errc::peer_lost, "SCTP: the peer does not acknowledge");
    case sctp::CloseReason::protocol_violation:
      return Error(Errc::transport_error, "SCTP: the peer broke the protocol: " + closed.detail);
  }
  return std::nullopt;
}

/// As many come at once where little is sent.
constexpr std::size_t kIdleDatagrams = 4;

sctp::AssociationOptions association_options(const TransportOptions& options, std::uint16_t remote_port) {
  auto made = options.sctp;
  made.remote_port = sctp::Port(remote_port);
  made.packet_size = options.datagram_size - dtls::kHeadRoom - dtls::kTailRoom;
  made.capabilities.zero_checksum = true;  // RFC 9653: DTLS has found every error already
  return made;
}

}  // namespace

Transport::Transport(const TransportOptions& options, const TransportShared& shared)
    : options_(options), shared_(shared), ice_(options.ice, shared.random) {}

Result<void> Transport::start(TransportStart start, TimePoint now) {
  auto dtls_options = options_.dtls;
  dtls_options.role = start.role;
  session_.emplace(shared_.dtls, dtls_options);
  if (auto set = session_->set_remote_fingerprints(std::move(start.fingerprints)); !set) {
    session_.reset();
    return set;
  }
  association_.emplace(association_options(options_, start.remote_sctp_port), shared_.buffers, shared_.random);
  const auto role = start.role == dtls::Role::client ? dcep::DtlsRole::client : dcep::DtlsRole::server;
  channels_.emplace(role, options_.sctp.streams);
  state_ = State::connecting;
  release_early(now);
  return {};
}

// ---- in

void Transport::handle_datagrams(const ice::Path& path, std::span<const dtls::MutableByteView> datagrams,
                                 TimePoint now) {
  if (state_ == State::down) return;  // a peer that has missed our goodbye is to notice by our silence
  dtls_datagrams_.clear();
  if (datagrams.size() > kIdleDatagrams) {  // no longer idle: room for the longest burst
    dtls_datagrams_.reserve(sctp::PacketTrain::kMostPackets);
    packets_.reserve(sctp::PacketTrain::kMostPackets);
  }
  for (const auto datagram : datagrams) {
    if (looks_like_dtls(datagram)) {
      dtls_datagrams_.push_back(datagram);
    } else if (ice::looks_like_stun(datagram)) {
      (void)ice_.handle_datagram(datagram, path, now);
    } else {
      ++stats_.datagrams_unknown;
    }
  }
  if (!dtls_datagrams_.empty()) {
    if (ice_.may_receive(path) && session_started_) {
      handle_dtls(now);
    } else {
      for (const auto datagram : dtls_datagrams_) {
        if (early_.size() >= options_.early_datagrams || datagram.size() > options_.datagram_size * 2)
          ++stats_.datagrams_unchecked;
        else
          early_.push_back({path, {datagram.begin(), datagram.end()}});
      }
    }
  }
  release_early(now);
}

void Transport::release_early(TimePoint now) {
  if (!session_) return;
  if (!session_started_) {
    // A server may be spoken to as soon as a path is checked; a client needs one that it may use.
    if (!ice_.selected_path()) return;
    session_started_ = true;
    session_->start(now);
    take_session_events(now);
  }
  if (early_.empty()) return;
  auto early = std::exchange(early_, {});
  for (auto& datagram : early) {
    if (!ice_.may_receive(datagram.path)) {
      early_.push_back(std::move(datagram));
      continue;
    }
    dtls_datagrams_.assign(1, dtls::MutableByteView(datagram.bytes));
    handle_dtls(now);
  }
}

void Transport::handle_dtls(TimePoint now) {
  const auto texts = session_->handle_datagrams(dtls_datagrams_, now);
  receive(texts, now);
  take_session_events(now);
}

void Transport::receive(std::span<const dtls::MutableByteView> texts, TimePoint now) {
  if (texts.empty()) return;
  packets_.assign(texts.begin(), texts.end());
  if (options_.packet_log)
    for (const auto packet : packets_) options_.packet_log(now, false, packet);
  association_->handle_packets(packets_, now);
}

void Transport::take_session_events(TimePoint now) {
  while (auto event = session_->poll_event()) {
    if (const auto* closed = std::get_if<dtls::ClosedEvent>(&*event)) {
      session_closed_ = *closed;  // told after what came before it
    } else if (state_ == State::connecting) {
      association_->connect(now);
      receive(session_->take_early_texts(now), now);
    }
  }
}

void Transport::handle_timeout(TimePoint now) {
  if (now >= ice_.next_deadline()) ice_.handle_timeout(now);
  if (session_ && now >= session_->next_deadline()) {
    session_->handle_timeout(now);
    take_session_events(now);
  }
  if (association_ && now >= association_->next_deadline()) association_->handle_timeout(now);
  release_early(now);
}

TimePoint Transport::next_deadline() const {
  if (state_ == State::down) return kNever;
  auto deadline = ice_.next_deadline();
  if (session_) deadline = std::min(deadline, session_->next_deadline());
  if (association_) deadline = std::min(deadline, association_->next_deadline());
  return deadline;
}

// ---- out

std::optional<Burst> Transport::single(const ice::Path& path, dtls::ByteView bytes) {
  sending_.assign(bytes.begin(), bytes.end());
  sealed_[0] = sending_;
  return Burst{.path = path, .datagrams = std::span(sealed_).first(1)};
}

std::optional<Burst> Transport::poll_transmit(TimePoint now) {
  release_early(now);
  if (auto check = ice_.poll_transmit()) {
    ice_.take_back(std::exchange(sending_, std::move(check->bytes)));
    sealed_[0] = sending_;
    return Burst{.path = check->path, .datagrams = std::span(sealed_).first(1)};
  }
  if (!session_) return std::nullopt;
  const auto path = ice_.selected_path();
  if (!path) return std::nullopt;
  if (const auto datagram = session_->poll_transmit()) return single(*path, *datagram);
  if (session_->state() == dtls::Session::State::connected)
    if (auto burst = sealed_train(*path, now)) return burst;
  if (state_ != State::closing) return std::nullopt;
  // What the association had to say is out.
  session_->close();
  state_ = State::down;
  if (const auto datagram = session_->poll_transmit()) return single(*path, *datagram);
  return std::nullopt;
}

std::optional<Burst> Transport::sealed_train(const ice::Path& path, TimePoint now) {
  sctp::PacketTrain train(shared_.train_memory, association_->packet_size(), dtls::kHeadRoom, dtls::kTailRoom);
  association_->poll_transmit(train, now);
  if (train.empty()) return std::nullopt;
  bool is_train = true;
  for (std::size_t i = 0; i < train.count(); ++i) {
    sealed_[i] = train.packet(i);
    if (options_.packet_log) options_.packet_log(now, true, sealed_[i]);
    is_train = is_train && (i + 1 == train.count() || sealed_[i].size() == train.packet_size());
  }
  const auto datagrams = std::span(sealed_).first(train.count());
  if (!session_->seal(datagrams)) {
    take_session_events(now);
    return std::nullopt;
  }
  return Burst{.path = path, .datagrams = datagrams, .is_train = is_train};
}

// ---- up

std::optional<TransportMessage> Transport::poll_message(TimePoint now) {
  if (!association_) return std::nullopt;
  // Before the first message its channel has to be there: the news that the association is up comes first.
  if (state_ == State::connecting) take_association_events(now);
  if (events_.empty() && !released_.empty()) return released_.pop();
  while (events_.empty()) {
    auto message = association_->poll_message();
    if (!message) {
      take_association_events(now);
      take_channel_outputs(now);
      if (auto closed = std::exchange(session_closed_, std::nullopt)) end(std::move(closed->error), now);
      return std::nullopt;
    }
    const auto id = channel_of(message->stream);
    const auto ppid = message->ppid.value();
    if (const auto meaning = dcep::payload_meaning(ppid);
        meaning && meaning->kind != dcep::PayloadKind::control && !channels_->exists(id)) {
      TransportMessage early{id, meaning->kind, std::move(message->payload), meaning->empty};
      if (keep_early(early)) continue;
      message->payload = std::move(early.payload);
    }
    if (channels_->handle_message(id, ppid, message->payload.bytes()) == dcep::ChannelTable::Arrival::deliver) {
      const auto meaning = dcep::payload_meaning(ppid);
      return TransportMessage{id, meaning->kind, std::move(message->payload), meaning->empty};
    }
    association_->consumed(message->payload.size());
    take_channel_outputs(now);
  }
  return std::nullopt;
}

bool Transport::keep_early(TransportMessage& message) {
  const auto size = message.payload.size();
  if (early_messages_.size() >= options_.early_messages || early_message_bytes_ + size > options_.early_message_bytes)
    return false;
  early_message_bytes_ += size;
  early_messages_.push_back(std::move(message));
  return true;
}

void Transport::drop_early(dcep::ChannelId id) {
  std::erase_if(early_messages_, [&](const TransportMessage& message) {
    if (message.channel != id) return false;
    early_message_bytes_ -= message.charge();
    association_->consumed(message.charge());
    return true;
  });
}

std::optional<TransportEvent> Transport::poll_event() {
  if (events_.empty()) return std::nullopt;
  return events_.pop();
}

std::optional<ice::AgentEvent> Transport::poll_ice_event(TimePoint now) {
  release_early(now);
  auto event = ice_.poll_event();
  if (event)
    if (const auto* changed = std::get_if<ice::StateEvent>(&*event);
        changed != nullptr && changed->state == ice::AgentState::failed)
      end(Error(Errc::peer_lost, "ICE: no path to the peer works any more"), now);
  return event;
}

void Transport::take_association_events(TimePoint now) {
  while (auto event = association_->poll_event()) {
    if (std::holds_alternative<sctp::ConnectedEvent>(*event)) {
      if (state_ != State::connecting) continue;
      state_ = State::up;
      events_.push(UpEvent{});
    } else if (std::holds_alternative<sctp::RestartedEvent>(*event)) {
      // RFC 8831 knows no channels that outlive their association.
      association_->abort("restarted", now);
      end(Error(Errc::transport_error, "the peer has forgotten the SCTP association and begun a new one"), now);
    } else if (const auto* peer_reset = std::get_if<sctp::PeerResetEvent>(&*event)) {
      for (const auto stream : peer_reset->streams) {
        if (channels_->exists(channel_of(stream))) events_.push(ChannelClosingEvent{channel_of(stream)});
        channels_->handle_peer_reset(channel_of(stream));
        drop_early(channel_of(stream));
      }
    } else if (const auto* reset = std::get_if<sctp::ResetEvent>(&*event)) {
      for (const auto stream : reset->streams) {
        const auto id = channel_of(stream);
        if (carry_out_held(id, now)) {
          events_.push(ChannelLowEvent{id});  // sends that were refused until now
        } else {
          channels_->handle_reset_done(id);
        }
      }
    } else if (const auto* low = std::get_if<sctp::BufferedLowEvent>(&*event)) {
      events_.push(ChannelLowEvent{channel_of(low->stream)});
    } else if (const auto* closed = std::get_if<sctp::ClosedEvent>(&*event)) {
      take_channel_outputs(now);  // what closed before it is told first
      end(error_of(*closed), now);
    }
  }
}

void Transport::take_channel_outputs(TimePoint now) {
  while (auto output = channels_->poll()) carry_out(std::move(*output), now);
}

void Transport::carry_out(dcep::Output output, TimePoint now) {
  if (auto* opened = std::get_if<dcep::IncomingChannel>(&output)) {
    association_->set_stream_weight(stream_of(opened->id), std::max<std::uint16_t>(opened->parameters.priority, 1));
    events_.push(ChannelOpenedEvent{opened->id, std::move(opened->parameters)});
  } else if (const auto* gone = std::get_if<dcep::ChannelClosed>(&output)) {
    held_.erase(gone->id);
    events_.push(ChannelGoneEvent{gone->id});
  } else if (auto* control = std::get_if<dcep::ControlMessage>(&output)) {
    if (hold_if_resetting(control->id, output)) return;
    auto* const bytes = new std::vector<std::byte>(std::move(control->bytes));
    sctp::Payload payload(*bytes, bytes, [](void* owner, sctp::ByteView) noexcept {
      delete static_cast<std::vector<std::byte>*>(owner);
    });
    (void)association_->send(stream_of(control->id), sctp::Ppid(dcep::kPpidControl), std::move(payload), {}, now);
  } else if (const auto* reset = std::get_if<dcep::ResetRequest>(&output)) {
    if (!hold_if_resetting(reset->id, output)) (void)association_->reset_stream(stream_of(reset->id), now);
  }
}

bool Transport::hold_if_resetting(dcep::ChannelId id, dcep::Output& output) {
  const bool holds = association_->is_resetting(stream_of(id));
  if (holds) held_[id].push_back(std::move(output));
  return holds;
}

bool Transport::carry_out_held(dcep::ChannelId id, TimePoint now) {
  auto held = held_.extract(id);
  if (held.empty()) return false;
  for (auto& output : held.mapped()) carry_out(std::move(output), now);
  return true;
}

// ---- channels

std::optional<dcep::ChannelId> Transport::open_channel(const dcep::ChannelParameters& parameters, TimePoint now) {
  const auto id = channels_->open(parameters);
  if (id) association_->set_stream_weight(stream_of(*id), std::max<std::uint16_t>(parameters.priority, 1));
  take_channel_outputs(now);
  return id;
}

bool Transport::add_negotiated(dcep::ChannelId id) {
  if (!channels_->add_negotiated(id)) return false;
  for (auto& message : early_messages_) {
    if (message.channel != id) continue;
    early_message_bytes_ -= message.charge();
    released_.push(std::move(message));
  }
  std::erase_if(early_messages_, [&](const TransportMessage& message) { return message.channel == id; });
  return true;
}

void Transport::close_channel(dcep::ChannelId id, TimePoint now) {
  channels_->close(id);
  take_channel_outputs(now);
}

void Transport::abort_channel(dcep::ChannelId id, TimePoint now) {
  association_->discard(stream_of(id), sctp::Ppid(dcep::kPpidControl), now);
  close_channel(id, now);
}

sctp::SendStatus Transport::send(dcep::ChannelId id, dcep::PayloadKind kind, bool empty, sctp::Payload payload,
                                 sctp::SendOptions options, TimePoint now) {
  if (options.unordered && channels_->must_send_ordered(id)) options.unordered = false;
  const auto ppid = dcep::ppid_for(kind, empty ? 0 : payload.size());
  return association_->send(stream_of(id), sctp::Ppid(ppid), std::move(payload), options, now);
}

void Transport::set_low_threshold(dcep::ChannelId id, std::size_t bytes) {
  association_->set_buffered_low_threshold(stream_of(id), bytes);
}

std::size_t Transport::buffered(dcep::ChannelId id) const { return association_->buffered(stream_of(id)); }

bool Transport::has_bulk() const {
  constexpr std::size_t kMuch = std::size_t{16} << 10;
  return association_ && association_->buffered() > kMuch && association_->peer_has_room() &&
         association_->shortest_round_trip() < sctp::PathLimit::kShortest;
}

void Transport::hold(bool held) {
  if (association_) association_->hold(held);
}

void Transport::consumed(std::size_t bytes) {
  if (association_) association_->consumed(bytes);
}

// ---- the end

void Transport::close(TimePoint now) {
  if (state_ == State::closing || state_ == State::down) return;
  const bool is_up = state_ == State::up;
  state_ = State::closing;
  if (is_up) association_->abort("", now);
  if (!session_ || session_->state() != dtls::Session::State::connected) state_ = State::down;
}

void Transport::end(std::optional<Error> error, TimePoint /*now*/) {
  if (state_ == State::down || state_ == State::closing) return;
  // An abort or alert of ours may still be on its way out.
  state_ = session_ && session_->state() == dtls::Session::State::connected ? State::closing : State::down;
  events_.push(DownEvent{std::move(error)});
}

sctp::AssociationStats Transport::sctp_stats() const {
  return association_ ? association_->stats() : sctp::AssociationStats{};
}

}  // namespace wdc::native
