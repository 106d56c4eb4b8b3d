// SPDX-License-Identifier: MIT
#include "src/native/ice/agent.h"

#include <algorithm>
#include <utility>

namespace wdc::ice {

namespace {
constexpr std::size_t kMostSpare = 8;
}

Agent::Agent(const AgentOptions& options, native::RandomSource& random)
    : options_(options),
      random_(random),
      role_(options.role),
      tie_breaker_(random.next()),
      local_credentials_(make_credentials(random)) {
  // A path that turns up while data flows allocates nothing.
  constexpr std::size_t kUsual = 8;
  locals_.reserve(kUsual);
  remotes_.reserve(kUsual);
  pairs_.reserve(kUsual);
  transmits_.reserve(kUsual);
  events_.reserve(kUsual);
  spare_.reserve(kMostSpare);
}

bool Agent::set_remote_credentials(Credentials credentials, PeerKind kind, TimePoint now) {
  if (state_ == AgentState::closed || !are_well_formed(credentials)) return false;
  // With our own words our checks would be our answers, wherever a mirror stands.
  if (credentials.username_fragment == local_credentials_.username_fragment) return false;
  if (remote_credentials_) return *remote_credentials_ == credentials;
  if (is_silent()) return false;
  remote_credentials_ = std::move(credentials);
  peer_kind_ = kind;
  // RFC 8445 section 6.1.1: beside a lite agent the full one controls.
  if (kind == PeerKind::lite && role_ == Role::controlled) switch_role(Role::controlling);
  fail_at_ = now + options_.connect_timeout;
  // Candidates and checks may have come before: those of other credentials are from before the peer's last restart.
  forget_candidates_of_others();
  for (const EarlyCheck& check : std::exchange(early_checks_, {})) {
    if (check.remote_fragment == remote_credentials_->username_fragment) learn_from_check(check, now);
  }
  go_on(now);
  return true;
}

void Agent::restart(TimePoint now) {
  if (state_ == AgentState::closed) return;
  if (selected_ && remote_credentials_) {
    if (CandidatePair* const pair = pair_on(*selected_); pair != nullptr && is_live(*pair, now)) {
      previous_ = Previous{*pair, local_credentials_, *remote_credentials_};
    }
  }
  local_credentials_ = make_credentials(random_);
  remote_credentials_.reset();
  peer_kind_ = PeerKind::full;
  role_switches_ = 0;
  peer_also_checks_without_nominating_ = false;
  remotes_.clear();
  unresolved_.clear();
  early_checks_.clear();
  pairs_.clear();
  peer_reflexive_count_ = 0;
  first_valid_ = nominate_at_ = kNever;
  if (!previous_) {
    selected_.reset();
    was_connected_ = false;
    fail_at_ = kNever;
    set_state(AgentState::new_);
  }
  locals_.clear();
  server_requests_.clear();
  gathering_reported_ = false;
  for (const Base& base : bases_) {
    Candidate candidate{.foundation = base.foundation,
                        .priority = candidate_priority(base.type, base.local_preference),
                        .address = base.address,
                        .host_name = {},
                        .type = base.type,
                        .related = {},
                        .username_fragment = {}};
    add_local_candidate(std::move(candidate), base.address);
    for (const SocketAddress& server : servers_) ask_server(base.address, server);
  }
  go_on(now);
}

void Agent::close() { fall_silent(AgentState::closed); }

void Agent::fall_silent(AgentState state) {
  pairs_.clear();
  previous_.reset();
  selected_.reset();
  server_requests_.clear();
  early_checks_.clear();
  transmits_.clear();
  deadline_ = fail_at_ = kNever;
  set_state(state);
}

Arrival Agent::handle_datagram(ByteView datagram, const Path& path, TimePoint now) {
  if (is_silent()) return Arrival::dropped;
  const auto message = StunMessage::parse(datagram);
  if (!message || message->method != StunMethod::binding) {
    ++stats_.malformed;
    return Arrival::dropped;
  }
  if (base_at(path.local) == nullptr) {
    ++stats_.misdirected;
    return Arrival::dropped;
  }
  Arrival arrival = Arrival::handled;
  switch (message->message_class) {
    case StunClass::request:
      arrival = handle_request(*message, path, now);
      break;
    case StunClass::indication:  // keeps a NAT's binding alive by its arrival alone (RFC 8445 section 11)
      break;
    case StunClass::success:
    case StunClass::error:
      arrival = handle_response(*message, path, now);
      break;
  }
  if (arrival == Arrival::handled) go_on(now);
  return arrival;
}

std::optional<Transmit> Agent::poll_transmit() {
  if (transmits_.empty()) return std::nullopt;
  Transmit transmit = std::move(transmits_.front());
  transmits_.erase(transmits_.begin());  // a few at most
  return transmit;
}

std::optional<AgentEvent> Agent::poll_event() {
  if (events_.empty()) return std::nullopt;
  AgentEvent event = std::move(events_.front());
  events_.erase(events_.begin());  // a few at most
  return event;
}

std::optional<Path> Agent::selected_path() const { return selected_; }

bool Agent::may_send(const Path& path, TimePoint now) const {
  const CandidatePair* const pair = pair_on(path);
  if (pair != nullptr && is_live(*pair, now)) return true;
  return previous_ && Path{previous_->pair.local, previous_->pair.remote} == path && is_live(previous_->pair, now);
}

bool Agent::may_receive(const Path& path) const {
  const CandidatePair* const pair = pair_on(path);
  if (pair != nullptr && (pair->was_heard || pair->state == PairState::succeeded)) return true;
  if (previous_ && Path{previous_->pair.local, previous_->pair.remote} == path) return true;
  return std::ranges::any_of(early_checks_, [&](const EarlyCheck& check) { return check.path == path; });
}

void Agent::give_up() {
  if (remote_credentials_) return fall_silent(AgentState::failed);
  // The old path is dead, but a restart waits for the peer's answer.
  previous_.reset();
  fail_at_ = kNever;
}

void Agent::go_on(TimePoint now) {
  if (is_silent()) return;
  expire_pairs(now);
  if (now >= fail_at_) give_up();
  if (is_silent()) return;
  repeat_checks(now);
  nominate(now);  // may end a check that stood in for one of consent
  check_consent(now);
  begin_checks(now);
  advance_server_requests(now);
  select(now);
  update_state(now);
  report_gathering();
  deadline_ = compute_deadline(now);
}

TimePoint Agent::compute_deadline(TimePoint now) const {
  TimePoint deadline = std::min(fail_at_, nominate_at_);
  for (const CandidatePair& pair : pairs_) {
    deadline = std::min(deadline, pair.repeat_at);
    if (pair.state == PairState::succeeded) deadline = std::min(deadline, consent_deadline(pair, now));
  }
  if (previous_) deadline = std::min(deadline, consent_deadline(previous_->pair, now));
  bool wants_slot = remote_credentials_ && next_check();
  for (const ServerRequest& request : server_requests_) {
    deadline = std::min(deadline, request.deadline);
    wants_slot = wants_slot || (request.transmissions == 0 && request.deadline == kNever && !request.is_done);
  }
  // A moment that has passed would be a promise to do something now, which go_on() has done.
  if (wants_slot) deadline = std::min(deadline, std::max(next_slot(), now + Duration(1)));
  return deadline;
}

bool Agent::take_slot(TimePoint now) {
  if (next_slot() > now) return false;
  paced_until_ = std::max(paced_until_, now) + options_.pacing;
  return true;
}

TransactionId Agent::new_transaction() {
  TransactionId transaction;
  std::uint64_t bits = random_.next();
  for (std::size_t i = 0; i < transaction.bytes.size(); ++i) {
    if (i == 8) bits = random_.next();
    transaction.bytes[i] = static_cast<std::byte>(bits);
    bits >>= 8;
  }
  return transaction;
}

void Agent::take_back(std::vector<std::byte> bytes) {
  if (bytes.capacity() > 0 && spare_.size() < kMostSpare) spare_.push_back(std::move(bytes));
}

std::vector<std::byte> Agent::memory() {
  constexpr int kAtOnce = 4;  // several paths may be checked at a time
  if (spare_.empty())
    for (int i = 0; i < kAtOnce; ++i) spare_.emplace_back().reserve(StunWriter::kUsualSize);
  auto memory = std::move(spare_.back());
  spare_.pop_back();
  return memory;
}

void Agent::queue(const Path& path, std::vector<std::byte> bytes) {
  if (transmits_.size() >= options_.max_queued_datagrams) {
    ++stats_.transmits_dropped;
    return;
  }
  transmits_.push_back({path, std::move(bytes)});
}

}  // namespace wdc::ice
