// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <concepts>
#include <coroutine>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "wdc/error.h"
#include "wdc/event_loop.h"

// Coroutine frames of code built with and without exceptions differ (an exception leaves a Task at its co_await only in
// the first), so the two kinds of Task are different types and cannot be mixed up at link time.
#if defined(__cpp_exceptions)
#define WDC_TASK_ABI with_exceptions
#else
#define WDC_TASK_ABI without_exceptions
#endif

namespace wdc {
inline namespace WDC_TASK_ABI {

template <class T = void>
class Task;

namespace task_detail {

using wdc::detail::TaskContext;

/// The context of the coroutine that awaits, if it is one of ours.
template <class Promise>
TaskContext* context_of(Promise& promise) {
  if constexpr (requires {
                  { promise.context } -> std::convertible_to<TaskContext*>;
                })
    return promise.context;
  else
    return nullptr;
}

struct Unit {};
template <class T>
using Stored = std::conditional_t<std::is_void_v<T>, Unit, T>;

/// What a coroutine ended with: a value or, with exceptions enabled, an exception.
template <class T>
class Outcome {
 public:
  template <class U>
  void set(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
#if defined(__cpp_exceptions)
  void set_exception(std::exception_ptr exception) noexcept { exception_ = std::move(exception); }
#endif
  [[nodiscard]] T take() {
#if defined(__cpp_exceptions)
    if (exception_) std::rethrow_exception(std::move(exception_));
#endif
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

 private:
  std::optional<Stored<T>> value_;
#if defined(__cpp_exceptions)
  std::exception_ptr exception_;
#endif
};

/// How a promise takes its coroutine's result.
template <class T>
struct ResultPart {
  Outcome<T> outcome;
  template <class U>
  requires std::constructible_from<T, U&&>
  void return_value(U&& value) { outcome.set(std::forward<U>(value)); }
  void return_value(T&& value) { outcome.set(std::move(value)); }
};
template <>
struct ResultPart<void> {
  Outcome<void> outcome;
  void return_void() noexcept {}
};

template <class T>
struct Promise : ResultPart<T> {
  TaskContext* context = nullptr;
  std::coroutine_handle<> continuation;

  struct FinalAwaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      // The continuation may destroy `self`: nothing of it is touched after the resumption.
      if (auto waiting = self.promise().continuation) waiting.resume();
    }
    void await_resume() const noexcept {}
  };

  Task<T> get_return_object() noexcept;
  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }
#if defined(__cpp_exceptions)
  void unhandled_exception() noexcept { this->outcome.set_exception(std::current_exception()); }
#else
  void unhandled_exception() noexcept {}
#endif
};

}  // namespace task_detail

/// A coroutine of the user's: lazy (runs when awaited or spawned), linear (await it once), and its own cancellation:
/// destroying it destroys what it waits for. Allocates its frame once.
///
/// A million awaits in a row run in a bounded stack in every build; a chain of tasks that await one another uses stack
/// in proportion to its depth.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = task_detail::Promise<T>;
  using value_type = T;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  class [[nodiscard]] Awaiter {
   public:
    explicit Awaiter(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    /// False if the task finished at once: then the caller goes on without being resumed, and the stack stays flat.
    template <class Caller>
    [[nodiscard]] bool await_suspend(std::coroutine_handle<Caller> caller) {
      auto handle = handle_;
      handle.promise().context = task_detail::context_of(caller.promise());
      handle.resume();
      if (handle.done()) return false;
      handle.promise().continuation = caller;
      return true;
    }
    [[nodiscard]] T await_resume() { return handle_.promise().outcome.take(); }

   private:
    std::coroutine_handle<promise_type> handle_;
  };

  Awaiter operator co_await() && noexcept { return Awaiter(handle_); }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> task_detail::Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

namespace task_detail {

/// The root of a spawned tree: owns the context that everything below it inherits.
template <class T>
struct Root {
  struct promise_type : ResultPart<T> {
    TaskContext own;
    TaskContext* context = &own;
    Task<T>* body;  // the coroutine's parameter

    explicit promise_type(Task<T>& task) noexcept : body(&task) {}

    static void drop_body(TaskContext& context) noexcept {
      auto root = std::coroutine_handle<promise_type>::from_address(context.root.address());
      Task<T> dropped = std::move(*root.promise().body);
    }

    struct FinalAwaiter {
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        wdc::detail::finish(self.promise().own);
      }
      void await_resume() const noexcept {}
    };

    Root get_return_object() noexcept {
      auto self = std::coroutine_handle<promise_type>::from_promise(*this);
      own.root = self;
      own.drop_body = &drop_body;
      own.start.handle = self;
      own.start.context = &own;
      own.start.resume = &wdc::detail::resume_coroutine;
      return Root{self};
    }
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }
#if defined(__cpp_exceptions)
    void unhandled_exception() noexcept {
      if (own.detached) std::terminate();  // nobody could ever see it
      this->outcome.set_exception(std::current_exception());
    }
#else
    void unhandled_exception() noexcept {}
#endif
  };
  std::coroutine_handle<promise_type> handle;
};

template <class T>
Root<T> run_root(Task<T> task) {
  co_return co_await std::move(task);
}

}  // namespace task_detail

