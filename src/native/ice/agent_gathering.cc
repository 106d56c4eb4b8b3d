// SPDX-License-Identifier: MIT
// The agent's own candidates: addresses it was given, and what servers see of them (RFC 8445 section 5.1).
#include <algorithm>
#include <utility>

#include "src/native/ice/agent.h"

namespace wdc::ice {

void Agent::add_local_address(const SocketAddress& address, CandidateType type, std::uint16_t local_preference,
                              TimePoint now, std::optional<SocketAddress> related) {
  if (base_at(address) != nullptr || state_ == AgentState::closed) return;
  const auto foundation =
      foundation_of({type, related && type == CandidateType::relayed ? related->ip : address.ip, {}});
  bases_.push_back({address, type, local_preference, foundation});
  add_local_candidate({.foundation = foundation,
                       .priority = candidate_priority(type, local_preference),
                       .address = address,
                       .host_name = {},
                       .type = type,
                       .related = related,
                       .username_fragment = {}},
                      address);
  for (const Candidate& remote : remotes_) form_pairs(bases_.back(), remote);
  for (const SocketAddress& server : servers_) ask_server(address, server);
  go_on(now);
}

void Agent::remove_local_address(const SocketAddress& address, TimePoint now) {
  std::erase_if(bases_, [&](const Base& base) { return base.address == address; });
  std::erase_if(locals_, [&](const LocalCandidate& local) { return local.base == address; });
  std::erase_if(server_requests_, [&](const ServerRequest& request) { return request.base == address; });
  std::erase_if(early_checks_, [&](const EarlyCheck& check) { return check.path.local == address; });
  std::erase_if(pairs_, [&](const CandidatePair& pair) { return pair.local == address; });
  std::erase_if(transmits_, [&](const Transmit& transmit) { return transmit.path.local == address; });
  if (previous_ && previous_->pair.local == address) previous_.reset();
  go_on(now);
}

void Agent::add_server(const SocketAddress& server, TimePoint now) {
  if (std::ranges::find(servers_, server) != servers_.end()) return;
  servers_.push_back(server);
  for (const Base& base : bases_) ask_server(base.address, server);
  go_on(now);
}

void Agent::end_of_local_addresses(TimePoint now) {
  local_addresses_ended_ = true;
  go_on(now);
}

void Agent::add_local_candidate(Candidate candidate, const SocketAddress& base) {
  // RFC 8445 section 5.1.3: the same address from the same base again is redundant.
  const bool is_known = std::ranges::any_of(locals_, [&](const LocalCandidate& local) {
    return local.candidate.address == candidate.address && local.base == base;
  });
  if (is_known) return;
  candidate.username_fragment = local_credentials_.username_fragment;
  locals_.push_back({candidate, base});
  if (candidate.type != CandidateType::peer_reflexive) events_.emplace_back(LocalCandidateEvent{std::move(candidate)});
}

std::string Agent::foundation_of(const FoundationKey& key) {
  auto found = std::ranges::find(foundations_, key);
  if (found == foundations_.end()) found = foundations_.insert(foundations_.end(), key);
  return std::to_string(found - foundations_.begin() + 1);
}

const Agent::Base* Agent::base_at(const SocketAddress& address) const {
  const auto found = std::ranges::find(bases_, address, &Base::address);
  return found != bases_.end() ? &*found : nullptr;
}

void Agent::ask_server(const SocketAddress& base, const SocketAddress& server) {
  const Base* const from = base_at(base);
  if (from->type != CandidateType::host || base.ip.is_v4() != server.ip.is_v4()) return;
  if (base.ip.is_loopback() != server.ip.is_loopback()) return;
  server_requests_.push_back({base, server, {}});
}

void Agent::send_server_request(ServerRequest& request, TimePoint now) {
  if (request.transmissions == 0) request.transaction = new_transaction();
  StunWriter writer(StunClass::request, StunMethod::binding, request.transaction, memory());
  queue({request.base, request.server}, writer.finish());
  Duration wait = options_.retransmission_timeout * (1 << request.transmissions);
  if (++request.transmissions == options_.max_transmissions) wait = options_.retransmission_timeout * 16;
  request.deadline = now + wait;
}

void Agent::advance_server_requests(TimePoint now) {
  for (ServerRequest& request : server_requests_) {
    const bool is_first = request.transmissions == 0 && request.deadline == kNever && !request.is_done;
    if (is_first) {
      if (!take_slot(now)) return;
      send_server_request(request, now);
    } else if (request.deadline <= now) {
      if (request.transmissions < options_.max_transmissions) {
        // RFC 8445 section 5.1.1.4: until a path is in use, what the server told is kept true by asking again.
        if (request.transmissions == 0 && was_connected_) {
          request.deadline = kNever;
        } else {
          send_server_request(request, now);
        }
      } else {
        request.is_done = true;
        request.deadline = kNever;
      }
    }
  }
}

Arrival Agent::handle_server_response(const StunMessage& message, const Path& path, TimePoint now) {
  const auto found = std::ranges::find_if(server_requests_, [&](const ServerRequest& request) {
    return request.transmissions > 0 && request.transaction == message.transaction && request.base == path.local &&
           request.server == path.remote;
  });
  if (found == server_requests_.end()) {
    ++stats_.unexpected_responses;
    return Arrival::dropped;
  }
  const auto mapped = message.xor_mapped_address ? message.xor_mapped_address : message.mapped_address;
  found->is_done = true;
  found->transmissions = 0;
  found->deadline = kNever;
  if (message.message_class != StunClass::success || !mapped) return Arrival::handled;
  found->deadline = now + options_.keepalive_interval;
  const Base* const base = base_at(path.local);
  if (*mapped == base->address || mapped->ip.is_v4() != base->address.ip.is_v4()) return Arrival::handled;
  add_local_candidate({.foundation = foundation_of({CandidateType::server_reflexive, base->address.ip, path.remote.ip}),
                       .priority = candidate_priority(CandidateType::server_reflexive, base->local_preference),
                       .address = *mapped,
                       .host_name = {},
                       .type = CandidateType::server_reflexive,
                       .related = base->address,
                       .username_fragment = {}},
                      base->address);
  return Arrival::handled;
}

void Agent::report_gathering() {
  if (gathering_reported_ || !local_addresses_ended_) return;
  if (!std::ranges::all_of(server_requests_, &ServerRequest::is_done)) return;
  gathering_reported_ = true;
  events_.emplace_back(GatheringDoneEvent{});
}

}  // namespace wdc::ice
