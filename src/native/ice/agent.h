// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/native/base/random_source.h"
#include "src/native/ice/agent_options.h"
#include "src/native/ice/candidate.h"
#include "src/native/ice/candidate_pair.h"
#include "src/native/ice/credentials.h"
#include "src/native/ice/stun_message.h"

namespace wdc::ice {

enum class PeerKind : std::uint8_t { full, lite };

///   new_ --credentials of the peer--> checking --a pair is valid--> connected --a pair is nominated--> completed
///   connected, completed <--answers--> disconnected      any of them --no answer for too long--> failed
///   failed --restart()--> new_       any --close()--> closed
enum class AgentState : std::uint8_t { new_, checking, connected, completed, disconnected, failed, closed };

/// Two addresses between which datagrams go: a socket's, or a relay's, and the peer's.
struct Path {
  SocketAddress local;
  SocketAddress remote;
  friend bool operator==(const Path&, const Path&) = default;
};

/// A candidate of ours, to be told to the peer.
struct LocalCandidateEvent {
  Candidate candidate;
};
/// No further candidates of ours follow for these credentials.
struct GatheringDoneEvent {};
struct StateEvent {
  AgentState state;
};
/// Send here from now on.
struct PathEvent {
  Path path;
  CandidateType local_type;
  CandidateType remote_type;
};
/// The peer's candidate has a name (mDNS) that may be resolved: handle_resolved() says to what.
struct ResolveEvent {
  std::string host_name;
};
struct RoleEvent {
  Role role;
};
using AgentEvent =
    std::variant<LocalCandidateEvent, GatheringDoneEvent, StateEvent, PathEvent, ResolveEvent, RoleEvent>;

enum class AddResult : std::uint8_t {
  added,
  waits_for_resolution,
  duplicate,
  ignored,   // TCP, another component or other credentials
  unusable,  // an address that nothing can be sent to
  too_many,
};

/// A datagram to be sent.
struct Transmit {
  Path path;
  std::vector<std::byte> bytes;
};

/// What came of a datagram.
enum class Arrival : std::uint8_t { handled, dropped };

/// Noise from the network and other numbers worth knowing.
struct AgentStats {
  std::uint64_t requests_received = 0;
  std::uint64_t responses_received = 0;
  std::uint64_t malformed = 0;
  std::uint64_t unauthenticated = 0;
  std::uint64_t unexpected_responses = 0;  // to nothing that was asked
  std::uint64_t misdirected = 0;           // at an address that is not ours (any more)
  std::uint64_t checks_sent = 0;           // with their repetitions
  std::uint64_t responses_sent = 0;
  std::uint64_t transmits_dropped = 0;
  std::uint64_t role_conflicts = 0;
  std::uint64_t candidates_ignored = 0;
  std::uint64_t candidates_refused = 0;     // over a limit
  std::uint64_t candidates_unresolved = 0;  // names, until they are resolved
  std::uint64_t pairs_refused = 0;
  Duration round_trip{};  // the last one measured on the path in use
};

/// A full ICE agent (RFC 8445) for one data stream with one component, with trickling both ways (RFC 8838) and consent
/// (RFC 7675), without sockets, clocks or threads.
///
/// After every call that is not const, drain it: poll_transmit() and poll_event() until they are empty; then wait for
/// datagrams, or until next_deadline() and call handle_timeout(). Time never goes backwards.
///
/// What is not authenticated by the passwords of both ends changes nothing and is not answered.
class Agent {
 public:
  /// `random` outlives the agent.
  Agent(const AgentOptions& options, native::RandomSource& random);

  // ---- our side

  /// Something datagrams can be sent from: a socket's address (host) or a relay's (relayed, with the address the relay
  /// sees as `related`). Larger local preferences are tried earlier; each should be given once.
  void add_local_address(const SocketAddress& address, CandidateType type, std::uint16_t local_preference,
                         TimePoint now, std::optional<SocketAddress> related = {});
  /// The address is gone: its socket was closed, its interface went down.
  void remove_local_address(const SocketAddress& address, TimePoint now);
  /// A STUN server to ask for the addresses that others see, from each host address of its family.
  void add_server(const SocketAddress& server, TimePoint now);
  /// All addresses there are for now have been added; more may follow when an interface comes up.
  void end_of_local_addresses(TimePoint now);

  // ---- the peer's side

  /// From the peer's description. False, and nothing changes, where they are ours, too short or long, or others than
  /// were given since the last restart().
  [[nodiscard]] bool set_remote_credentials(Credentials credentials, PeerKind kind, TimePoint now);
  [[nodiscard]] AddResult add_remote_candidate(const Candidate& candidate, TimePoint now);
  /// The answer to a ResolveEvent; no addresses: there are none.
  void handle_resolved(std::string_view host_name, std::span<const IpAddress> addresses, TimePoint now);

