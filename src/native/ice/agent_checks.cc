// SPDX-License-Identifier: MIT
// Connectivity checks, both ways (RFC 8445 section 7).
#include <algorithm>
#include <utility>

#include "src/native/ice/agent.h"

namespace wdc::ice {
namespace {

Role other(Role role) { return role == Role::controlling ? Role::controlled : Role::controlling; }

/// What an authenticated peer may make us remember of our own addresses.
constexpr std::size_t kMaxLocalCandidates = 64;

}  // namespace

// ---- ours

void Agent::send_check(CandidatePair& pair, const Credentials& local, const Credentials& remote, TimePoint now) {
  const Base* const base = base_at(pair.local);
  if (base == nullptr) return;
  const SentCheck& check = pair.sent.last();
  StunWriter writer(StunClass::request, StunMethod::binding, check.transaction, memory());
  writer.add_username(remote.username_fragment, local.username_fragment);
  writer.add_priority(candidate_priority(CandidateType::peer_reflexive, base->local_preference));
  if (check.role == Role::controlling) {
    writer.add_controlling(tie_breaker_);
  } else {
    writer.add_controlled(tie_breaker_);
  }
  if (check.nominates) writer.add_use_candidate();
  writer.add_integrity(remote.password);
  queue({pair.local, pair.remote}, writer.finish());
  ++stats_.checks_sent;
  if (pair.state == PairState::succeeded && pair.unanswered_since == kNever) pair.unanswered_since = now;
}

Duration Agent::retransmission_timeout() const {
  // RFC 8445 section 14.3: so that all checks of a long list, repeated, keep the pace.
  const auto active = std::ranges::count_if(pairs_, [](const CandidatePair& pair) {
    return pair.state == PairState::waiting || pair.state == PairState::in_progress;
  });
  return std::max(options_.retransmission_timeout, options_.pacing * active);
}

void Agent::begin_check(CandidatePair& pair, TimePoint now) {
  pair.trigger = 0;
  if (pair.state != PairState::succeeded) pair.state = PairState::in_progress;
  pair.transmissions = 1;
  pair.timeout = retransmission_timeout();
  pair.repeat_at = now + pair.timeout;
  pair.sent.add({new_transaction(), role_, pair.nominating, false, now});
  send_check(pair, local_credentials_, *remote_credentials_, now);
}

void Agent::begin_checks(TimePoint now) {
  if (!remote_credentials_) return;
  while (const auto next = next_check()) {
    if (!take_slot(now)) return;
    begin_check(pairs_[*next], now);
  }
}

void Agent::repeat_checks(TimePoint now) {
  for (CandidatePair& pair : pairs_) {
    if (pair.repeat_at > now) continue;
    if (pair.transmissions < options_.max_transmissions && !pair.sent.is_empty()) {
      ++pair.transmissions;
      pair.sent.last().repeated = true;
      send_check(pair, local_credentials_, *remote_credentials_, now);
      // RFC 8489 section 6.2.1: after the last one the wait is Rm, 16 times the first.
      const bool is_last = pair.transmissions == options_.max_transmissions;
      const Duration wait = pair.timeout * (is_last ? 16 : 1 << (pair.transmissions - 1));
      // A pair that has worked is no load that has to back off: its nomination is pressed.
      pair.repeat_at = now + (pair.state == PairState::succeeded ? std::min(wait, options_.consent_retry) : wait);
    } else if (pair.state == PairState::succeeded) {
      pair.nominating = false;
      pair.repeat_at = kNever;
      arm_consent(pair, now);
    } else {
      fail_pair(pair);
    }
  }
}

void Agent::fail_pair(CandidatePair& pair) {
  pair.state = PairState::failed;
  pair.trigger = 0;
  pair.nominated = pair.nominating = pair.nominate_on_success = false;
  pair.repeat_at = pair.next_consent = pair.unanswered_since = kNever;
  pair.sent.clear();
}

void Agent::trigger(CandidatePair& pair) {
  if (pair.trigger != 0) return;
  pair.state = PairState::waiting;
  pair.repeat_at = kNever;
  pair.trigger = ++triggers_;
}

// ---- the peer's

const Credentials* Agent::named_by(std::string_view username) const {
  const std::size_t colon = username.find(':');
  if (colon == std::string_view::npos) return nullptr;
  const std::string_view ours = username.substr(0, colon);
  if (previous_ && ours == previous_->local.username_fragment) return &previous_->local;
  return ours == local_credentials_.username_fragment ? &local_credentials_ : nullptr;
}

bool Agent::is_authentic(ByteView datagram) const {
  const auto message = StunMessage::parse(datagram);
  if (!message || is_silent()) return false;
  if (message->message_class == StunClass::request) {
    const Credentials* const named = named_by(message->username.value_or(std::string_view{}));
    return named != nullptr && message->is_authentic(named->password);
  }
  if (previous_ && previous_->pair.sent.find(message->transaction))
    return message->is_authentic(previous_->remote.password);
  const bool is_answer = std::ranges::any_of(
      pairs_, [&](const CandidatePair& pair) { return pair.sent.find(message->transaction).has_value(); });
  return is_answer && remote_credentials_ && message->is_authentic(remote_credentials_->password);
}

Arrival Agent::handle_request(const StunMessage& message, const Path& path, TimePoint now) {
  const std::string_view username = message.username.value_or(std::string_view{});
  const Credentials* const named = named_by(username);
  // RFC 8489 section 9.1.3 would have us answer with an error, to whatever address the datagram claims to be from.
  if (named == nullptr || !message.is_authentic(named->password)) {
    ++stats_.unauthenticated;
    return Arrival::dropped;
  }
  const Credentials& local = *named;
  const bool is_current = named == &local_credentials_;
  ++stats_.requests_received;
  if (message.unknown_count > 0) {
    respond_error(message, path, local.password, StunErrorCode::unknown_attribute);
    return Arrival::handled;
  }
  if (is_current && !settle_role(message, path)) return Arrival::handled;
  respond(message, path, local.password);
  if (!is_current) return Arrival::handled;

  const EarlyCheck check{path, std::string(username.substr(username.find(':') + 1)), message.priority,
                         message.transaction, message.use_candidate};
  if (remote_credentials_) {
    // Another name of the peer's is from a restart of which the signaling will tell.
    if (check.remote_fragment == remote_credentials_->username_fragment) learn_from_check(check, now);
    return Arrival::handled;
  }
  const auto known = std::ranges::find_if(early_checks_, [&](const EarlyCheck& early) { return early.path == path; });
  if (known != early_checks_.end()) {
    const bool use_candidate = known->use_candidate || check.use_candidate;
    *known = check;
    known->use_candidate = use_candidate;
  } else if (early_checks_.size() < options_.max_early_checks) {
    early_checks_.push_back(check);
  }
  return Arrival::handled;
}

void Agent::refuse_datagram(ByteView datagram, const Path& path, TimePoint now) {
  if (!is_authentic(datagram)) return;
  const auto message = StunMessage::parse(datagram);
  if (message->message_class == StunClass::request)
    respond_error(*message, path, named_by(*message->username)->password, StunErrorCode::forbidden);
  if (CandidatePair* const pair = pair_on(path)) fail_pair(*pair);
  go_on(now);
}

/// RFC 8445 section 7.3.1.1. False where the request was answered with a role conflict.
bool Agent::settle_role(const StunMessage& message, const Path& path) {
  const auto& theirs = role_ == Role::controlling ? message.controlling : message.controlled;
  if (!theirs || role_switches_ >= options_.max_role_switches) return true;
  ++stats_.role_conflicts;
  const bool we_control = tie_breaker_ >= *theirs;
  if ((role_ == Role::controlling) == we_control) {
    respond_error(message, path, local_credentials_.password, StunErrorCode::role_conflict);
    return false;
  }
  switch_role(other(role_));
  return true;
}

void Agent::switch_role(Role role) {
  role_ = role;
  ++role_switches_;
  recompute_priorities();
  for (CandidatePair& pair : pairs_) {
    if (pair.nominating) pair.repeat_at = kNever;
    pair.nominated = pair.nominating = pair.nominate_on_success = false;
  }
  events_.emplace_back(RoleEvent{role});
}

void Agent::respond(const StunMessage& request, const Path& path, std::string_view password) {
  StunWriter writer(StunClass::success, request.method, request.transaction, memory());
  writer.add_xor_mapped_address(path.remote);
  writer.add_integrity(password);
  queue(path, writer.finish());
  ++stats_.responses_sent;
}

void Agent::respond_error(const StunMessage& request, const Path& path, std::string_view password, StunErrorCode code) {
  StunWriter writer(StunClass::error, request.method, request.transaction, memory());
  if (code == StunErrorCode::unknown_attribute) {
    writer.add_error_code(code, "Unknown Attribute");
    writer.add_unknown_attributes(std::span(request.unknown).first(request.unknown_count));
  } else {
    writer.add_error_code(code, code == StunErrorCode::forbidden ? "Forbidden" : "Role Conflict");
  }
  writer.add_integrity(password);
  queue(path, writer.finish());
  ++stats_.responses_sent;
}

/// RFC 8445 sections 7.3.1.3 to 7.3.1.5.
void Agent::learn_from_check(const EarlyCheck& check, TimePoint now) {
  const Base* const base = base_at(check.path.local);
  if (base == nullptr) return;
  const Candidate* remote = remote_at(check.path.remote);
  if (remote == nullptr) {
    if (!check.priority || peer_reflexive_count_ >= options_.max_peer_reflexive ||
        remote_candidate_count() >= options_.max_remote_candidates) {
      ++stats_.candidates_refused;
      return;
    }
    ++peer_reflexive_count_;
    remote = &remotes_.emplace_back(Candidate{.foundation = "prflx" + std::to_string(++triggers_),
                                              .priority = *check.priority,
                                              .address = check.path.remote,
                                              .host_name = {},
                                              .type = CandidateType::peer_reflexive,
                                              .related = {},
                                              .username_fragment = check.remote_fragment});
  }
  CandidatePair* pair = pair_on(check.path);
  if (pair == nullptr) pair = insert_pair(*base, *remote);
  if (pair == nullptr) return;
  pair->was_heard = true;
  if (role_ == Role::controlled) {
    if (!check.use_candidate) peer_also_checks_without_nominating_ = true;
    if (check.use_candidate) accept_nomination(*pair, check.transaction);
  }
  // The peer's check may have opened a NAT that ate ours; one that was sent a moment ago is still to be answered.
  const bool was_just_checked = pair->state == PairState::in_progress && now - pair->sent.last().at < options_.pacing;
  if (pair->state != PairState::succeeded && !was_just_checked) trigger(*pair);
}

void Agent::accept_nomination(CandidatePair& pair, const TransactionId& transaction) {
  if (pair.nominated_by == transaction) return;  // a repetition, which may come after a later nomination
  pair.nominated_by = transaction;
  // A peer that nominates whatever it checks means the best of them (RFC 5245's aggressive nomination). One that
  // chooses means the last: it has seen the others break.
  if (peer_also_checks_without_nominating_) {
    for (CandidatePair& other_pair : pairs_) other_pair.nominated = other_pair.nominate_on_success = false;
  }
  (pair.state == PairState::succeeded ? pair.nominated : pair.nominate_on_success) = true;
}

// ---- answers

Arrival Agent::handle_response(const StunMessage& message, const Path& path, TimePoint now) {
  if (previous_ && previous_->pair.sent.find(message.transaction)) return handle_previous_response(message, path, now);
  for (CandidatePair& pair : pairs_) {
    const auto check = pair.sent.find(message.transaction);
    if (!check) continue;
    if (!message.is_authentic(remote_credentials_->password)) {
      ++stats_.unauthenticated;
      return Arrival::dropped;
    }
    ++stats_.responses_received;
    pair.sent.remove(message.transaction);
    const bool is_understood = message.unknown_count == 0 &&
                               (message.message_class == StunClass::success ? message.xor_mapped_address.has_value()
                                                                            : message.error_code.has_value());
    // RFC 8445 section 7.2.5.2.1: it must come from where the request went, to where it came from.
    if (!is_understood || path != Path{pair.local, pair.remote}) {
      if (pair.state != PairState::succeeded) fail_pair(pair);
    } else if (message.message_class == StunClass::error) {
      handle_error(pair, *check, *message.error_code);
    } else {
      handle_success(pair, *check, *message.xor_mapped_address, now);
    }
    return Arrival::handled;
  }
  return handle_server_response(message, path, now);
}

Arrival Agent::handle_previous_response(const StunMessage& message, const Path& path, TimePoint now) {
  const bool is_on_path = path == Path{previous_->pair.local, previous_->pair.remote};
  if (!is_on_path || !message.is_authentic(previous_->remote.password)) {
    ++stats_.unauthenticated;
    return Arrival::dropped;
  }
  ++stats_.responses_received;
  const auto check = previous_->pair.sent.find(message.transaction);
  previous_->pair.sent.remove(message.transaction);
  if (message.message_class == StunClass::success) note_answer(previous_->pair, *check, now);
  return Arrival::handled;
}

void Agent::handle_error(CandidatePair& pair, const SentCheck& check, StunErrorCode code) {
  if (code == StunErrorCode::role_conflict) {
    // RFC 8445 section 7.2.5.1. Several checks may bring this for one conflict.
    if (check.role == role_ && peer_kind_ == PeerKind::full && role_switches_ < options_.max_role_switches) {
      ++stats_.role_conflicts;
      tie_breaker_ = random_.next();
      switch_role(other(role_));
    } else if (check.role == role_) {
      return fail_pair(pair);
    }
    if (pair.state != PairState::succeeded) trigger(pair);
    return;
  }
  // RFC 7675 section 5.2: 403 takes consent back. Other errors leave a path that has worked to the next check.
  if (pair.state != PairState::succeeded || code == StunErrorCode::forbidden) fail_pair(pair);
}

/// RFC 8445 section 7.2.5.3.
void Agent::handle_success(CandidatePair& pair, const SentCheck& check, const SocketAddress& mapped, TimePoint now) {
  const bool is_first = pair.state != PairState::succeeded;
  pair.state = PairState::succeeded;
  pair.trigger = 0;
  pair.mapped = mapped;
  if (!pair.nominating || check.nominates) pair.repeat_at = kNever;
  note_answer(pair, check, now);
  if (is_first) {
    if (first_valid_ == kNever) first_valid_ = now;
    unfreeze(pair.foundation);
    if (const Base* const base = base_at(pair.local); base != nullptr && locals_.size() < kMaxLocalCandidates) {
      const auto priority = candidate_priority(CandidateType::peer_reflexive, base->local_preference);
      add_local_candidate({.foundation = base->foundation,
                           .priority = priority,
                           .address = mapped,
                           .host_name = {},
                           .type = CandidateType::peer_reflexive,
                           .related = base->address,
                           .username_fragment = {}},
                          base->address);
    }
  }
  if (check.nominates && pair.nominating) {
    for (CandidatePair& other_pair : pairs_) other_pair.nominated = false;
    pair.nominating = false;
    pair.nominated = true;
  }
  if (pair.nominate_on_success && role_ == Role::controlled) pair.nominated = true;
  pair.nominate_on_success = false;
}

}  // namespace wdc::ice
