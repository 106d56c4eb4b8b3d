// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "src/browser/host_imports.h"
#include "src/core/backend.h"

#if defined(__EMSCRIPTEN_PTHREADS__)
#include <pthread.h>
#include <atomic>
#endif

namespace wdc::browser {

/// What an EventLoop stands on in the browser: the host's clock and timer, and its turns. A module may have several
/// loops; the host knows one clock and one pump, which all of them share.
class BrowserBackend final : public core::Backend {
 public:
  BrowserBackend();
  BrowserBackend(const BrowserBackend&) = delete;
  BrowserBackend& operator=(const BrowserBackend&) = delete;
  ~BrowserBackend() override;

  void attach(core::Loop& loop) override { loop_ = &loop; }
  [[nodiscard]] TimePoint now() const override;
  void request_pump() override;
  void request_turn_end() override { host::request_turn_end(); }
  void set_deadline(std::optional<TimePoint> deadline) override;
  void wake() noexcept override;
#if defined(__EMSCRIPTEN_PTHREADS__)
  [[nodiscard]] bool on_owning_thread() const noexcept override { return pthread_equal(owner_, pthread_self()) != 0; }
#endif
  [[nodiscard]] bool driven_by_host() const noexcept override { return true; }
  bool turn(bool may_wait) override;
  void report(std::string_view text) override;

  [[nodiscard]] Result<std::unique_ptr<core::PeerBackend>> create_peer(const PeerConnectionOptions& options) override;
  [[nodiscard]] Result<std::unique_ptr<core::SignalingBackend>> open_signaling(std::string_view url,
                                                                               std::string_view room) override;

  /// Pumps every loop that asked for it or whose deadline has come.
  static void pump_all();
  /// The host's turn has ended: so has that of every loop.
  static void end_all_turns();

  /// Reports an event and pumps right after it, where the host would otherwise be asked to: two crossings less for
  /// every message. REQUIRES: called by the host, so nothing else of C++ is on the stack. Whatever reported the event
  /// may be gone afterwards.
  template <class F>
  static void report_and_pump(F&& report) {
    in_event_ = true;
    std::forward<F>(report)();
    in_event_ = false;
    if (std::exchange(asked_in_event_, false)) pump_all();
  }

 private:
  static void tell_deadline();
  [[nodiscard]] bool wants_pump() noexcept;
  static BrowserBackend* first_;  // of this module instance
  static constinit thread_local bool in_event_;
  static constinit thread_local bool asked_in_event_;  // for a pump

  BrowserBackend* next_;
  core::Loop* loop_ = nullptr;
  std::optional<TimePoint> deadline_;
  bool pump_requested_ = false;
  bool due_ = false;
#if defined(__EMSCRIPTEN_PTHREADS__)
  const pthread_t owner_ = pthread_self();
  std::atomic<bool> woken_ = false;  // by another thread
#endif
};

}  // namespace wdc::browser