/// A running task. Destroying it cancels the task (at once, or as soon as it suspends if it is running); detach() lets
/// it run on, owned by its loop. `co_await std::move(spawned)` waits for its result.
template <class T>
class [[nodiscard]] Spawned {
 public:
  Spawned() noexcept = default;
  Spawned(Spawned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Spawned& operator=(Spawned&& other) noexcept {
    if (this != &other) {
      cancel();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Spawned() { cancel(); }

  /// Destroys the task and what it waits for. Does nothing when there is none.
  void cancel() noexcept {
    if (auto handle = std::exchange(handle_, nullptr)) wdc::detail::release(handle.promise().own);
  }
  /// Lets the task run to its end, or to the loop's.
  void detach() noexcept {
    auto handle = std::exchange(handle_, nullptr);
    if (!handle) return;
    if (handle.promise().own.finished || handle.promise().own.loop == nullptr)
      wdc::detail::release(handle.promise().own);
    else
      handle.promise().own.detached = true;
  }
  [[nodiscard]] bool done() const noexcept { return handle_ && handle_.promise().own.finished; }
  /// REQUIRES: done(), and not taken before. Rethrows what left the task, with exceptions enabled.
  [[nodiscard]] T take() { return handle_.promise().outcome.take(); }

  class [[nodiscard]] Awaiter {
   public:
    explicit Awaiter(Spawned& spawned) noexcept : spawned_(spawned) {}
    [[nodiscard]] bool await_ready() const noexcept { return spawned_.done(); }
    template <class Caller>
    void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
      node_.handle = caller;
      node_.context = task_detail::context_of(caller.promise());
      node_.resume = &wdc::detail::resume_coroutine;
      spawned_.handle_.promise().own.joiners.push_back(node_);
    }
    [[nodiscard]] T await_resume() { return spawned_.take(); }

   private:
    Spawned& spawned_;
    wdc::detail::WaitNode node_;
  };
  /// REQUIRES: a task. Destroying the waiting coroutine does not cancel the spawned one; destroying the Spawned does.
  Awaiter operator co_await() && noexcept { return Awaiter(*this); }

 private:
  template <class U>
  friend Spawned<U> spawn(EventLoop& loop, Task<U> task);
  std::coroutine_handle<typename task_detail::Root<T>::promise_type> handle_;
};

/// Runs `task` on `loop`, starting from the loop's ready queue (not before spawn returns).
template <class T>
Spawned<T> spawn(EventLoop& loop, Task<T> task) {
  Spawned<T> spawned;
  spawned.handle_ = task_detail::run_root<T>(std::move(task)).handle;
  wdc::detail::adopt(loop.internal(), spawned.handle_.promise().own);
  return spawned;
}

/// Waits; see sleep_for(). Destroying it before its end cancels the timer.
class [[nodiscard]] SleepOperation {
 public:
  explicit SleepOperation(std::chrono::nanoseconds delay, core::Loop* loop = nullptr) noexcept
      : loop_(loop), delay_(delay) {}
  SleepOperation(SleepOperation&& other) noexcept : loop_(other.loop_), delay_(other.delay_) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  /// REQUIRES: a Task, or a loop named in sleep_for(loop, delay).
  template <class Caller>
  [[nodiscard]] bool await_suspend(std::coroutine_handle<Caller> caller) {
    node_.handle = caller;
    node_.context = task_detail::context_of(caller.promise());
    node_.resume = &wdc::detail::resume_coroutine;
    if (loop_ == nullptr && node_.context != nullptr) loop_ = node_.context->loop;
    if (loop_ == nullptr) return false;
    timer_.operation = this;
    timer_.fire = [](wdc::detail::TimerNode& timer) {
      auto& self = *static_cast<Timer&>(timer).operation;
      wdc::detail::make_ready(*self.loop_, self.node_);
    };
    wdc::detail::arm_timer(*loop_, timer_, delay_);
    return true;
  }
  void await_resume() const noexcept {}

 private:
  struct Timer : wdc::detail::TimerNode {
    SleepOperation* operation = nullptr;
  };
  core::Loop* loop_;
  std::chrono::nanoseconds delay_;
  wdc::detail::WaitNode node_;
  Timer timer_;
};

/// Resumes after `delay` (zero or less: on the loop's next turn). In a Task: its own loop. Never early; late by what
/// the platform's timers are.
[[nodiscard]] inline SleepOperation sleep_for(std::chrono::nanoseconds delay) noexcept { return SleepOperation(delay); }
[[nodiscard]] inline SleepOperation sleep_for(EventLoop& loop, std::chrono::nanoseconds delay) noexcept {
  return SleepOperation(delay, &loop.internal());
}

namespace task_detail {

template <class A>
decltype(auto) awaiter_of(A&& awaitable) {
  if constexpr (requires { std::forward<A>(awaitable).operator co_await(); })
    return std::forward<A>(awaitable).operator co_await();
  else
    return std::forward<A>(awaitable);
}
template <class A>
using AwaitResult =
    decltype(std::declval<std::remove_reference_t<decltype(awaiter_of(std::declval<A>()))>&>().await_resume());

template <class A>
Task<AwaitResult<A>> as_task(A awaitable) {
  co_return co_await std::move(awaitable);
}

/// What when_any() gives for one branch.
template <class T>
using Branch = Stored<T>;

/// Runs tasks side by side inside one tree until the first ends.
template <class... T>
class FirstOf {
 public:
  explicit FirstOf(Task<T>... tasks) : racers_(race(std::move(tasks))...) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class Caller>
  [[nodiscard]] bool await_suspend(std::coroutine_handle<Caller> caller) {
    auto* context = context_of(caller.promise());
    start(context, std::index_sequence_for<T...>{});
    if (winner_ != kNone) return false;
    caller_ = caller;
    return true;
  }
  [[nodiscard]] std::variant<Branch<T>...> await_resume() { return take(std::index_sequence_for<T...>{}); }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  template <class U>
  struct Racer {
    struct promise_type : ResultPart<U> {
      TaskContext* context = nullptr;
      FirstOf* race = nullptr;
      std::size_t index = 0;
      struct FinalAwaiter {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
          self.promise().race->finished(self.promise().index);
        }
        void await_resume() const noexcept {}
      };
      Racer get_return_object() noexcept { return Racer(std::coroutine_handle<promise_type>::from_promise(*this)); }
      [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
      [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }
#if defined(__cpp_exceptions)
      void unhandled_exception() noexcept { this->outcome.set_exception(std::current_exception()); }
#else
      void unhandled_exception() noexcept {}
#endif
    };
    explicit Racer(std::coroutine_handle<promise_type> racer) noexcept : handle(racer) {}
    Racer(Racer&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
    ~Racer() {
      if (handle) handle.destroy();
    }
    std::coroutine_handle<promise_type> handle;
  };

  template <class U>
  static Racer<U> race(Task<U> task) {
    co_return co_await std::move(task);
  }

  template <std::size_t... I>
  void start(TaskContext* context, std::index_sequence<I...>) {
    (start_one(std::get<I>(racers_).handle, context, I), ...);
  }
  template <class Handle>
  void start_one(Handle handle, TaskContext* context, std::size_t index) {
    if (winner_ != kNone) return;  // decided already: the rest never run
    handle.promise().context = context;
    handle.promise().race = this;
    handle.promise().index = index;
    handle.resume();
  }
  void finished(std::size_t index) noexcept {
    if (winner_ != kNone) return;
    winner_ = index;
    if (caller_) caller_.resume();
  }
  template <std::size_t... I>
  std::variant<Branch<T>...> take(std::index_sequence<I...>) {
    std::optional<std::variant<Branch<T>...>> result;
    ((winner_ == I ? take_one<I>(result) : void()), ...);
    return std::move(*result);
  }
  template <std::size_t I>
  void take_one(std::optional<std::variant<Branch<T>...>>& result) {
    auto& outcome = std::get<I>(racers_).handle.promise().outcome;
    if constexpr (std::is_void_v<decltype(outcome.take())>) {
      outcome.take();
      result.emplace(std::in_place_index<I>);
    } else {
      result.emplace(std::in_place_index<I>, outcome.take());
    }
  }

  std::tuple<Racer<T>...> racers_;
  std::coroutine_handle<> caller_;
  std::size_t winner_ = kNone;
};

template <class T>
struct TimeoutResult {
  using type = Result<T>;
};
template <class T>
struct TimeoutResult<Result<T>> {
  using type = Result<T>;
};

template <class... T>
Task<std::variant<Branch<T>...>> first_of(Task<T>... tasks) {
  co_return co_await FirstOf<T...>(std::move(tasks)...);
}

}  // namespace task_detail

/// Runs several awaitables side by side and gives the result of the first that ends (index() of the variant says which;
/// void gives an empty struct). The others are cancelled before when_any() returns; one that would be started after the
/// race is decided never runs.
template <class... A>
[[nodiscard]] auto when_any(A... awaitables) {
  return task_detail::first_of(task_detail::as_task(std::move(awaitables))...);
}

/// Gives `operation`'s result, or Errc::timed_out after `limit`; the operation is then cancelled, with the cancel
/// safety it states. A Result<T> stays a Result<T>; any other T becomes one.
template <class A>
[[nodiscard]] Task<typename task_detail::TimeoutResult<task_detail::AwaitResult<A>>::type> with_timeout(
    A operation, std::chrono::milliseconds limit) {
  using T = task_detail::AwaitResult<A>;
  auto first = co_await when_any(std::move(operation), sleep_for(wdc::detail::saturated(limit)));
  if (first.index() == 1) co_return fail(Errc::timed_out, "after " + std::to_string(limit.count()) + " ms");
  if constexpr (std::is_void_v<T>)
    co_return typename task_detail::TimeoutResult<T>::type{};
  else
    co_return std::get<0>(std::move(first));
}

namespace task_detail {
/// Ends run() when `task` ends, whatever else the loop still has to wait for. Where the host drives the loop nobody
/// takes the result, so an error is reported from here.
template <class T>
Task<T> stop_after(EventLoop& loop, Task<T> task) {
  struct Stop {
    EventLoop& loop;
    ~Stop() { loop.stop(); }
  } stop{loop};
  if constexpr (std::is_same_v<T, Result<void>>) {
    auto result = co_await std::move(task);
    if (!result && wdc::detail::driven_by_host(loop.internal()))
      (void)wdc::detail::report_failure(loop.internal(), result.error());
    co_return result;
  } else {
    co_return co_await std::move(task);
  }
}
}  // namespace task_detail

/// Runs `body(loop)`, a Task<int>, Task<void> or Task<Result<void>>, on a loop of this platform, as a program's whole
/// life. Natively returns when it ends: its int; 1 for an error, after its message went to standard error. In the
/// browser it returns 0 at once and the task lives on in the page. `body` is kept alive as long as its task, so
/// captures stay valid.
template <class F>
int run_main(F body) {
  using Body = decltype(body(std::declval<EventLoop&>()));
  using T = typename Body::value_type;
  struct Program {
    explicit Program(F&& f) : function(std::move(f)) {}
    EventLoop loop;
    F function;
    Spawned<T> main;
  };
  auto program = std::make_unique<Program>(std::move(body));
  auto& loop = program->loop;
  program->main = spawn(loop, task_detail::stop_after(loop, program->function(loop)));
  loop.run();
  if (wdc::detail::driven_by_host(loop.internal())) {
    program.release();  // lives as long as the page; the host pumps it
    return 0;
  }
  if (!program->main.done())
    return wdc::detail::report_failure(loop.internal(),
                                       Error(Errc::invalid_state, "main waits for something that cannot happen"));
  if constexpr (std::is_void_v<T>) {
    program->main.take();
    return 0;
  } else if constexpr (std::is_same_v<T, int>) {
    return program->main.take();
  } else {
    auto result = program->main.take();
    return result ? 0 : wdc::detail::report_failure(loop.internal(), result.error());
  }
}

}  // namespace WDC_TASK_ABI
}  // namespace wdc
