// SPDX-License-Identifier: MIT
#include "src/browser/browser_backend.h"

#include <cmath>

#include "src/browser/browser_parts.h"
#include "src/browser/host_imports.h"
#include "src/core/loop.h"

#if defined(__EMSCRIPTEN_PTHREADS__)
#include <emscripten/proxying.h>
#endif

namespace wdc {

std::unique_ptr<core::Backend> core::make_default_backend() { return std::make_unique<browser::BrowserBackend>(); }

namespace browser {

BrowserBackend* BrowserBackend::first_ = nullptr;
constinit thread_local bool BrowserBackend::in_event_ = false;
constinit thread_local bool BrowserBackend::asked_in_event_ = false;

BrowserBackend::BrowserBackend() : next_(first_) { first_ = this; }

BrowserBackend::~BrowserBackend() {
  BrowserBackend** link = &first_;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
  if (deadline_) tell_deadline();
}

TimePoint BrowserBackend::now() const {
  return TimePoint(LoopClock::duration(static_cast<std::int64_t>(host::now() * 1e6)));
}

void BrowserBackend::request_pump() {
  pump_requested_ = true;
  if (in_event_)
    asked_in_event_ = true;
  else
    host::request_pump();
}

#if defined(__EMSCRIPTEN_PTHREADS__)

// Each thread has a host of its own, and only the owner's knows this loop. The system queue may run this in the middle
// of other code of the owner's: it only asks for a later turn.
void BrowserBackend::wake() noexcept {
  if (on_owning_thread()) return request_pump();
  woken_.store(true, std::memory_order_release);
  emscripten_proxy_async(
      emscripten_proxy_get_system_queue(), owner_, [](void*) { host::request_pump(); }, nullptr);
}

bool BrowserBackend::wants_pump() noexcept {
  return woken_.exchange(false, std::memory_order_acquire) || pump_requested_;
}

#else

void BrowserBackend::wake() noexcept { request_pump(); }

bool BrowserBackend::wants_pump() noexcept { return pump_requested_; }

#endif

void BrowserBackend::set_deadline(std::optional<TimePoint> deadline) {
  deadline_ = deadline;
  tell_deadline();
}

void BrowserBackend::tell_deadline() {
  const BrowserBackend* earliest = nullptr;
  for (const auto* backend = first_; backend != nullptr; backend = backend->next_)
    if (backend->deadline_ && (earliest == nullptr || *backend->deadline_ < *earliest->deadline_)) earliest = backend;
  if (earliest == nullptr) return host::set_deadline(-1);
  // A microsecond more, so that rounding never makes the host's time come before ours.
  const auto nanoseconds = static_cast<double>(earliest->deadline_->time_since_epoch().count());
  host::set_deadline(std::ceil(nanoseconds / 1e3 + 1) / 1e3);
}

void BrowserBackend::pump_all() {
  for (auto* backend = first_; backend != nullptr; backend = backend->next_)
    backend->due_ = backend->wants_pump() || (backend->deadline_ && *backend->deadline_ <= backend->now());
  // From the start each time: what a loop runs may make and destroy others.
  for (auto* backend = first_; backend != nullptr;) {
    if (!backend->due_) {
      backend = backend->next_;
      continue;
    }
    backend->due_ = backend->pump_requested_ = false;
    backend->loop_->pump();
    backend = first_;
  }
}

// No user code runs here: no loop comes or goes.
void BrowserBackend::end_all_turns() {
  for (auto* backend = first_; backend != nullptr; backend = backend->next_) backend->loop_->end_turn();
}

bool BrowserBackend::turn(bool) { return false; }

void BrowserBackend::report(std::string_view text) { host::report(text.data(), text.size()); }

Result<std::unique_ptr<core::PeerBackend>> BrowserBackend::create_peer(const PeerConnectionOptions& options) {
  if (make_peer == nullptr) return fail(Errc::unsupported, "this module was linked without connections");
  return make_peer(options);
}

Result<std::unique_ptr<core::SignalingBackend>> BrowserBackend::open_signaling(std::string_view url,
                                                                               std::string_view room) {
  if (make_signaling == nullptr) return fail(Errc::unsupported, "this module was linked without signaling");
  return make_signaling(url, room);
}

extern "C" WDC_EXPORT(wdc_pump) void wdc_pump() { BrowserBackend::pump_all(); }

extern "C" WDC_EXPORT(wdc_turn_end) void wdc_turn_end() { BrowserBackend::end_all_turns(); }

}  // namespace browser
}  // namespace wdc
