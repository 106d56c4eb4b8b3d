// SPDX-License-Identifier: MIT
// The peer's candidates, and the pairs they make with our bases (RFC 8445 section 6.1.2).
#include <algorithm>

#include "src/native/ice/agent.h"

namespace wdc::ice {
namespace {

bool can_be_sent_to(const SocketAddress& address) {
  return address.port != 0 && !address.ip.is_unspecified() && !address.ip.is_multicast();
}

bool ends_with_local(std::string_view name) {
  constexpr std::string_view kLocal = ".local";
  return name.size() > kLocal.size() &&
         std::ranges::equal(name.substr(name.size() - kLocal.size()), kLocal,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

/// A peer's loopback is another machine's, or its way into this one: only our own loopback goes there.
bool can_reach(const IpAddress& from, const IpAddress& to) {
  return from.is_v4() == to.is_v4() && from.is_loopback() == to.is_loopback() &&
         (from.is_v4() || from.is_link_local() == to.is_link_local());
}

}  // namespace

AddResult Agent::add_remote_candidate(const Candidate& candidate, TimePoint now) {
  const bool is_of_others = !candidate.username_fragment.empty() && remote_credentials_ &&
                            candidate.username_fragment != remote_credentials_->username_fragment;
  if (is_silent() || candidate.component != 1 || candidate.transport != CandidateTransport::udp || is_of_others) {
    ++stats_.candidates_ignored;
    return AddResult::ignored;
  }
  if (candidate.host_name.empty()) {
    const AddResult result = insert_remote(candidate);
    if (result == AddResult::added) go_on(now);
    return result;
  }
  // Names outside .local would have us ask the world's name servers what a peer likes us to.
  if (!ends_with_local(candidate.host_name)) {
    ++stats_.candidates_ignored;
    return AddResult::ignored;
  }
  if (std::ranges::find(unresolved_, candidate) != unresolved_.end()) return AddResult::duplicate;
  if (remote_candidate_count() >= options_.max_remote_candidates) {
    ++stats_.candidates_refused;
    return AddResult::too_many;
  }
  const bool is_asked_for =
      std::ranges::any_of(unresolved_, [&](const Candidate& other) { return other.host_name == candidate.host_name; });
  unresolved_.push_back(candidate);
  ++stats_.candidates_unresolved;
  if (!is_asked_for) events_.emplace_back(ResolveEvent{candidate.host_name});
  return AddResult::waits_for_resolution;
}

void Agent::handle_resolved(std::string_view host_name, std::span<const IpAddress> addresses, TimePoint now) {
  if (addresses.empty() || is_silent()) return;  // later it may be found
  std::vector<Candidate> resolved;
  std::erase_if(unresolved_, [&](const Candidate& candidate) {
    if (candidate.host_name != host_name) return false;
    resolved.push_back(candidate);
    return true;
  });
  stats_.candidates_unresolved -= resolved.size();
  for (Candidate& candidate : resolved) {
    candidate.host_name.clear();
    // As browsers do, one address: a name of a candidate stands for one.
    candidate.address.ip = addresses.front();
    static_cast<void>(insert_remote(candidate));
  }
  go_on(now);
}

AddResult Agent::insert_remote(const Candidate& candidate) {
  if (!can_be_sent_to(candidate.address)) {
    ++stats_.candidates_ignored;
    return AddResult::unusable;
  }
  if (Candidate* const known = remote_at(candidate.address)) {
    if (known->type != CandidateType::peer_reflexive || candidate.type == CandidateType::peer_reflexive) {
      return AddResult::duplicate;
    }
    // A check was faster than the signaling.
    --peer_reflexive_count_;
    *known = candidate;
    recompute_priorities();
    return AddResult::added;
  }
  if (remote_candidate_count() >= options_.max_remote_candidates) {
    ++stats_.candidates_refused;
    return AddResult::too_many;
  }
  remotes_.push_back(candidate);
  for (const Base& base : bases_) form_pairs(base, candidate);
  return AddResult::added;
}

void Agent::forget_candidates_of_others() {
  const auto is_of_others = [this](const Candidate& candidate) {
    return !candidate.username_fragment.empty() &&
           candidate.username_fragment != remote_credentials_->username_fragment;
  };
  stats_.candidates_ignored += std::erase_if(remotes_, is_of_others) + std::erase_if(unresolved_, is_of_others);
  std::erase_if(pairs_, [this](const CandidatePair& pair) { return remote_at(pair.remote) == nullptr; });
}

Candidate* Agent::remote_at(const SocketAddress& address) {
  const auto found = std::ranges::find(remotes_, address, &Candidate::address);
  return found != remotes_.end() ? &*found : nullptr;
}

const Candidate* Agent::remote_at(const SocketAddress& address) const {
  const auto found = std::ranges::find(remotes_, address, &Candidate::address);
  return found != remotes_.end() ? &*found : nullptr;
}

void Agent::form_pairs(const Base& base, const Candidate& remote) {
  if (!can_reach(base.address.ip, remote.address.ip)) return;
  if (pair_on({base.address, remote.address}) == nullptr) insert_pair(base, remote);
}

CandidatePair* Agent::insert_pair(const Base& base, const Candidate& remote) {
  const std::uint64_t priority = priority_of(base, remote);
  if (pairs_.size() >= options_.max_pairs && !make_room_for(priority)) {
    ++stats_.pairs_refused;
    return nullptr;
  }
  CandidatePair pair;
  pair.local = base.address;
  pair.remote = remote.address;
  pair.foundation = base.foundation + ':' + remote.foundation;
  pair.priority = priority;
  // RFC 8445 section 6.1.2.6, RFC 8838 section 12: of the same foundation one is checked first, the others when it
  // works.
  const bool is_held_back = std::ranges::any_of(pairs_, [&](const CandidatePair& other) {
    return other.foundation == pair.foundation &&
           (other.state == PairState::waiting || other.state == PairState::in_progress);
  });
  pair.state = is_held_back ? PairState::frozen : PairState::waiting;
  return &pairs_.emplace_back(std::move(pair));
}

bool Agent::make_room_for(std::uint64_t priority) {
  const auto worth = [](const CandidatePair& pair) { return pair.state == PairState::failed ? 0 : pair.priority; };
  auto worst = pairs_.end();
  for (auto pair = pairs_.begin(); pair != pairs_.end(); ++pair) {
    if (pair->state == PairState::succeeded || pair->state == PairState::in_progress) continue;
    if (worst == pairs_.end() || worth(*pair) < worth(*worst)) worst = pair;
  }
  if (worst == pairs_.end() || worth(*worst) >= priority) return false;
  pairs_.erase(worst);
  return true;
}

CandidatePair* Agent::pair_on(const Path& path) {
  const auto found = std::ranges::find_if(
      pairs_, [&](const CandidatePair& pair) { return pair.local == path.local && pair.remote == path.remote; });
  return found != pairs_.end() ? &*found : nullptr;
}

const CandidatePair* Agent::pair_on(const Path& path) const {
  const auto found = std::ranges::find_if(
      pairs_, [&](const CandidatePair& pair) { return pair.local == path.local && pair.remote == path.remote; });
  return found != pairs_.end() ? &*found : nullptr;
}

std::uint64_t Agent::priority_of(const Base& base, const Candidate& remote) const {
  // RFC 8445 section 6.1.2.3: G is the controlling agent's candidate's, D the controlled one's.
  const std::uint64_t ours = candidate_priority(base.type, base.local_preference);
  const std::uint64_t theirs = remote.priority;
  const std::uint64_t controlling = role_ == Role::controlling ? ours : theirs;
  const std::uint64_t controlled = role_ == Role::controlling ? theirs : ours;
  return (std::min(controlling, controlled) << 32) + 2 * std::max(controlling, controlled) +
         (controlling > controlled ? 1 : 0);
}

void Agent::recompute_priorities() {
  for (CandidatePair& pair : pairs_) {
    const Base* const base = base_at(pair.local);
    const Candidate* const remote = remote_at(pair.remote);
    if (base == nullptr || remote == nullptr) continue;
    pair.priority = priority_of(*base, *remote);
    pair.foundation = base->foundation + ':' + remote->foundation;
  }
}

void Agent::unfreeze(std::string_view foundation) {
  for (CandidatePair& pair : pairs_) {
    if (pair.state == PairState::frozen && pair.foundation == foundation) pair.state = PairState::waiting;
  }
}

/// Triggered checks in their order, then RFC 8445 section 6.1.4.2.
std::optional<std::size_t> Agent::next_check() const {
  std::optional<std::size_t> triggered, waiting, frozen;
  const auto is_better = [this](std::size_t i, const std::optional<std::size_t>& best) {
    return !best || pairs_[i].priority > pairs_[*best].priority;
  };
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const CandidatePair& pair = pairs_[i];
    if (pair.trigger != 0 && (!triggered || pair.trigger < pairs_[*triggered].trigger)) triggered = i;
    if (pair.state == PairState::waiting && is_better(i, waiting)) waiting = i;
  }
  if (triggered) return triggered;
  if (waiting) return waiting;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    if (pairs_[i].state == PairState::frozen && is_better(i, frozen) && !is_being_checked(pairs_[i].foundation))
      frozen = i;
  }
  return frozen;
}

bool Agent::is_being_checked(std::string_view foundation) const {
  return std::ranges::any_of(pairs_, [&](const CandidatePair& pair) {
    return pair.state == PairState::in_progress && pair.foundation == foundation;
  });
}

}  // namespace wdc::ice