  // ---- both

  /// New credentials for a new description (RFC 8445 section 9). The path in use stays in use until another is found.
  void restart(TimePoint now);
  /// Silence from here on.
  void close();

  // ---- handle

  /// A datagram that looks_like_stun(), from `path.remote`, which came in at `path.local`.
  Arrival handle_datagram(ByteView datagram, const Path& path, TimePoint now);
  /// The same, where another connection of ours has this path: a check is answered with 403, so that both ends go on to
  /// others without waiting.
  void refuse_datagram(ByteView datagram, const Path& path, TimePoint now);
  void handle_timeout(TimePoint now) { go_on(now); }

  // ---- poll

  [[nodiscard]] std::optional<Transmit> poll_transmit();
  /// A datagram that has been sent, for its memory: checks of a path in use then allocate nothing.
  void take_back(std::vector<std::byte> bytes);
  [[nodiscard]] std::optional<AgentEvent> poll_event();
  /// kNever: only a datagram or a call can change anything.
  [[nodiscard]] TimePoint next_deadline() const { return deadline_; }

  // ---- getters

  [[nodiscard]] const Credentials& local_credentials() const { return local_credentials_; }
  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] AgentState state() const { return state_; }
  /// Where to send; empty where nothing may be sent.
  [[nodiscard]] std::optional<Path> selected_path() const;
  /// Whether the peer has answered a check on this path within the time of consent: datagrams may be sent on it.
  [[nodiscard]] bool may_send(const Path& path, TimePoint now) const;
  /// Whether an authenticated check or answer came on this path: other datagrams may be listened to.
  [[nodiscard]] bool may_receive(const Path& path) const;
  /// Whether the peer has made this message: a check by our password, an answer to a check of ours by the peer's.
  [[nodiscard]] bool is_authentic(ByteView datagram) const;
  [[nodiscard]] std::size_t pair_count() const { return pairs_.size(); }
  [[nodiscard]] std::size_t remote_candidate_count() const { return remotes_.size() + unresolved_.size(); }
  [[nodiscard]] const AgentStats& stats() const { return stats_; }

 private:
  /// What checks are sent from (RFC 8445: the base of candidates).
  struct Base {
    SocketAddress address;
    CandidateType type;
    std::uint16_t local_preference;
    std::string foundation;
  };
  struct LocalCandidate {
    Candidate candidate;
    SocketAddress base;
  };
  /// Asking one server from one base.
  struct ServerRequest {
    SocketAddress base;
    SocketAddress server;
    TransactionId transaction;
    int transmissions = 0;  // 0: waits for its turn
    TimePoint deadline = kNever;
    bool is_done = false;  // has been answered or given up once
  };
  /// An authenticated request of a peer whose credentials are not known yet.
  struct EarlyCheck {
    Path path;
    std::string remote_fragment;
    std::optional<std::uint32_t> priority;
    TransactionId transaction;
    bool use_candidate;
  };
  /// The path that was in use before a restart.
  struct Previous {
    CandidatePair pair;
    Credentials local;
    Credentials remote;
  };
  /// What foundations stand for (RFC 8445 section 5.1.1.3).
  struct FoundationKey {
    CandidateType type;
    IpAddress base;
    std::optional<IpAddress> server;
    friend bool operator==(const FoundationKey&, const FoundationKey&) = default;
  };

  // Gathering.
  void add_local_candidate(Candidate candidate, const SocketAddress& base);
  [[nodiscard]] std::string foundation_of(const FoundationKey& key);
  void ask_server(const SocketAddress& base, const SocketAddress& server);
  void send_server_request(ServerRequest& request, TimePoint now);
  void advance_server_requests(TimePoint now);
  [[nodiscard]] Arrival handle_server_response(const StunMessage& message, const Path& path, TimePoint now);
  void report_gathering();
  [[nodiscard]] const Base* base_at(const SocketAddress& address) const;

  // Pairs.
  AddResult insert_remote(const Candidate& candidate);
  [[nodiscard]] Candidate* remote_at(const SocketAddress& address);
  [[nodiscard]] const Candidate* remote_at(const SocketAddress& address) const;
  void form_pairs(const Base& base, const Candidate& remote);
  CandidatePair* insert_pair(const Base& base, const Candidate& remote);
  [[nodiscard]] CandidatePair* pair_on(const Path& path);
  [[nodiscard]] const CandidatePair* pair_on(const Path& path) const;
  [[nodiscard]] bool make_room_for(std::uint64_t priority);
  [[nodiscard]] std::uint64_t priority_of(const Base& base, const Candidate& remote) const;
  void recompute_priorities();
  void unfreeze(std::string_view foundation);
  void forget_candidates_of_others();
  [[nodiscard]] std::optional<std::size_t> next_check() const;
  [[nodiscard]] bool is_being_checked(std::string_view foundation) const;

