// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "wdc/data_channel.h"
#include "wdc/event_loop.h"

namespace wdc::core::framed {

/// Which message goes on next. Between priorities: the one that had the least of its share of the bytes so far
/// (start-time fair queueing; P. Goyal, H. Vin, H. Cheng, SIGCOMM 1996). Within one: messages that have not started
/// yet, in the order of their sends, and those in parts, in turn, alternate.
///
/// Owns nothing. An Outgoing is in one of its lists: waiting, active or parked.
class Scheduler {
 public:
  struct Choice {
    Outgoing* message = nullptr;
    bool start = false;  // its first bytes
  };

  /// Behind all others of its priority; started ones among those in parts.
  void add(Outgoing& message) noexcept;
  /// Not chosen before resume().
  void park(Outgoing& message) noexcept;
  void resume(Outgoing& message) noexcept;
  void remove(Outgoing& message) noexcept;
  /// A fresh message in the place of one that has not started; the old one is in no list then.
  void replace(Outgoing& old, Outgoing& fresh) noexcept;

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] bool waits(Priority priority) const noexcept { return !of(priority).waiting.empty(); }

  /// `can_start(Outgoing&)` says whether the first of those that wait may begin now.
  template <class CanStart>
  [[nodiscard]] Choice pick(CanStart can_start) noexcept {
    Choice best;
    std::uint64_t best_time = 0;
    for (Class& one : classes_) {
      if (best.message != nullptr && one.time >= best_time) continue;
      auto* const active = static_cast<Outgoing*>(one.active.front());
      Outgoing* waiting = nullptr;
      if (active == nullptr || !one.parts_next) {
        waiting = static_cast<Outgoing*>(one.waiting.front());
        if (waiting != nullptr && !can_start(*waiting)) waiting = nullptr;
      }
      if (active == nullptr && waiting == nullptr) continue;
      best = waiting != nullptr ? Choice{waiting, true} : Choice{active, false};
      best_time = one.time;
    }
    return best;
  }
  /// `bytes` of a message of this priority were taken.
  void charge(Priority priority, std::size_t bytes) noexcept;
  /// Whether of this priority the messages in parts come next, or those that wait.
  void alternate(Priority priority, bool parts_next) noexcept { of(priority).parts_next = parts_next; }

  /// Waits and has not started; none: null.
  [[nodiscard]] Outgoing* find(Priority priority, std::uint64_t key) noexcept;
  /// The one that waits longest, of this priority if there is one, and has not started; none: null.
  [[nodiscard]] Outgoing* oldest(Priority preferred) noexcept;
  /// The lowest sequence of all; `none` if there is none.
  [[nodiscard]] std::uint64_t lowest_sequence(std::uint64_t none) noexcept;
  /// Any; null if there is none.
  [[nodiscard]] Outgoing* any() noexcept;

 private:
  struct Class {
    detail::WaitList waiting;
    detail::WaitList active;
    std::uint64_t time = 0;  // bytes by weight
    bool parts_next = false;
  };
  static constexpr std::size_t kPriorities = 4;

  [[nodiscard]] Class& of(Priority priority) noexcept { return classes_[static_cast<std::size_t>(priority)]; }
  [[nodiscard]] const Class& of(Priority priority) const noexcept {
    return classes_[static_cast<std::size_t>(priority)];
  }

  std::array<Class, kPriorities> classes_;
  detail::WaitList parked_;
  std::uint64_t now_ = 0;  // of who was served last
  std::size_t count_ = 0;
};

}  // namespace wdc::core::framed
