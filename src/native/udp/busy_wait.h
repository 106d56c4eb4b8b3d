// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>

namespace wdc::udp {

/// Decides whether looking again and again for a while beats going to sleep at once. To be woken on another core costs
/// tens of microseconds; looking costs the core. So it looks only after several sleeps that were so short that looking
/// would have caught their end, and each time that it looked in vain it wants twice as many of them: who is idle, or
/// hears something now and then, never looks.
///
/// Who works hard has longer pauses, too, as the other end does a burst before it answers, and then sleeps on each
/// other's waking cost both a fifth of their speed. So work gives credit: a quarter of its time may go into looking, a
/// few times as long as otherwise.
class BusyWait {
 public:
  using Duration = std::chrono::nanoseconds;

  /// `most`: for how long to look at a time, without credit; zero: never.
  explicit BusyWait(Duration most) : most_(most) {}

  [[nodiscard]] bool is_worthwhile() const {
    return most_ > Duration::zero() && (short_sleeps_ >= wanted_ || credit_ >= most_);
  }
  /// REQUIRES: is_worthwhile().
  [[nodiscard]] Duration most() const { return std::max(most_, credit_); }
  /// For how long it neither looked nor slept.
  void worked(Duration duration) { credit_ = std::min(credit_ + duration / kShareOfWork, kMostCredit * most_); }
  /// How long a sleep was, being woken included, which looking would have saved.
  void slept(Duration duration) { short_sleeps_ = duration <= kShort * most_ ? std::min(short_sleeps_ + 1, kMost) : 0; }
  /// Whether something came while looking, and after how long.
  void looked(bool in_vain, Duration duration) {
    credit_ -= std::min(credit_, duration);
    if (!in_vain) {
      wanted_ = kLeast;
      return;
    }
    short_sleeps_ = 0;
    wanted_ = std::min(wanted_ * 2, kMost);
  }

 private:
  static constexpr int kLeast = 4;
  static constexpr int kMost = 1'024;
  /// Being woken, on both sides of a conversation, is in every sleep's time.
  static constexpr int kShort = 2;
  static constexpr int kShareOfWork = 4;
  static constexpr int kMostCredit = 6;

  Duration most_;
  int short_sleeps_ = 0;
  int wanted_ = kLeast;
  Duration credit_{};
};

}  // namespace wdc::udp
