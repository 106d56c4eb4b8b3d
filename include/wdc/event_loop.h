// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "wdc/error.h"

namespace wdc {

class EventLoop;

namespace core {
class Backend;
class Loop;
class TimerHeap;
}  // namespace core

/// Time as loops see it: monotonic, from an arbitrary start, virtual in tests.
struct LoopClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<LoopClock>;
  static constexpr bool is_steady = true;
};
using TimePoint = LoopClock::time_point;

namespace detail {

struct TaskContext;

/// One suspended operation. Lives inside the operation's awaiter, so suspending allocates nothing. Linked into at most
/// one list at a time; unlinks itself when destroyed, which is how destroying a coroutine cancels what it waits for.
class WaitNode {
 public:
  using Resume = void (*)(WaitNode&);

  WaitNode() = default;
  WaitNode(const WaitNode&) = delete;
  WaitNode& operator=(const WaitNode&) = delete;
  ~WaitNode() { unlink(); }

  [[nodiscard]] bool linked() const noexcept { return next_ != nullptr; }
  void unlink() noexcept {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

  /// Called from the loop's ready queue, at depth zero. May destroy this node.
  Resume resume = nullptr;
  std::coroutine_handle<> handle;
  TaskContext* context = nullptr;

 private:
  friend class WaitList;
  WaitNode* previous_ = nullptr;
  WaitNode* next_ = nullptr;
};

/// An intrusive first-in-first-out list of suspended operations.
class WaitList {
 public:
  WaitList() noexcept { head_.previous_ = head_.next_ = &head_; }
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;
  ~WaitList() {
    while (!empty()) front()->unlink();
    head_.previous_ = head_.next_ = nullptr;
  }

  [[nodiscard]] bool empty() const noexcept { return head_.next_ == &head_; }
  [[nodiscard]] WaitNode* front() noexcept { return empty() ? nullptr : head_.next_; }
  /// REQUIRES: `node` is in this list.
  [[nodiscard]] WaitNode* after(const WaitNode& node) noexcept { return node.next_ == &head_ ? nullptr : node.next_; }
  void push_back(WaitNode& node) noexcept {
    node.unlink();
    node.previous_ = head_.previous_;
    node.next_ = &head_;
    head_.previous_->next_ = &node;
    head_.previous_ = &node;
  }
  /// Puts `fresh` where `old` is. REQUIRES: `old` is in a list.
  static void replace(WaitNode& old, WaitNode& fresh) noexcept {
    fresh.unlink();
    fresh.previous_ = std::exchange(old.previous_, nullptr);
    fresh.next_ = std::exchange(old.next_, nullptr);
    fresh.previous_->next_ = fresh.next_->previous_ = &fresh;
  }

 private:
  WaitNode head_;
};

/// One timer, inside its owner. Cancels itself when destroyed. `fire` runs at depth zero and may destroy the node.
class TimerNode {
 public:
  using Fire = void (*)(TimerNode&);

  TimerNode() = default;
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  ~TimerNode() { cancel(); }
  void cancel() noexcept;
  [[nodiscard]] bool armed() const noexcept { return loop_ != nullptr; }

  Fire fire = nullptr;

