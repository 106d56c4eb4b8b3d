// SPDX-License-Identifier: MIT
#include "js_channel.h"

#include <coroutine>
#include <utility>

#include "js_imports.h"
#include "report.h"
#include "wdc/browser.h"

namespace wdc::js {
namespace {

/// Goes on from the loop's ready queue.
class NextTurn {
 public:
  explicit NextTurn(EventLoop& loop) noexcept : loop_(loop) {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    wdc::detail::prepare(node_, caller);
    wdc::detail::make_ready(loop_.internal(), node_);
  }
  void await_resume() const noexcept {}

 private:
  EventLoop& loop_;
  wdc::detail::WaitNode node_;
};

}  // namespace

JsChannel::JsChannel(std::int32_t number, EventLoop& loop, DataChannel channel)
    : number_(number), loop_(loop), channel_(std::move(channel)), watch_(watch()) {
  watch_.resume();
}

void JsChannel::pull(std::uint32_t count) {
  auto& current = reader();
  const bool idle = current.wanted == 0;
  if (current.wanted == kAll) return;  // it has ended
  current.wanted += count;
  if (!current.routine) current.routine = read(current, Start::now);
  // Otherwise it waits for a message, or is on the stack and looks at `wanted` again.
  if (idle && !current.running) current.routine.resume();
}

void JsChannel::listen() {
  auto& current = reader();
  current.wanted = kAll;
  current.routine = read(current, Start::next_turn);
  current.routine.resume();
}

void JsChannel::stop() {
  if (!reader_) return;
  if (reader_->running) {
    reader_->stream.reset();
    reader_->below = std::move(stopped_);
    stopped_ = std::move(reader_);
  }
  reader_.reset();
}

void JsChannel::close(std::optional<std::chrono::milliseconds> timeout) {
  closing_ = wait_for_close(timeout);
  closing_.resume();
}

JsChannel::Reader& JsChannel::reader() {
  while (stopped_ && !stopped_->running) stopped_ = std::move(stopped_->below);
  if (!reader_) reader_ = std::make_unique<Reader>(channel_.message_stream());
  return *reader_;
}

Routine JsChannel::watch() {
  co_await NextTurn(loop_);  // JavaScript does not know the number yet
  const auto opened = co_await channel_.wait_open();
  imports::wdc_js_import_opened(number_, report(opened));
  const auto closed = co_await channel_.wait_closed();
  imports::wdc_js_import_closed(number_, report(closed));
}

Routine JsChannel::read(Reader& self, Start start) {
  if (start == Start::next_turn) co_await NextTurn(loop_);
  // No allocation from here on: this is the way of every message.
  for (;;) {
    auto message = co_await self.stream->next();
    self.running = true;
    if (!message) break;
    if (self.wanted != kAll) --self.wanted;
    const auto size = message->size();
    const bool is_text = message->is_text();
    const auto slot = browser::to_slot(std::move(*message));
    imports::wdc_js_import_deliver(number_, static_cast<std::int32_t>(slot), size, is_text);
    self.running = false;
    if (!self.stream) co_return;  // stopped by the user's code
    if (self.wanted == 0) co_await std::suspend_always{};
  }
  self.wanted = kAll;
  imports::wdc_js_import_ended(number_, report(self.stream->end_reason()));
  self.running = false;
}

Routine JsChannel::wait_for_close(std::optional<std::chrono::milliseconds> timeout) {
  const auto result = co_await channel_.close(timeout);
  imports::wdc_js_import_close_ended(number_, report(result));
}

}  // namespace wdc::js
