// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/native/sdp/description.h"
#include "wdc/error.h"
#include "wdc/peer_connection.h"

namespace wdc::native {

/// What set_remote() or set_local() has changed.
struct NegotiationChange {
  bool rolled_back = false;  // an offer of ours was taken back, on its own account or for the peer's
  bool settled = false;      // an offer has its answer
};

/// Offers and answers of one connection (RFC 8829), as texts go in and out. Knows nothing of what they describe.
class Negotiation {
 public:
  explicit Negotiation(std::uint64_t session_id) : session_id_(session_id) {}

  [[nodiscard]] SignalingState state() const { return state_; }
  /// True once an offer and its answer have met.
  [[nodiscard]] bool is_negotiated() const { return current_remote_.has_value(); }
  /// The peer's: that of the negotiation under way, or of the last one. Null before there is one.
  [[nodiscard]] const sdp::Description* remote() const;
  /// Ours, the same way.
  [[nodiscard]] const sdp::Description* local() const;
  /// Whether the last offer that was settled, or is under way, was ours.
  [[nodiscard]] bool is_offerer() const { return offerer_; }

  /// `section` says what is true of this end now. Errors: negotiation_failed (there is nothing to answer).
  [[nodiscard]] Result<SessionDescription> create_offer(sdp::DataSection section);
  [[nodiscard]] Result<SessionDescription> create_answer(sdp::DataSection section);

  /// An offer, answer or rollback that was made here. Errors: negotiation_failed (not the time for it, W3C's
  /// InvalidStateError, or not what create_offer() or create_answer() gave last, InvalidModificationError).
  [[nodiscard]] Result<NegotiationChange> set_local(const SessionDescription& description);
  /// The peer's. An offer takes back ours that is not answered (W3C: implicit rollback). Errors: negotiation_failed
  /// (names the line, or what it is not the time for).
  [[nodiscard]] Result<NegotiationChange> set_remote(const SessionDescription& description);

 private:
  [[nodiscard]] Result<NegotiationChange> roll_back();
  [[nodiscard]] Result<void> wrong_state(std::string_view what) const;

  std::uint64_t session_id_;
  std::uint64_t next_version_ = 1;
  SignalingState state_ = SignalingState::stable;
  bool offerer_ = false;

  struct Made {
    std::string text;
    sdp::Description description;
  };
  std::optional<Made> last_offer_;
  std::optional<Made> last_answer_;
  std::optional<sdp::Description> current_local_;
  std::optional<sdp::Description> current_remote_;
  std::optional<sdp::Description> pending_local_;
  std::optional<sdp::Description> pending_remote_;
};

}  // namespace wdc::native
