// SPDX-License-Identifier: MIT
#include "js_channel.h"

#include <algorithm>
#include <array>
#include <coroutine>
#include <utility>

#include "js_imports.h"
#include "report.h"
#include "src/browser/slot_message.h"
#include "src/core/channel.h"
#include "src/core/framed/framing_pointer.h"
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

/// Waits until a channel has something to read, or has ended.
class Arrival {
 public:
  explicit Arrival(core::Channel& channel) noexcept : channel_(channel) {}
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;
  ~Arrival() { channel_.reader().leave(node_); }
  [[nodiscard]] bool await_ready() const noexcept { return channel_.can_read(); }
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    wdc::detail::prepare(node_, caller);
    channel_.reader().wait(node_);
  }
  void await_resume() const noexcept {}

 private:
  core::Channel& channel_;
  wdc::detail::WaitNode node_;
};

/// Messages of one frame that are told at once.
constexpr std::uint32_t kMostAtOnce = 2'048;

}  // namespace

JsChannel::JsChannel(std::int32_t number, EventLoop& loop, DataChannel channel, IncomingPool& incoming)
    : number_(number), loop_(loop), incoming_(incoming), channel_(std::move(channel)), watch_(watch()) {
  if (core::framed::is_linked() && channel_.framed()) browser::keep_last_slot();
  watch_.resume();
}

void JsChannel::pull(std::uint32_t count) {
  auto& current = reader();
  if (!current.messages) current.messages.emplace(channel_.message_stream());
  ask(current, count, &JsChannel::read);
}

void JsChannel::pull_incoming(std::uint32_t count) {
  auto& current = reader();
  if (!core::framed::is_linked()) return end(current, fail(Errc::unsupported));
  if (!current.incoming) current.incoming.emplace(channel_.incoming_messages());
  ask(current, count, &JsChannel::read_incoming);
}

void JsChannel::ask(Reader& current, std::uint32_t count, Routine (JsChannel::*read)(Reader& self)) {
  const bool idle = current.wanted == 0;
  if (current.wanted == kAll) return;  // it has ended
  current.wanted += count;
  if (!current.routine) current.routine = (this->*read)(current);
  // Otherwise it waits for a message, or is on the stack and looks at `wanted` again.
  if (idle && !current.running) current.routine.resume();
}

void JsChannel::listen() {
  auto& current = reader();
  current.messages.emplace(channel_.message_stream());
  current.wanted = kAll;
  current.routine = channel_.framed() ? read_frames(current) : read(current);
  current.routine.resume();
}

std::uint64_t JsChannel::direct_limit() const noexcept {
  if (!reader_ || reader_->wanted != kAll) return 0;
  auto& behind = *core::Channel::behind(channel_);
  return behind.framing() != nullptr ? behind.framing()->room_elsewhere() : behind.direct_limit();
}

void JsChannel::taken(std::uint32_t count) {
  auto& behind = *core::Channel::behind(channel_);
  for (; count > 0; --count) static_cast<void>(behind.read());
}

void JsChannel::stop() {
  if (!reader_) return;
  if (reader_->running) {
    reader_->messages.reset();
    reader_->incoming.reset();
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
  if (!reader_) reader_ = std::make_unique<Reader>();
  return *reader_;
}

Routine JsChannel::watch() {
  co_await NextTurn(loop_);  // JavaScript does not know the number yet
  const auto opened = co_await channel_.wait_open();
  imports::wdc_js_import_opened(number_, report(opened));
  const auto closed = co_await channel_.wait_closed();
  imports::wdc_js_import_closed(number_, report(closed));
}

Routine JsChannel::read(Reader& self) {
  // No allocation from here on: this is the way of every message.
  for (;;) {
    auto message = co_await self.messages->next();
    self.running = true;
    if (!message) break;
    if (self.wanted != kAll) --self.wanted;
    deliver(std::move(*message));
    self.running = false;
    if (!self.messages) co_return;  // stopped by the user's code
    if (self.wanted == 0) co_await std::suspend_always{};
  }
  end(self, self.messages->end_reason());
}

Routine JsChannel::read_frames(Reader& self) {
  auto& behind = *core::Channel::behind(channel_);
  const core::ChannelReference keep(&behind);
  for (;;) {
    co_await Arrival(behind);
    self.running = true;
    if (auto* const frame = behind.framing()->next_batch()) {
      deliver_batch(*frame);
    } else if (auto message = behind.read()) {
      deliver(std::move(*message));
    } else {
      break;
    }
    self.running = false;
    if (!self.messages) co_return;  // stopped by the user's code
  }
  end(self, self.messages->end_reason());
}

void JsChannel::deliver_batch(core::framed::ReceivedFrame& frame) {
  static std::array<std::uint32_t, 2 * kMostAtOnce> places;  // one at a time: this runs from the loop's pump only
  auto cursor = frame.batch;                                 // a look ahead: read() has the frame's own
  const auto bytes = frame.bytes();
  const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(cursor.messages_left(), kMostAtOnce));
  for (auto* next = places.data(); next != places.data() + std::size_t{2} * count;) {
    const auto entry = cursor.next(bytes);
    *next++ = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(bytes.data() + entry.offset));
    *next++ = static_cast<std::uint32_t>(entry.size) | (entry.type == MessageType::text ? 1U << 31 : 0U);
  }
  frame.add_reference();  // the user's code may abort the channel
  const auto slot = browser::take_last_slot(bytes.data());
  taken(imports::wdc_js_import_deliver_batch(number_, places.data(), count, slot, bytes.data()));
  frame.drop_reference();
}

void JsChannel::deliver(Message&& message) {
  const auto size = message.size();
  const bool is_text = message.is_text();
  const auto slot = browser::to_slot(std::move(message));
  imports::wdc_js_import_deliver(number_, static_cast<std::int32_t>(slot), size, is_text);
}

Routine JsChannel::read_incoming(Reader& self) {
  while (auto message = co_await self.incoming->next()) {
    if (self.wanted != kAll) --self.wanted;
    const bool is_text = message->type() == MessageType::text;
    const auto size = message->size();
    const auto number = incoming_.add(std::move(*message));
    imports::wdc_js_import_incoming(number_, number, is_text, size ? static_cast<double>(*size) : -1);
    if (self.wanted == 0) co_await std::suspend_always{};
  }
  self.running = true;
  end(self, self.incoming->end_reason());
}

void JsChannel::end(Reader& self, const Result<void>& reason) {
  self.wanted = kAll;
  imports::wdc_js_import_ended(number_, report(reason));
  self.running = false;
}

Routine JsChannel::wait_for_close(std::optional<std::chrono::milliseconds> timeout) {
  const auto result = co_await channel_.close(timeout);
  imports::wdc_js_import_close_ended(number_, report(result));
}

}  // namespace wdc::js
