// SPDX-License-Identifier: MIT
#include "src/native/engine/native_peer.h"

#include <algorithm>
#include <utility>

#include "src/core/utf8.h"

namespace wdc::native {

namespace {

std::vector<sdp::Fingerprint> to_sdp(const std::vector<dtls::Fingerprint>& fingerprints) {
  std::vector<sdp::Fingerprint> texts;
  for (const auto& fingerprint : fingerprints) {
    const auto digest = std::span(fingerprint.digest).first(dtls::digest_size(fingerprint.hash));
    texts.push_back({std::string(dtls::name(fingerprint.hash)), {digest.begin(), digest.end()}});
  }
  return texts;
}

/// Those of hash functions that can be checked. Empty where there is none.
std::vector<dtls::Fingerprint> from_sdp(const std::vector<sdp::Fingerprint>& fingerprints) {
  std::vector<dtls::Fingerprint> known;
  for (const auto& fingerprint : fingerprints) {
    for (const auto hash : {dtls::HashFunction::sha_256, dtls::HashFunction::sha_384, dtls::HashFunction::sha_512}) {
      if (fingerprint.algorithm != dtls::name(hash) || fingerprint.digest.size() != dtls::digest_size(hash)) continue;
      dtls::Fingerprint made{.hash = hash};
      std::copy(fingerprint.digest.begin(), fingerprint.digest.end(), made.digest.begin());
      known.push_back(made);
    }
  }
  return known;
}

IceConnectionState to_w3c(ice::AgentState state) {
  switch (state) {
    case ice::AgentState::new_:
      return IceConnectionState::new_;
    case ice::AgentState::checking:
      return IceConnectionState::checking;
    case ice::AgentState::connected:
      return IceConnectionState::connected;
    case ice::AgentState::completed:
      return IceConnectionState::completed;
    case ice::AgentState::disconnected:
      return IceConnectionState::disconnected;
    case ice::AgentState::failed:
      return IceConnectionState::failed;
    case ice::AgentState::closed:
      return IceConnectionState::closed;
  }
  return IceConnectionState::new_;
}

/// Delivered before their readers run: what comes free when a gap closes may be thousands.
constexpr std::size_t kMessagesAtOnce = 128;

/// RFC 8829 section 5.2.1: 63 random bits, of which 53 keep every reader of numbers happy.
std::uint64_t session_id(RandomSource& random) { return random.next() >> 11; }

}  // namespace

NativePeer::NativePeer(PeerHost& host, const PeerConnectionOptions& options, TransportOptions transport)
    : host_(host),
      options_(options),
      transport_options_(std::move(transport)),
      negotiation_(session_id(host.shared().random)),
      account_(new WindowAccount(this, [](void* owner, std::size_t bytes) noexcept {
        auto* const peer = static_cast<NativePeer*>(owner);
        if (!peer->transport_) return;
        peer->transport_->consumed(bytes);
        peer->request_advance();
      })) {}

NativePeer::~NativePeer() {
  close();
  if (transport_) advance(host_.time());
  for (auto* channel : waiting_channels_) channel->leave();
  for (auto* channel : ending_channels_) channel->leave();
  for (const auto& [id, channel] : channels_)
    if (channel != nullptr) channel->leave();
  account_->close();
  account_->drop_reference();
  host_.forget(*this);
}

void NativePeer::report(std::function<void(core::PeerEvents&)> event) {
  reports_.push_back(std::move(event));
  request_advance();
}

// ---- descriptions

void NativePeer::make_transport(ice::Role role) {
  auto options = transport_options_;
  options.ice.role = role;
  transport_.emplace(options, host_.shared());
  local_candidates_.clear();
  gathering_ = false;
  gathering_done_ = false;
}

sdp::DataSection NativePeer::data_section() const {
  sdp::DataSection section;
  const auto& credentials = transport_->ice().local_credentials();
  section.ice_ufrag = credentials.username_fragment;
  section.ice_pwd = credentials.password;
  section.trickle = true;
  section.fingerprints = to_sdp(host_.fingerprints());
  section.max_message_size = transport_options_.sctp.receive_message_size;
  for (const auto& candidate : local_candidates_) section.candidates.push_back(ice::format_candidate(candidate));
  section.end_of_candidates = gathering_done_;
  return section;
}

Result<SessionDescription> NativePeer::make_offer() {
  if (!negotiation_.is_negotiated() && negotiation_.state() == SignalingState::stable &&
      (!transport_ || transport_->ice().role() != ice::Role::controlling))
    make_transport(ice::Role::controlling);
  if (transport_ && restart_wanted_ && negotiation_.is_negotiated()) {
    restart_wanted_ = false;
    restart_offered_ = true;
    local_candidates_.clear();
    gathering_done_ = false;
    transport_->ice().restart(host_.time());
  }
  if (!transport_) return fail(Errc::negotiation_failed, "an offer cannot be made while there is one of the peer's");
  return negotiation_.create_offer(data_section());
}

Result<SessionDescription> NativePeer::make_answer() {
  if (!transport_) return fail(Errc::negotiation_failed, "an answer cannot be made before there is an offer");
  return negotiation_.create_answer(data_section());
}

Result<void> NativePeer::gather() {
  if (gathering_) return {};
  auto addresses = host_.open_sockets(*this);
  if (!addresses) return std::unexpected(std::move(addresses.error()));
  gathering_ = true;
  const auto now = host_.time();
  next_preference_ = 65'535;
  for (const auto& address : *addresses) add_local_address(address, now);
  // The end is told when the servers have been asked.
  if (!host_.look_up_servers(*this, options_.ice_servers)) transport_->ice().end_of_local_addresses(now);
  return {};
}

Result<void> NativePeer::apply_local(const SessionDescription& description) {
  auto change = negotiation_.set_local(description);
  if (!change) return std::unexpected(std::move(change.error()));
  if (change->rolled_back) {
    if (!negotiation_.is_negotiated()) transport_.reset();
    negotiation_reported_ = false;
    return {};
  }
  if (auto gathered = gather(); !gathered) return gathered;
  if (change->settled) return start_transport();
  return {};
}

Result<void> NativePeer::apply_remote(const SessionDescription& description) {
  const bool was_negotiated = negotiation_.is_negotiated();
  std::optional<sdp::DataSection> before;
  if (was_negotiated) before = negotiation_.remote()->data;
  auto change = negotiation_.set_remote(description);
  if (!change) return std::unexpected(std::move(change.error()));
  if (description.type == SdpType::rollback) {
    if (!was_negotiated) transport_.reset();
    return {};
  }
  const auto& section = negotiation_.remote()->data;
  if (description.type == SdpType::offer && !was_negotiated) make_transport(ice::Role::controlled);
  take_remote_section(section, before && sdp::is_ice_restart(*before, section));
  if (change->settled) return start_transport();
  return {};
}

void NativePeer::take_remote_section(const sdp::DataSection& section, bool restarts) {
  const auto now = host_.time();
  auto& agent = transport_->ice();
  if (restarts && !restart_offered_) {
    local_candidates_.clear();
    gathering_done_ = false;
    agent.restart(now);
  }
  (void)agent.set_remote_credentials({section.ice_ufrag, section.ice_pwd},
                                     section.ice_lite ? ice::PeerKind::lite : ice::PeerKind::full, now);
  for (const auto& text : section.candidates)
    if (const auto candidate = ice::parse_candidate(text)) (void)agent.add_remote_candidate(*candidate, now);
}

Result<void> NativePeer::start_transport() {
  restart_offered_ = false;
  negotiation_reported_ = false;
  if (transport_->started()) return {};
  const auto& remote = negotiation_.remote()->data;
  const auto& local = negotiation_.local()->data;
  TransportStart start;
  const auto ours = negotiation_.is_offerer() ? sdp::answering(remote.setup) : local.setup;
  start.role = ours == sdp::Setup::active ? dtls::Role::client : dtls::Role::server;
  start.remote_sctp_port = remote.sctp_port;
  start.fingerprints = from_sdp(remote.fingerprints);
  if (start.fingerprints.empty())
    return fail(Errc::negotiation_failed,
                "no fingerprint of the peer is SHA-256 or better, but " + remote.fingerprints.front().algorithm);
  return transport_->start(std::move(start), host_.time());
}

void NativePeer::create_offer(core::OperationId operation) {
  report([operation, made = make_offer()](core::PeerEvents& events) { events.on_description(operation, made); });
}

void NativePeer::create_answer(core::OperationId operation) {
  report([operation, made = make_answer()](core::PeerEvents& events) { events.on_description(operation, made); });
}

void NativePeer::set_local_description(core::OperationId operation) {
  auto made = negotiation_.state() == SignalingState::have_remote_offer ? make_answer() : make_offer();
  if (made)
    if (auto applied = apply_local(*made); !applied) made = std::unexpected(std::move(applied.error()));
  report([operation, made = std::move(made)](core::PeerEvents& events) { events.on_description(operation, made); });
}

void NativePeer::set_local_description(core::OperationId operation, const SessionDescription& description) {
  report([operation, applied = apply_local(description)](core::PeerEvents& events) {
    events.on_applied(operation, applied);
  });
}

void NativePeer::set_remote_description(core::OperationId operation, const SessionDescription& description) {
  report([operation, applied = apply_remote(description)](core::PeerEvents& events) {
    events.on_applied(operation, applied);
  });
}

Result<void> NativePeer::apply_candidate(const IceCandidate& candidate) {
  const auto* remote = negotiation_.remote();
  if (remote == nullptr) return fail(Errc::negotiation_failed, "a candidate came before the peer's description");
  const bool fits = candidate.sdp_mid            ? *candidate.sdp_mid == remote->data.mid
                    : candidate.sdp_m_line_index ? *candidate.sdp_m_line_index == remote->data_index
                                                 : candidate.candidate.empty();
  if (!fits) return fail(Errc::negotiation_failed, "the candidate is for another m= line than the data channels'");
  if (candidate.username_fragment && *candidate.username_fragment != remote->data.ice_ufrag)
    return fail(Errc::negotiation_failed, "the candidate is for other credentials");
  if (candidate.candidate.empty()) return {};  // the last one
  const auto parsed = ice::parse_candidate(candidate.candidate);
  if (!parsed) return fail(Errc::negotiation_failed, "candidate: " + parsed.error());
  if (transport_->ice().add_remote_candidate(*parsed, host_.time()) == ice::AddResult::too_many)
    return fail(
        Errc::negotiation_failed,
        "the peer has more than " + std::to_string(transport_options_.ice.max_remote_candidates) + " candidates");
  return {};
}

void NativePeer::add_ice_candidate(core::OperationId operation, const IceCandidate& candidate) {
  report([operation, applied = apply_candidate(candidate)](core::PeerEvents& events) {
    events.on_applied(operation, applied);
  });
}

void NativePeer::restart_ice() {
  restart_wanted_ = true;
  negotiation_reported_ = false;
  request_advance();
}

bool NativePeer::wants_negotiation() const {
  if (closed_ || negotiation_.state() != SignalingState::stable) return false;
  if (restart_wanted_ && negotiation_.is_negotiated()) return true;
  return !negotiation_.is_negotiated() && !waiting_channels_.empty();
}

// ---- what the host brings

void NativePeer::handle_datagrams(const ice::Path& path, std::span<const dtls::MutableByteView> datagrams,
                                  TimePoint now) {
  if (transport_) transport_->handle_datagrams(path, datagrams, now);
}

void NativePeer::handle_resolved(std::string_view host_name, std::span<const IpAddress> addresses, TimePoint now) {
  if (transport_) transport_->ice().handle_resolved(host_name, addresses, now);
}

void NativePeer::add_stun_server(const SocketAddress& server, TimePoint now) {
  if (transport_) transport_->ice().add_server(server, now);
}

void NativePeer::end_of_stun_servers(TimePoint now) {
  if (transport_) transport_->ice().end_of_local_addresses(now);
}

void NativePeer::add_local_address(const SocketAddress& address, TimePoint now) {
  if (transport_) transport_->ice().add_local_address(address, ice::CandidateType::host, next_preference_--, now);
}

void NativePeer::refuse_datagram(std::span<const std::byte> datagram, const ice::Path& path, TimePoint now) {
  if (transport_) transport_->ice().refuse_datagram(datagram, path, now);
}

TimePoint NativePeer::next_deadline() const { return transport_ ? transport_->next_deadline() : kNever; }

void NativePeer::request_advance() {
  if (!std::exchange(advance_requested_, true)) host_.request_advance(*this);
}

void NativePeer::advance(TimePoint now) {
  advance_requested_ = false;
  deliver(now);
  if (transport_) {
    while (auto burst = transport_->poll_transmit(now))
      if (!host_.send(*this, *burst)) break;
  }
  update_states();
  if (events_ != nullptr && !negotiation_reported_ && wants_negotiation()) {
    negotiation_reported_ = true;
    events_->on_negotiation_needed();
  }
}

void NativePeer::deliver(TimePoint now) {
  if (transport_ && now >= transport_->next_deadline()) transport_->handle_timeout(now);
  if (!reports_.empty() && events_ != nullptr) {
    for (auto& event : std::exchange(reports_, {})) event(*events_);
  }
  for (auto* channel : std::exchange(ending_channels_, {})) channel->ended(std::nullopt);
  if (transport_) {
    // Candidates come after the description that they belong to, which may wait to be reported.
    std::size_t messages = 0;
    while (reports_.empty()) {
      if (messages == kMessagesAtOnce) {  // readers have their turn, and the rest is the next one's
        host_.request_advance(*this);
        break;
      }
      if (auto event = transport_->poll_ice_event(now)) {
        take_ice_event(std::move(*event));
      } else if (auto message = transport_->poll_message(now)) {
        take_message(std::move(*message));
        ++messages;
      } else if (auto happened = transport_->poll_event()) {
        take_transport_event(std::move(*happened));
      } else {
        break;
      }
    }
  }
}

void NativePeer::take_ice_event(ice::AgentEvent event) {
  if (auto* local = std::get_if<ice::LocalCandidateEvent>(&event)) {
    const auto* description = negotiation_.local();
    IceCandidate candidate;
    candidate.candidate = ice::format_candidate(local->candidate);
    candidate.sdp_mid = description == nullptr ? "0" : description->data.mid;
    candidate.sdp_m_line_index = static_cast<std::uint16_t>(description == nullptr ? 0 : description->data_index);
    candidate.username_fragment = transport_->ice().local_credentials().username_fragment;
    local_candidates_.push_back(std::move(local->candidate));
    if (events_ != nullptr) events_->on_ice_candidate(std::move(candidate));
  } else if (std::holds_alternative<ice::GatheringDoneEvent>(event)) {
    gathering_done_ = true;
    if (events_ != nullptr) events_->on_ice_candidate({});
  } else if (const auto* state = std::get_if<ice::StateEvent>(&event)) {
    ice_state_ = state->state;
  } else if (auto* resolve = std::get_if<ice::ResolveEvent>(&event)) {
    host_.resolve(*this, std::move(resolve->host_name));
  }
}

void NativePeer::update_states() {
  if (events_ == nullptr || closed_) return;
  if (const auto state = negotiation_.state(); state != signaling_state_) {
    signaling_state_ = state;
    events_->on_signaling_state(state);
  }
  const auto gathering = gathering_done_ ? IceGatheringState::complete
                         : gathering_    ? IceGatheringState::gathering
                                         : IceGatheringState::new_;
  if (gathering != gathering_state_) {
    gathering_state_ = gathering;
    events_->on_ice_gathering_state(gathering);
  }
  if (const auto ice = to_w3c(ice_state_); ice != ice_connection_state_) {
    ice_connection_state_ = ice;
    events_->on_ice_connection_state(ice);
  }
  auto connection = ConnectionState::new_;
  if (failed_ || ice_state_ == ice::AgentState::failed)
    connection = ConnectionState::failed;
  else if (ice_state_ == ice::AgentState::disconnected)
    connection = ConnectionState::disconnected;
  else if (transport_ && transport_->is_up())
    connection = ConnectionState::connected;
  else if (ice_state_ != ice::AgentState::new_)
    connection = ConnectionState::connecting;
  if (connection != connection_state_) {
    connection_state_ = connection;
    events_->on_connection_state(connection);
  }
}

// ---- channels

Result<std::unique_ptr<core::ChannelBackend>> NativePeer::create_data_channel(std::string_view label,
                                                                              const DataChannelOptions& options) {
  if (failed_) return fail(Errc::connection_closed, "the connection has ended");
  core::ChannelInfo info{.label = std::string(label),
                         .protocol = options.protocol,
                         .ordered = options.ordered,
                         .negotiated = options.negotiated,
                         .max_retransmits = options.max_retransmits,
                         .max_packet_life_time = options.max_packet_life_time};
  std::optional<std::uint16_t> id;
  if (options.negotiated) {
    id = options.id;
    if (negotiated_ids_.contains(*id) || channels_.contains(*id))
      return fail(Errc::invalid_state, "id " + std::to_string(*id) + " is in use");
    negotiated_ids_.insert(*id);
  }
  auto channel = std::make_unique<NativeChannel>(*this, std::move(info), id);
  waiting_channels_.push_back(channel.get());
  request_advance();
  if (transport_ && transport_->is_up()) report([this](core::PeerEvents&) { open_channels(); });
  return channel;
}

void NativePeer::open_channels() {
  for (auto* channel : std::exchange(waiting_channels_, {})) open_channel(*channel);
}

void NativePeer::open_channel(NativeChannel& channel) {
  std::optional<dcep::ChannelId> id;
  if (channel.id()) {
    const dcep::ChannelId agreed(*channel.id());
    negotiated_ids_.erase(agreed.value());
    if (!transport_->add_negotiated(agreed)) {
      channel.ended(Error(Errc::transport_error, "id " + std::to_string(agreed.value()) + " is in use"));
      return;
    }
    id = agreed;
  } else {
    id = transport_->open_channel(channel.parameters(), host_.time());
    if (!id) {
      channel.ended(Error(Errc::transport_error, "no stream id is left: 65,535 channels are open"));
      return;
    }
  }
  recent_channel_ = nullptr;
  channels_[id->value()] = &channel;
  channel.opened(*id);
  if (channel.low_threshold() > 0) apply_low_threshold(channel);
}

void NativePeer::take_message(TransportMessage message) {
  const auto id = message.channel.value();
  if (recent_channel_ == nullptr || recent_id_ != id) {
    const auto found = channels_.find(id);
    recent_channel_ = found == channels_.end() ? nullptr : found->second;
    recent_id_ = id;
  }
  const std::size_t charge = message.charge();
  if (recent_channel_ == nullptr || recent_channel_->events() == nullptr) {
    transport_->consumed(charge);
    return;
  }
  const auto type = message.kind == dcep::PayloadKind::text ? MessageType::text : MessageType::binary;
  auto& events = *recent_channel_->events();
  if (message.empty) {
    transport_->consumed(charge);
    events.on_message(core::MessageAccess::empty(type));
  } else {
    events.on_message(host_.memory().make(std::move(message.payload), type, *account_, charge));
  }
}

void NativePeer::take_transport_event(TransportEvent event) {
  if (std::holds_alternative<UpEvent>(event)) {
    update_states();
    open_channels();
  } else if (const auto* opened = std::get_if<ChannelOpenedEvent>(&event)) {
    auto channel = std::make_unique<NativeChannel>(*this, opened->id, opened->parameters);
    recent_channel_ = nullptr;
    channels_[opened->id.value()] = channel.get();
    if (events_ != nullptr) events_->on_data_channel(std::move(channel));
  } else if (const auto* closing = std::get_if<ChannelClosingEvent>(&event)) {
    if (const auto found = channels_.find(closing->id.value()); found != channels_.end() && found->second != nullptr)
      found->second->peer_closing();
  } else if (const auto* gone = std::get_if<ChannelGoneEvent>(&event)) {
    if (const auto found = channels_.find(gone->id.value()); found != channels_.end()) {
      auto* const channel = found->second;
      recent_channel_ = nullptr;
      channels_.erase(found);
      if (channel != nullptr) channel->ended(std::nullopt);
    }
  } else if (const auto* low = std::get_if<ChannelLowEvent>(&event)) {
    if (const auto found = channels_.find(low->id.value());
        found != channels_.end() && found->second != nullptr && found->second->events() != nullptr) {
      apply_low_threshold(*found->second);  // send() may have lowered it
      found->second->events()->on_buffered_amount_low();
    }
  } else if (const auto* down = std::get_if<DownEvent>(&event)) {
    failed_ = true;
    end_channels(down->error ? down->error : Error(Errc::connection_closed, "the peer has closed the connection"));
  }
}

void NativePeer::end_channels(const std::optional<Error>& error) {
  for (auto* channel : std::exchange(waiting_channels_, {})) channel->ended(error);
  recent_channel_ = nullptr;
  for (const auto& [id, channel] : std::exchange(channels_, {}))
    if (channel != nullptr) channel->ended(error);
}

Result<void> NativePeer::send(NativeChannel& channel, std::span<const std::byte> bytes, MessageType type) {
  if (type == MessageType::text && !core::is_utf8(bytes)) return fail(Errc::invalid_argument, "the text is not UTF-8");
  if (const auto limit = host_.queue_limit(); limit != PeerHost::kNoQueueLimit && buffered_amount(channel) > limit) {
    const auto low = std::min<std::uint64_t>(channel.low_threshold(), limit / 2);
    transport_->set_low_threshold(dcep::ChannelId(*channel.id()), static_cast<std::size_t>(low));
    return fail(Errc::would_block);  // and ChannelLowEvent tells when to go on
  }
  static constexpr std::array<std::byte, 1> kEmpty{};
  auto payload = bytes.empty() ? sctp::Payload::forever(kEmpty) : host_.memory().copy(bytes);
  const auto& info = channel.info();
  const sctp::SendOptions options{
      .unordered = !info.ordered, .max_retransmits = info.max_retransmits, .lifetime = info.max_packet_life_time};
  const auto kind = type == MessageType::text ? dcep::PayloadKind::text : dcep::PayloadKind::binary;
  // The clock is read only where it matters: for small messages it is not free.
  const auto now = options.lifetime ? host_.time() : TimePoint{};
  const auto status =
      transport_->send(dcep::ChannelId(*channel.id()), kind, bytes.empty(), std::move(payload), options, now);
  switch (status) {
    case sctp::SendStatus::ok:
      request_advance();
      return {};
    case sctp::SendStatus::too_large:
    case sctp::SendStatus::empty_message:
      return fail(Errc::message_too_large, std::to_string(bytes.size()) + " bytes");
    case sctp::SendStatus::no_such_stream:
      return fail(Errc::transport_error, "the peer has no stream " + std::to_string(*channel.id()));
    case sctp::SendStatus::stream_is_resetting:
      return fail(Errc::would_block,
                  "the last reset of stream " + std::to_string(*channel.id()) + " is not answered yet");
    case sctp::SendStatus::closed:
      return fail(Errc::transport_error, "the association is closing");
  }
  return fail(Errc::transport_error);
}

std::uint64_t NativePeer::buffered_amount(const NativeChannel& channel) const {
  return transport_ && channel.id() ? transport_->buffered(dcep::ChannelId(*channel.id())) : 0;
}

std::uint64_t NativePeer::max_message_size() const {
  const auto* remote = negotiation_.remote();
  if (remote == nullptr) return 0;
  // RFC 8841 section 6.1: 0 is any size; ours has an end.
  constexpr std::uint64_t kAnySize = std::uint64_t{1} << 30;
  return remote->data.max_message_size == 0 ? kAnySize : remote->data.max_message_size;
}

void NativePeer::apply_low_threshold(NativeChannel& channel) {
  transport_->set_low_threshold(dcep::ChannelId(*channel.id()), static_cast<std::size_t>(channel.low_threshold()));
}

void NativePeer::close_channel(NativeChannel& channel, bool was_open) {
  if (was_open) {
    transport_->close_channel(dcep::ChannelId(*channel.id()), host_.time());
  } else {
    std::erase(waiting_channels_, &channel);
    if (channel.id()) negotiated_ids_.erase(*channel.id());
    ending_channels_.push_back(&channel);
  }
  request_advance();
}

void NativePeer::abort_channel(NativeChannel& channel) {
  // One that is closing may not have been open before: then it is in no table.
  if (!channel.id() || !channels_.contains(*channel.id())) return;
  transport_->abort_channel(dcep::ChannelId(*channel.id()), host_.time());
  request_advance();
}

void NativePeer::forget(NativeChannel& channel) noexcept {
  channel.close();
  std::erase(waiting_channels_, &channel);
  std::erase(ending_channels_, &channel);
  if (channel.id()) {
    recent_channel_ = nullptr;
    const auto found = channels_.find(*channel.id());
    if (found != channels_.end() && found->second == &channel) found->second = nullptr;
  }
}

// ---- the end

void NativePeer::close() {
  if (closed_) return;
  closed_ = true;
  if (transport_) {
    // What the peer waits for to end its channels in order, our answers to its resets, leaves before the goodbye.
    while (auto burst = transport_->poll_transmit(host_.time()))
      if (!host_.send(*this, *burst)) break;
    transport_->close(host_.time());
  }
  report([this](core::PeerEvents&) { end_channels(Error(Errc::connection_closed)); });
}

}  // namespace wdc::native
