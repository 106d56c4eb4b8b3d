// SPDX-License-Identifier: MIT
#include "sender.h"

#include <coroutine>
#include <utility>

#include "js_imports.h"
#include "report.h"

namespace wdc::js {

std::int32_t SenderPool::send(DataChannel& channel, Message&& message) {
  auto& sender = idle_sender();
  sender.channel = &channel;
  sender.message = std::move(message);
  sender.ended = false;
  sender.routine.resume();
  if (sender.ended) {
    idle_.push_back(&sender);
    return sender.code;
  }
  sender.waits = true;
  return sender.number;
}

void SenderPool::cancel(std::int32_t operation) {
  if (operation < 1 || static_cast<std::size_t>(operation) > senders_.size()) return;
  auto& sender = *senders_[static_cast<std::size_t>(operation) - 1];
  if (!sender.waits) return;
  sender.waits = false;
  sender.routine = run(sender);  // destroys the old frame, and the operation in it
  idle_.push_back(&sender);
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
    {
      auto result = co_await sender.channel->send(std::move(sender.message));
      sender.code = report(result);
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