 private:
  friend class core::TimerHeap;
  core::Loop* loop_ = nullptr;
  TimePoint deadline_{};
  std::uint64_t sequence_ = 0;  // timers of one deadline fire in the order they were armed
  std::size_t index_ = 0;       // in the loop's heap
};

/// A spawned task tree. Lives in its root coroutine's frame.
struct TaskContext {
  core::Loop* loop = nullptr;  // null once the loop is gone
  std::coroutine_handle<> root;
  void (*drop_body)(TaskContext&) noexcept =
      nullptr;                      // destroys the task but keeps the root, which a Spawned points to
  TaskContext* previous = nullptr;  // the loop's list of live trees
  TaskContext* next = nullptr;
  bool running = false;            // one of its coroutines is on the stack right now
  bool destroy_when_idle = false;  // asked to go while running
  bool finished = false;
  bool detached = false;
  WaitNode start;    // first resumption, from the ready queue
  WaitList joiners;  // who waits for the end
};

// The loop as coroutines see it; implemented in src/core/loop.cc.
void make_ready(core::Loop& loop, WaitNode& node) noexcept;
void arm_timer(core::Loop& loop, TimerNode& timer, std::chrono::nanoseconds delay);
void adopt(core::Loop& loop, TaskContext& context) noexcept;
/// Destroys the tree now, or as soon as none of its coroutines is on the stack. `context` may be gone afterwards.
void release(TaskContext& context) noexcept;
/// Marks the tree as ended: joiners become ready; a detached one is destroyed once it is idle.
void finish(TaskContext& context) noexcept;
/// WaitNode::Resume for coroutines.
void resume_coroutine(WaitNode& node);

/// "No limit" is written as milliseconds::max(), which has no place in nanoseconds.
[[nodiscard]] constexpr std::chrono::nanoseconds saturated(std::chrono::milliseconds delay) noexcept {
  constexpr auto kLongest = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds::max());
  if (delay >= kLongest) return std::chrono::nanoseconds::max();
  return delay <= -kLongest ? std::chrono::nanoseconds::min() : std::chrono::nanoseconds(delay);
}

[[nodiscard]] bool driven_by_host(const core::Loop& loop) noexcept;
/// Gives the error's message to the platform's error output; returns 1.
int report_failure(core::Loop& loop, const Error& error);

/// A function posted from another thread.
struct Posted {
  virtual ~Posted() = default;
  virtual void run() = 0;
  Posted* next = nullptr;
};
Result<void> post(core::Loop& loop, std::unique_ptr<Posted> function);

}  // namespace detail

/// Where everything of one thread happens: completions, timers, posted functions. Channels, connections and tasks
/// belong to one loop and are used on its thread only; post() alone may be called from others. Where threads are told
/// apart (Emscripten with -pthread), the thread that makes the loop is its own, and creating, connecting, sending and
/// receiving elsewhere is Errc::wrong_thread.
///
/// Completions never run user code from inside a call into the library: they wait in a ready queue that run(), poll()
/// or, in the browser, the host's pump drains. So anything may be destroyed from anywhere.
class EventLoop {
 public:
  /// A loop over this platform's own backend: in the browser the browser's event loop, natively a loop of its own.
  EventLoop();
  /// A loop over an injected backend (tests, simulation).
  explicit EventLoop(std::unique_ptr<core::Backend> backend);
  /// Cancels all tasks; channels and connections that still exist become closed with Errc::loop_closed. REQUIRES: not
  /// from inside one of its own tasks or functions.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs until stop(), or until there is nothing left to wait for. In the browser the browser runs the loop: returns
  /// at once.
  void run();
  /// Runs what is ready without waiting and returns how many things ran; 0 when called from inside the loop. Natively
  /// at most a stated batch of 4,096 at a time, so that a busy task cannot keep poll() from returning.
  std::size_t poll();
  /// Makes run() return once the current function is done. Only from the loop's thread; use post() from others.
  void stop() noexcept;

  /// Runs `function` on the loop's thread, in order of posting. From any thread. At most 65,536 wait at a time:
  /// Errc::post_queue_full beyond. Allocates once a call.
  template <class F>
  Result<void> post(F&& function) {
    struct Holder final : detail::Posted {
      explicit Holder(F&& f) : function(std::forward<F>(f)) {}
      void run() override { std::move(function)(); }
      std::decay_t<F> function;
    };
    return detail::post(*loop_, std::make_unique<Holder>(std::forward<F>(function)));
  }

  [[nodiscard]] TimePoint now() const;

  /// For the library's own parts.
  [[nodiscard]] core::Loop& internal() noexcept { return *loop_; }

 private:
  std::unique_ptr<core::Loop> loop_;
};

}  // namespace wdc
