// SPDX-License-Identifier: MIT
#include "sender.h"

#include <coroutine>
#include <utility>

#include "js_imports.h"
#include "report.h"

namespace wdc::js {

Result<std::size_t> JsSource::read(std::span<std::byte> room) {
  const auto read = imports::wdc_js_import_source_read(operation_, room.data(), room.size());
  if (read < 0) return fail(static_cast<Errc>(-read));
  return static_cast<std::size_t>(read);
}

std::int32_t SenderPool::send(DataChannel& channel, Message&& message, const SendOptions& options) {
  auto& sender = idle_sender();
  sender.message = std::move(message);
  sender.options = options;
  return start(sender, channel, What::message);
}

std::int32_t SenderPool::send_from_source(DataChannel& channel, std::optional<std::uint64_t> size, bool in_memory,
                                          MessageType type, const SendOptions& options) {
  auto& sender = idle_sender();
  sender.source.operation_ = sender.number;
  sender.source.size_ = size;
  sender.source.in_memory_ = in_memory;
  sender.type = type;
  sender.options = options;
  return start(sender, channel, What::source);
}

std::int32_t SenderPool::flush(DataChannel& channel, FlushTo goal) {
  auto& sender = idle_sender();
  sender.goal = goal;
  return start(sender, channel, What::flush);
}

void SenderPool::wake_source(std::int32_t operation) {
  if (auto* sender = waiting(operation)) sender->source.wake();
}

void SenderPool::cancel(std::int32_t operation) {
  auto* sender = waiting(operation);
  if (sender == nullptr) return;
  sender->waits = false;
  sender->routine = run(*sender);  // destroys the old frame, and the operation in it
  idle_.push_back(sender);
}

std::int32_t SenderPool::start(Sender& sender, DataChannel& channel, What what) {
  sender.channel = &channel;
  sender.what = what;
  sender.ended = false;
  sender.routine.resume();
  if (sender.ended) {
    idle_.push_back(&sender);
    return sender.code;
  }
  sender.waits = true;
  return sender.number;
}

SenderPool::Sender* SenderPool::waiting(std::int32_t operation) {
  if (operation < 1 || static_cast<std::size_t>(operation) > senders_.size()) return nullptr;
  auto& sender = *senders_[static_cast<std::size_t>(operation) - 1];
  return sender.waits ? &sender : nullptr;
}

SenderPool::Sender& SenderPool::idle_sender() {
  if (idle_.empty()) {
    auto& sender = *senders_.emplace_back(std::make_unique<Sender>());
    sender.number = static_cast<std::int32_t>(senders_.size());
    sender.routine = run(sender);
    idle_.reserve(senders_.size());
    return sender;
  }
  auto& sender = *idle_.back();
  idle_.pop_back();
  return sender;
}

Routine SenderPool::run(Sender& sender) {
  for (;;) {
    switch (sender.what) {
      case What::message:
        sender.code = report(co_await sender.channel->send(std::move(sender.message), sender.options));
        break;
      case What::source:
        sender.code = report(co_await sender.channel->send_from(sender.source, sender.type, sender.options));
        break;
      case What::flush:
        sender.code = report(co_await sender.channel->flush(sender.goal));
        break;
    }
    sender.ended = true;
    if (std::exchange(sender.waits, false)) {
      idle_.push_back(&sender);
      imports::wdc_js_import_sent(sender.number, sender.code);
    }
    co_await std::suspend_always{};
  }
}

}  // namespace wdc::js
