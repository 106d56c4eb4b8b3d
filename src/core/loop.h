// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include "src/core/backend.h"
#include "src/core/intrusive_list.h"
#include "src/core/post_queue.h"
#include "src/core/timer_heap.h"
#include "wdc/event_loop.h"

namespace wdc::core {

/// Something that stands on a part of the loop's backend and must let go of it before the backend goes.
class LoopResident : public ListLink<LoopResident> {
 public:
  virtual void on_loop_closed() noexcept = 0;

 protected:
  ~LoopResident() = default;
};

/// Something to be done once when a turn has ended; leaves its list when it is destroyed.
class TurnNode : public ListLink<TurnNode> {
 public:
  /// Runs no user code. What asks for another turn's end gets the next one's.
  virtual void on_turn_end() = 0;

 protected:
  ~TurnNode() = default;
};

/// What is behind an EventLoop. User code runs only inside pump(), which backends call (the browser) or run() and
/// poll() do (natively); everything else just adds to its queues.
class Loop {
 public:
  /// Things one pump runs before it lets the platform have a turn: tens of microseconds of bookkeeping, so that a busy
  /// task starves neither the page nor the sockets.
  static constexpr std::size_t kPumpBudget = 4'096;

  explicit Loop(std::unique_ptr<Backend> backend);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// Ends everything on the loop: tasks, then channels, connections and signaling, then posted functions. Idempotent.
  void shut_down() noexcept;

  /// Runs timers that are due, posted functions and what is ready; returns how many. 0 from inside itself.
  std::size_t pump();
  void run();
  std::size_t poll();
  void stop() noexcept;

  [[nodiscard]] TimePoint now() const { return backend_->now(); }
  /// Costs nothing where a program has one thread only.
  [[nodiscard]] bool on_owning_thread() const noexcept {
#if defined(__wasm__) && !defined(__EMSCRIPTEN_PTHREADS__)
    return true;
#else
    return backend_->on_owning_thread();
#endif
  }
  [[nodiscard]] Backend& backend() noexcept { return *backend_; }
  [[nodiscard]] const Backend& backend() const noexcept { return *backend_; }

  void make_ready(detail::WaitNode& node) noexcept;
  /// A pump for this node alone, unless others are ready before it. REQUIRES: as pump(), nothing else of the library is
  /// on the stack.
  void run_now(detail::WaitNode& node);
  /// Calls node.on_turn_end() at the end of this turn, once.
  void at_turn_end(TurnNode& node) noexcept;
  /// The backend calls it: see Backend::request_turn_end().
  void end_turn();
  void arm(detail::TimerNode& timer, std::chrono::nanoseconds delay);
  void cancel(detail::TimerNode& timer) noexcept;
  Result<void> post(std::unique_ptr<detail::Posted> function);

  void adopt(detail::TaskContext& context) noexcept;
  void forget(detail::TaskContext& context) noexcept;

  /// Channels let go before what they stand on.
  void add_channel(LoopResident& channel) noexcept { channels_.push_back(channel); }
  void add_owner(LoopResident& owner) noexcept { owners_.push_back(owner); }

 private:
  void run_timers(std::size_t& budget);
  void run_posted(std::size_t& budget);
  void run_ready(std::size_t& budget);
  void request_pump() noexcept;
  void update_deadline();
  void cancel_tasks() noexcept;
  [[nodiscard]] bool has_work() const noexcept { return !ready_.empty() || !posted_.empty(); }

  std::unique_ptr<Backend> backend_;
  TimerHeap timers_;
  std::optional<TimePoint> told_deadline_;  // what the backend knows
  PostQueue posted_;
  detail::WaitList ready_;
  std::array<IntrusiveList<TurnNode, TurnNode>, 2> turn_ends_;
  std::size_t this_turn_ = 0;  // the list for the end of this turn; the other is empty
  detail::TaskContext* tasks_ = nullptr;
  IntrusiveList<LoopResident, LoopResident> channels_;
  IntrusiveList<LoopResident, LoopResident> owners_;
  bool pumping_ = false;
  bool pump_requested_ = false;
  bool running_ = false;
  bool stopped_ = false;
  bool shut_down_ = false;
};

}  // namespace wdc::core
