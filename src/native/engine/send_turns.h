// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "src/native/base/time.h"

namespace wdc::native {

/// Lets the connections of a loop that have much to send over short paths do so by turns, a few at a time. Without it a
/// hundred of them send a train of packets each, round and round, and between two trains of one all that the others
/// have queued, in flight and in their state goes through the processor's caches, so that nearly everything comes from
/// memory: 600 ns a packet for the sender become 1,000.
///
/// A turn ends after kBytes, after kTime, or when nothing was sent for kIdle, as soon as another one waits; a hundred
/// connections go round in about 100 ms. Who has little to send needs no turn.
class SendTurns {
 public:
  static constexpr std::size_t kAtOnce = 4;  // so that one sends while others wait to be acknowledged
  static constexpr std::size_t kBytes = std::size_t{1} << 20;
  static constexpr Duration kTime = std::chrono::milliseconds(10);
  /// A peer that takes nothing keeps its turn for no longer.
  static constexpr Duration kIdle = std::chrono::milliseconds(3);
  /// What one channel's queue takes while anybody waits: what is left of it at a turn's end is cold at the next.
  static constexpr std::size_t kQueue = std::size_t{128} << 10;
  /// Who waits asks again after this, in case those that have turns say nothing any more.
  static constexpr Duration kPatience = std::chrono::milliseconds(10);

  /// A connection's part. REQUIRES: leave() before it is destroyed.
  class Member {
    friend class SendTurns;
    enum class State : unsigned char { away, waiting, active };

    State state_ = State::away;
    bool told_ = false;  // that its turn has come
    std::size_t left_ = 0;
    TimePoint end_{};
    TimePoint idle_end_{};
    Member* before_ = nullptr;  // of those that wait
    Member* after_ = nullptr;
  };

  SendTurns() = default;
  SendTurns(const SendTurns&) = delete;
  SendTurns& operator=(const SendTurns&) = delete;

  /// Whether it may send now; if not, it waits in its place.
  [[nodiscard]] bool may_send(Member& member, TimePoint now) {
    if (is_active(member) && first_ != nullptr && is_over(member, now)) leave(member, now);
    if (member.state_ == Member::State::away) append(member);
    if (!is_active(member)) {
      end_overdue(now);
      begin_turns(now);
    }
    if (is_active(member)) member.told_ = true;
    return is_active(member);
  }

  [[nodiscard]] bool anybody_waits() const { return first_ != nullptr; }

  void note_sent(Member& member, std::size_t bytes, TimePoint now) {
    member.left_ -= std::min(bytes, member.left_);
    member.idle_end_ = now + kIdle;
  }

  /// It has nothing more to send just now. It keeps its turn until that ends: its user may be about to send.
  void pause(Member& member, TimePoint now) {
    if (!is_active(member) || is_over(member, now)) leave(member, now);
  }

  void leave(Member& member, TimePoint now) {
    if (member.state_ == Member::State::waiting) unlink(member);
    if (is_active(member)) std::ranges::replace(active_, &member, nullptr);
    member.state_ = Member::State::away;
    begin_turns(now);
  }

  /// When to ask again; kNever if there is no need.
  [[nodiscard]] TimePoint next_deadline(const Member& member, TimePoint now) const {
    if (member.state_ == Member::State::waiting) return now + kPatience;
    return is_active(member) && first_ != nullptr ? std::min(member.end_, member.idle_end_) : kNever;
  }

  /// The next one that waited and may send now, or null.
  [[nodiscard]] Member* poll_begun() {
    if (!any_untold_) return nullptr;
    for (auto* member : active_)
      if (member != nullptr && !std::exchange(member->told_, true)) return member;
    any_untold_ = false;
    return nullptr;
  }

 private:
  [[nodiscard]] static bool is_active(const Member& member) { return member.state_ == Member::State::active; }
  [[nodiscard]] static bool is_over(const Member& member, TimePoint now) {
    return member.left_ == 0 || now >= member.end_ || now >= member.idle_end_;
  }

  void append(Member& member) {
    member.state_ = Member::State::waiting;
    member.before_ = last_;
    member.after_ = nullptr;
    (last_ == nullptr ? first_ : last_->after_) = &member;
    last_ = &member;
  }
  void unlink(Member& member) {
    (member.before_ == nullptr ? first_ : member.before_->after_) = member.after_;
    (member.after_ == nullptr ? last_ : member.after_->before_) = member.before_;
  }

  /// Those whose turn has ended without their asking: they ask when something is acknowledged.
  void end_overdue(TimePoint now) {
    for (auto*& active : active_) {
      if (active == nullptr || !is_over(*active, now)) continue;
      active->state_ = Member::State::away;
      active = nullptr;
    }
  }

  void begin_turns(TimePoint now) {
    for (auto*& active : active_) {
      if (active != nullptr || first_ == nullptr) continue;
      Member& next = *first_;
      unlink(next);
      next.state_ = Member::State::active;
      next.told_ = false;
      next.left_ = kBytes;
      next.end_ = now + kTime;
      next.idle_end_ = now + kIdle;
      active = &next;
      any_untold_ = true;
    }
  }

  std::array<Member*, kAtOnce> active_{};
  Member* first_ = nullptr;
  Member* last_ = nullptr;
  bool any_untold_ = false;
};

}  // namespace wdc::native
