// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "src/native/sctp/packet/outgoing_reset_parameter.h"
#include "src/native/sctp/packet/packet.h"
#include "src/native/sctp/packet/reconfig_response_parameter.h"
#include "src/native/sctp/paged_array.h"
#include "src/native/sctp/time.h"

namespace wdc::sctp {

/// Our side of a stream's reset.
enum class ResetState : std::uint8_t { none, wanted, requested };

/// Stream resets in both directions (RFC 6525). One request of ours is under way at a time; those wanted meanwhile
/// share the next one.
///
///   wanted --(nothing queued on it)--> requested --"performed"--> none
///                                        |   ^
///                        "in progress"   +---+  asked again, under a new number, after the timeout
class StreamReset {
 public:
  /// RFC 6525 section 5.1: the request numbers start as the initial TSNs do.
  StreamReset(Tsn local_initial, Tsn peer_initial)
      : next_request_(local_initial.value()), expected_(RequestNumber(peer_initial.value())) {}

  // Our requests.
  void want(StreamId stream);
  [[nodiscard]] ResetState state(StreamId stream) const;
  [[nodiscard]] bool has_wanted() const { return !wanted_.empty(); }
  [[nodiscard]] bool is_under_way() const { return !requested_.empty(); }
  /// Makes a request of the wanted streams for which `is_idle` holds, if none is under way.
  template <class IsIdle>
  void begin(IsIdle is_idle, Tsn last_assigned, std::size_t most_streams) {
    if (!requested_.empty() || wanted_.empty()) return;
    std::erase_if(wanted_, [&](StreamId stream) {
      if (requested_.size() >= most_streams || !is_idle(stream)) return false;
      requested_.push_back(stream);
      states_[stream] = ResetState::requested;
      return true;
    });
    if (requested_.empty()) return;
    last_assigned_ = last_assigned;
    write_due_ = true;
  }

  // The peer's requests.
  enum class Verdict { perform, wait, answered };
  /// `perform`: the caller resets the streams and then calls performed(). `cumulative` is what has been received.
  [[nodiscard]] Verdict handle_request(const OutgoingResetParameter& request, UnwrappedTsn cumulative);
  /// A request that waited for data and now may be performed.
  [[nodiscard]] bool poll_waiting(UnwrappedTsn cumulative);
  [[nodiscard]] const std::vector<StreamId>& peer_streams() const { return peer_streams_; }
  void performed();
  /// A request that is never granted.
  void handle_denied(RequestNumber number);

  enum class Answer { ignored, done, failed };
  /// `done` and `failed`: of the streams requested().
  [[nodiscard]] Answer handle_response(const ReconfigResponseParameter& response, TimePoint now, Duration timeout);
  [[nodiscard]] const std::vector<StreamId>& requested() const { return requested_; }
  void forget_requested();

  [[nodiscard]] bool wants_to_write() const { return write_due_ || !responses_.empty(); }
  void write(PacketWriter& packet, TimePoint now, Duration timeout);
  [[nodiscard]] TimePoint deadline() const { return deadline_; }
  /// True where this was one more attempt without an answer.
  [[nodiscard]] bool handle_timeout();

 private:
  /// Answers kept until they are sent: a peer asks one thing at a time.
  static constexpr std::size_t kMostResponses = 8;

  void respond(RequestNumber number, ReconfigResult result);

  PagedArray<ResetState> states_;
  std::vector<StreamId> wanted_;
  std::vector<StreamId> requested_;
  RequestNumber next_request_;
  Tsn last_assigned_;
  bool write_due_ = false;
  bool renumber_ = false;  // the peer said "in progress": ask again as if anew
  TimePoint deadline_ = kNever;

  RequestNumber expected_;
  ReconfigResult last_result_ = ReconfigResult::nothing_to_do;
  std::vector<StreamId> peer_streams_;
  std::optional<UnwrappedTsn> waiting_for_;
  std::vector<ReconfigResponseParameter> responses_;
};

}  // namespace wdc::sctp