  // Checks.
  void send_check(CandidatePair& pair, const Credentials& local, const Credentials& remote, TimePoint now);
  void begin_check(CandidatePair& pair, TimePoint now);
  void repeat_checks(TimePoint now);
  void begin_checks(TimePoint now);
  [[nodiscard]] Duration retransmission_timeout() const;
  [[nodiscard]] Arrival handle_request(const StunMessage& message, const Path& path, TimePoint now);
  /// Ours that a username ("ours:theirs") names; null where it names none.
  [[nodiscard]] const Credentials* named_by(std::string_view username) const;
  [[nodiscard]] bool settle_role(const StunMessage& message, const Path& path);
  void learn_from_check(const EarlyCheck& check, TimePoint now);
  void accept_nomination(CandidatePair& pair, const TransactionId& transaction);
  void respond(const StunMessage& request, const Path& path, std::string_view password);
  void respond_error(const StunMessage& request, const Path& path, std::string_view password, StunErrorCode code);
  [[nodiscard]] Arrival handle_response(const StunMessage& message, const Path& path, TimePoint now);
  [[nodiscard]] Arrival handle_previous_response(const StunMessage& message, const Path& path, TimePoint now);
  void handle_error(CandidatePair& pair, const SentCheck& check, StunErrorCode code);
  void handle_success(CandidatePair& pair, const SentCheck& check, const SocketAddress& mapped, TimePoint now);
  void fail_pair(CandidatePair& pair);
  void trigger(CandidatePair& pair);
  void switch_role(Role role);
  void queue(const Path& path, std::vector<std::byte> bytes);
  [[nodiscard]] std::vector<std::byte> memory();

  // Nomination, consent, state.
  void check_consent(TimePoint now);
  void send_consent_check(CandidatePair& pair, const Credentials& local, const Credentials& remote, TimePoint now);
  void note_answer(CandidatePair& pair, const SentCheck& check, TimePoint now);
  void arm_consent(CandidatePair& pair, TimePoint now);
  void limit_standby();
  [[nodiscard]] bool is_selected(const CandidatePair& pair) const;
  [[nodiscard]] CandidateType local_type_of(const CandidatePair& pair) const;
  void expire_pairs(TimePoint now);
  void nominate(TimePoint now);
  void select(TimePoint now);
  void update_state(TimePoint now);
  void set_state(AgentState state);
  void give_up();
  void fall_silent(AgentState state);
  [[nodiscard]] bool is_responsive(const CandidatePair& pair, TimePoint now) const;
  [[nodiscard]] bool is_live(const CandidatePair& pair, TimePoint now) const;
  [[nodiscard]] TimePoint consent_deadline(const CandidatePair& pair, TimePoint now) const;

  // Everything that is due now; ends every call.
  void go_on(TimePoint now);
  [[nodiscard]] TimePoint compute_deadline(TimePoint now) const;
  [[nodiscard]] TimePoint next_slot() const { return paced_until_ - (options_.burst - 1) * options_.pacing; }
  [[nodiscard]] bool take_slot(TimePoint now);
  [[nodiscard]] TransactionId new_transaction();
  [[nodiscard]] bool is_silent() const { return state_ == AgentState::failed || state_ == AgentState::closed; }

  AgentOptions options_;
  native::RandomSource& random_;
  Role role_;
  std::uint64_t tie_breaker_;
  int role_switches_ = 0;
  PeerKind peer_kind_ = PeerKind::full;
  Credentials local_credentials_;
  std::optional<Credentials> remote_credentials_;

  std::vector<Base> bases_;
  std::vector<SocketAddress> servers_;
  std::vector<LocalCandidate> locals_;
  std::vector<FoundationKey> foundations_;
  std::vector<ServerRequest> server_requests_;
  bool local_addresses_ended_ = false;
  bool gathering_reported_ = false;

  std::vector<Candidate> remotes_;
  std::vector<Candidate> unresolved_;
  std::size_t peer_reflexive_count_ = 0;
  std::vector<EarlyCheck> early_checks_;
  std::vector<CandidatePair> pairs_;
  std::uint64_t triggers_ = 0;
  bool peer_also_checks_without_nominating_ = false;

  AgentState state_ = AgentState::new_;
  std::optional<Path> selected_;
  std::optional<Previous> previous_;
  bool was_connected_ = false;
  TimePoint first_valid_ = kNever;
  TimePoint nominate_at_ = kNever;
  TimePoint fail_at_ = kNever;
  TimePoint paced_until_{};
  TimePoint deadline_ = kNever;

  std::vector<Transmit> transmits_;
  std::vector<std::vector<std::byte>> spare_;  // memory of datagrams that have gone
  std::vector<AgentEvent> events_;
  AgentStats stats_;
};

}  // namespace wdc::ice
