// SPDX-License-Identifier: MIT
#pragma once

#include <coroutine>
#include <utility>

namespace wdc::js {

/// A coroutine that its owner starts by hand and that the operations it awaits resume. Unlike a Task it belongs to no
/// tree, so one frame can serve any number of operations, one after the other. Destroying it cancels what it waits for.
class [[nodiscard]] Routine {
 public:
  struct promise_type {
    Routine get_return_object() noexcept { return Routine(std::coroutine_handle<promise_type>::from_promise(*this)); }
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept {}
  };

  Routine() noexcept = default;
  Routine(Routine&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Routine& operator=(Routine&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Routine() {
    if (handle_) handle_.destroy();
  }

  /// REQUIRES: it is suspended at its start or in an std::suspend_always.
  void resume() { handle_.resume(); }
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(handle_); }

 private:
  explicit Routine(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace wdc::js
