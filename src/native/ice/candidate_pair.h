// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/native/ice/agent_options.h"
#include "src/native/ice/stun_message.h"

namespace wdc::ice {

/// RFC 8445 section 6.1.2.6.
enum class PairState : std::uint8_t { frozen, waiting, in_progress, succeeded, failed };

/// A check that may still be answered.
struct SentCheck {
  TransactionId transaction;
  Role role;
  bool nominates;
  bool repeated;
  TimePoint at;
};

/// The checks of a pair that may still be answered: the last few, where the peer answers none.
class SentChecks {
 public:
  void add(const SentCheck& check) {
    if (count_ == checks_.size()) {
      std::move(checks_.begin() + 1, checks_.end(), checks_.begin());
      --count_;
    }
    checks_[count_++] = check;
  }
  [[nodiscard]] std::optional<SentCheck> find(const TransactionId& transaction) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (checks_[i].transaction == transaction) return checks_[i];
    }
    return std::nullopt;
  }
  /// An answer counts once.
  void remove(const TransactionId& transaction) {
    const auto end = std::remove_if(checks_.begin(), checks_.begin() + static_cast<std::ptrdiff_t>(count_),
                                    [&](const SentCheck& check) { return check.transaction == transaction; });
    count_ = static_cast<std::size_t>(end - checks_.begin());
  }
  /// REQUIRES: not empty.
  [[nodiscard]] SentCheck& last() { return checks_[count_ - 1]; }
  [[nodiscard]] bool is_empty() const { return count_ == 0; }
  void clear() { count_ = 0; }

 private:
  std::array<SentCheck, 4> checks_{};
  std::size_t count_ = 0;
};

/// A way a datagram could go: from one of our bases to one of the peer's candidates.
struct CandidatePair {
  SocketAddress local;
  SocketAddress remote;
  std::string foundation;
  std::uint64_t priority = 0;
  PairState state = PairState::frozen;
  std::uint64_t trigger = 0;  // order in the queue of triggered checks; 0: not in it
  bool was_heard = false;     // an authenticated request came this way
  bool nominated = false;
  bool nominate_on_success = false;  // controlled: the peer's USE-CANDIDATE came before our check was answered
  TransactionId nominated_by;        // controlled: the peer's request that did it last
  bool nominating = false;           // controlling: checks carry USE-CANDIDATE

  // The check that is being repeated until it is answered.
  int transmissions = 0;
  Duration timeout{};
  TimePoint repeat_at = kNever;
  SentChecks sent;

  // Consent, once it has succeeded.
  TimePoint last_response{};
  TimePoint next_consent = kNever;
  TimePoint unanswered_since = kNever;
  SocketAddress mapped;  // as the peer sees us
};

}  // namespace wdc::ice
