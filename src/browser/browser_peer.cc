// SPDX-License-Identifier: MIT
#include "src/browser/browser_peer.h"

#include <utility>

#include "src/browser/browser_channel.h"
#include "src/browser/browser_parts.h"
#include "src/browser/candidate_arguments.h"
#include "src/browser/host_result.h"
#include "src/core/home_parts.h"

namespace wdc::core {
void link_home_peers() noexcept {}
}  // namespace wdc::core

namespace wdc::browser {

Result<std::unique_ptr<core::PeerBackend>> make_peer(const PeerConnectionOptions& options) {
  for (const IceServer& server : options.ice_servers) {
    host::ice_server(server.username.data(), server.username.size(), server.credential.data(),
                     server.credential.size());
    for (const std::string& url : server.urls) host::ice_server_url(url.data(), url.size());
  }
  const auto number = host::peer_create(options.ice_transport_policy == IceTransportPolicy::relay ? 1 : 0);
  if (number < 0) return std::unexpected(take_error(number));
  return std::make_unique<BrowserPeer>(number);
}

BrowserPeer::~BrowserPeer() { host::peer_release(number_); }

void BrowserPeer::set_events(core::PeerEvents& events) {
  events_ = &events;
  host::peer_start(number_, reinterpret_cast<host::Context>(this));
}

Result<std::unique_ptr<core::ChannelBackend>> BrowserPeer::create_data_channel(std::string_view label,
                                                                               const DataChannelOptions& options) {
  const std::int32_t id = options.id ? *options.id : -1;
  const std::int32_t retransmits = options.max_retransmits ? *options.max_retransmits : -1;
  const std::int32_t life_time =
      options.max_packet_life_time ? static_cast<std::int32_t>(options.max_packet_life_time->count()) : -1;
  const auto number =
      host::peer_create_channel(number_, label.data(), label.size(), options.protocol.data(), options.protocol.size(),
                                options.ordered ? 1 : 0, options.negotiated ? 1 : 0, id, retransmits, life_time);
  if (number < 0) return std::unexpected(take_error(number));
  return std::make_unique<BrowserChannel>(number);
}

void BrowserPeer::create_offer(core::OperationId operation) { host::peer_create_offer(number_, operation); }

void BrowserPeer::create_answer(core::OperationId operation) { host::peer_create_answer(number_, operation); }

void BrowserPeer::set_local_description(core::OperationId operation) {
  host::peer_set_local_implicit(number_, operation);
}

void BrowserPeer::set_local_description(core::OperationId operation, const SessionDescription& description) {
  host::peer_set_local(number_, operation, static_cast<std::int32_t>(description.type), description.sdp.data(),
                       description.sdp.size());
}

void BrowserPeer::set_remote_description(core::OperationId operation, const SessionDescription& description) {
  host::peer_set_remote(number_, operation, static_cast<std::int32_t>(description.type), description.sdp.data(),
                        description.sdp.size());
}

void BrowserPeer::add_ice_candidate(core::OperationId operation, const IceCandidate& candidate) {
  const OptionalText mid(candidate.sdp_mid);
  const OptionalText fragment(candidate.username_fragment);
  host::peer_add_candidate(number_, operation, candidate.candidate.data(), candidate.candidate.size(), mid.data,
                           mid.size, line_of(candidate), fragment.data, fragment.size);
}

void BrowserPeer::restart_ice() { host::peer_restart_ice(number_); }

void BrowserPeer::close() { host::peer_close(number_); }

namespace {

core::PeerEvents& events(host::Context context) { return reinterpret_cast<BrowserPeer*>(context)->events(); }

}  // namespace

extern "C" {

WDC_EXPORT(wdc_peer_description)
void wdc_peer_description(host::Context context, std::uint32_t operation, std::int32_t code, std::int32_t type,
                          host::Number slot) {
  if (code != 0) return events(context).on_description(operation, std::unexpected(event_error(code, slot)));
  events(context).on_description(operation, SessionDescription{static_cast<SdpType>(type), take_text(slot)});
}

WDC_EXPORT(wdc_peer_applied)
void wdc_peer_applied(host::Context context, std::uint32_t operation, std::int32_t code, host::Number slot) {
  if (code != 0) return events(context).on_applied(operation, std::unexpected(event_error(code, slot)));
  events(context).on_applied(operation, {});
}

WDC_EXPORT(wdc_peer_negotiation_needed)
void wdc_peer_negotiation_needed(host::Context context) { events(context).on_negotiation_needed(); }

WDC_EXPORT(wdc_peer_candidate)
void wdc_peer_candidate(host::Context context, host::Number candidate, host::Number mid, std::int32_t line,
                        host::Number fragment) {
  events(context).on_ice_candidate(take_candidate(candidate, mid, line, fragment));
}

WDC_EXPORT(wdc_peer_state) void wdc_peer_state(host::Context context, std::int32_t which, std::int32_t value) {
  switch (which) {
    case 0:
      return events(context).on_connection_state(static_cast<ConnectionState>(value));
    case 1:
      return events(context).on_ice_connection_state(static_cast<IceConnectionState>(value));
    case 2:
      return events(context).on_ice_gathering_state(static_cast<IceGatheringState>(value));
    case 3:
      return events(context).on_signaling_state(static_cast<SignalingState>(value));
    default:
      return;
  }
}

WDC_EXPORT(wdc_peer_channel) void wdc_peer_channel(host::Context context, host::Number channel) {
  events(context).on_data_channel(std::make_unique<BrowserChannel>(channel));
}

}  // extern "C"

}  // namespace wdc::browser
