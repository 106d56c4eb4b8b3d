// SPDX-License-Identifier: MIT
// Which pair is used, and for how long: nomination (RFC 8445 section 8), consent (RFC 7675) and the agent's state.
#include <algorithm>
#include <tuple>
#include <utility>

#include "src/native/ice/agent.h"

namespace wdc::ice {

bool Agent::is_live(const CandidatePair& pair, TimePoint now) const {
  return pair.state == PairState::succeeded && now < pair.last_response + options_.consent_lifetime;
}

bool Agent::is_responsive(const CandidatePair& pair, TimePoint now) const {
  return pair.unanswered_since == kNever || now < pair.unanswered_since + options_.unresponsive_after;
}

bool Agent::is_selected(const CandidatePair& pair) const { return selected_ == Path{pair.local, pair.remote}; }

// ---- consent

void Agent::note_answer(CandidatePair& pair, const SentCheck& check, TimePoint now) {
  pair.last_response = now;
  pair.unanswered_since = kNever;
  fail_at_ = now + options_.consent_lifetime;
  if (!check.repeated && (!selected_ || is_selected(pair))) stats_.round_trip = now - check.at;
  arm_consent(pair, now);
}

void Agent::arm_consent(CandidatePair& pair, TimePoint now) {
  // RFC 7675 section 5.1: 0.8 to 1.2 times the interval, so that ends do not fall into step.
  const Duration interval = is_selected(pair) ? options_.consent_interval : options_.keepalive_interval;
  const auto thousandths = static_cast<std::int64_t>(800 + random_.next() % 401);
  pair.next_consent = now + interval / 1'000 * thousandths;
}

void Agent::send_consent_check(CandidatePair& pair, const Credentials& local, const Credentials& remote,
                               TimePoint now) {
  pair.sent.add({new_transaction(), role_, false, false, now});
  send_check(pair, local, remote, now);
  pair.next_consent = now + (is_selected(pair) ? options_.consent_retry : options_.consent_interval);
}

void Agent::check_consent(TimePoint now) {
  limit_standby();
  if (previous_ && previous_->pair.next_consent <= now) {
    send_consent_check(previous_->pair, previous_->local, previous_->remote, now);
  }
  if (!remote_credentials_) return;
  // Where an answer is missing on the path in use, the others have to show whether they still work.
  const CandidatePair* const in_use = selected_ ? pair_on(*selected_) : nullptr;
  const bool is_in_doubt = in_use != nullptr && in_use->next_consent <= now && in_use->unanswered_since != kNever;
  for (CandidatePair& pair : pairs_) {
    if (pair.state != PairState::succeeded || pair.repeat_at != kNever || pair.next_consent == kNever) continue;
    if (pair.next_consent <= now || is_in_doubt)
      send_consent_check(pair, local_credentials_, *remote_credentials_, now);
  }
}

/// Only the best of the valid pairs that are not in use are kept alive; the others' consent runs out.
void Agent::limit_standby() {
  const auto is_standby = [this](const CandidatePair& pair) {
    return pair.state == PairState::succeeded && pair.next_consent != kNever && !is_selected(pair) &&
           pair.repeat_at == kNever;
  };
  while (std::cmp_greater(std::ranges::count_if(pairs_, is_standby), options_.max_standby_pairs)) {
    CandidatePair* worst = nullptr;
    for (CandidatePair& pair : pairs_) {
      if (is_standby(pair) && (worst == nullptr || pair.priority < worst->priority)) worst = &pair;
    }
    worst->next_consent = kNever;
  }
}

TimePoint Agent::consent_deadline(const CandidatePair& pair, TimePoint now) const {
  TimePoint deadline = pair.last_response + options_.consent_lifetime;
  if (pair.repeat_at == kNever) deadline = std::min(deadline, pair.next_consent);
  if (pair.unanswered_since != kNever && is_responsive(pair, now)) {
    deadline = std::min(deadline, pair.unanswered_since + options_.unresponsive_after);
  }
  return deadline;
}

void Agent::expire_pairs(TimePoint now) {
  for (CandidatePair& pair : pairs_) {
    if (pair.state == PairState::succeeded && !is_live(pair, now)) fail_pair(pair);
  }
  if (previous_ && !is_live(previous_->pair, now)) previous_.reset();
}

// ---- nomination

void Agent::nominate(TimePoint now) {
  nominate_at_ = kNever;
  if (role_ != Role::controlling || !remote_credentials_) return;
  CandidatePair* best = nullptr;
  for (CandidatePair& pair : pairs_) {
    if (!is_live(pair, now) || !is_responsive(pair, now)) continue;
    if (pair.nominated || pair.nominating) return;
    if (best == nullptr || pair.priority > best->priority) best = &pair;
  }
  if (best == nullptr) return;
  const bool better_may_come = std::ranges::any_of(pairs_, [&](const CandidatePair& pair) {
    const bool is_open = pair.state != PairState::succeeded && pair.state != PairState::failed;
    return is_open && pair.priority > best->priority;
  });
  if (better_may_come && now < first_valid_ + options_.nomination_wait) {
    nominate_at_ = first_valid_ + options_.nomination_wait;
    return;
  }
  // What was nominated before does not answer any more.
  for (CandidatePair& pair : pairs_) {
    if (pair.nominating) pair.repeat_at = kNever;
    pair.nominated = pair.nominating = false;
  }
  best->nominating = true;
  begin_check(*best, now);
}

// ---- selection and state

void Agent::select(TimePoint now) {
  const auto worth = [&](const CandidatePair& pair) {
    return std::tuple(is_responsive(pair, now), pair.nominated, pair.priority);
  };
  CandidatePair* best = nullptr;
  for (CandidatePair& pair : pairs_) {
    if (is_live(pair, now) && (best == nullptr || worth(pair) > worth(*best))) best = &pair;
  }
  std::optional<Path> path;
  if (best != nullptr) {
    path = Path{best->local, best->remote};
  } else if (previous_) {
    path = Path{previous_->pair.local, previous_->pair.remote};
  }
  if (path == selected_) return;
  selected_ = path;
  if (best == nullptr) return;
  // The old path is still listened to until its consent runs out.
  if (previous_) previous_->pair.next_consent = kNever;
  if (best->repeat_at == kNever && best->unanswered_since == kNever) arm_consent(*best, now);
  const Candidate* const remote = remote_at(best->remote);
  events_.emplace_back(PathEvent{*path, local_type_of(*best), remote != nullptr ? remote->type : CandidateType::host});
}

CandidateType Agent::local_type_of(const CandidatePair& pair) const {
  for (const LocalCandidate& local : locals_) {
    if (local.base == pair.local && local.candidate.address == pair.mapped) return local.candidate.type;
  }
  return CandidateType::peer_reflexive;
}

void Agent::update_state(TimePoint now) {
  if (!selected_) {
    if (was_connected_) return set_state(AgentState::disconnected);
    return set_state(remote_credentials_ ? AgentState::checking : AgentState::new_);
  }
  was_connected_ = true;
  const CandidatePair* const pair = pair_on(*selected_);
  const CandidatePair& in_use = pair != nullptr ? *pair : previous_->pair;
  if (!is_responsive(in_use, now)) return set_state(AgentState::disconnected);
  set_state(in_use.nominated ? AgentState::completed : AgentState::connected);
}

void Agent::set_state(AgentState state) {
  if (state == state_) return;
  state_ = state;
  events_.emplace_back(StateEvent{state});
}

}  // namespace wdc::ice
