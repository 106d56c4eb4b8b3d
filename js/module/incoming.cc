// SPDX-License-Identifier: MIT
#include "incoming.h"

#include <coroutine>
#include <utility>

#include "js_imports.h"
#include "report.h"
#include "wdc/browser.h"

namespace wdc::js {
namespace {

void tell_part(std::int32_t number, Message&& part) {
  const auto size = part.size();
  imports::wdc_js_import_part(number, static_cast<std::int32_t>(browser::to_slot(std::move(part))), size);
}

}  // namespace

std::int32_t IncomingPool::add(IncomingMessage&& message) {
  if (free_numbers_.empty()) {
    by_number_.emplace_back();
    free_numbers_.reserve(by_number_.size());
    free_numbers_.push_back(static_cast<std::int32_t>(by_number_.size()));
  }
  const auto number = free_numbers_.back();
  free_numbers_.pop_back();
  by_number_[static_cast<std::size_t>(number) - 1] = std::make_unique<Incoming>(std::move(message));
  return number;
}

void IncomingPool::pull(std::int32_t number, bool whole) {
  auto& incoming = *by_number_[static_cast<std::size_t>(number) - 1];
  incoming.whole = whole;
  if (!incoming.routine) incoming.routine = read(number, incoming);
  incoming.routine.resume();
}

void IncomingPool::release(std::int32_t number) {
  by_number_[static_cast<std::size_t>(number) - 1].reset();
  free_numbers_.push_back(number);
}

Routine IncomingPool::read(std::int32_t number, Incoming& self) {
  for (;;) {
    if (self.whole) {
      auto all = co_await self.message.whole();
      if (all)
        tell_part(number, std::move(*all));
      else
        imports::wdc_js_import_part_ended(number, report(all.error()));
    } else {
      auto part = co_await self.message.next_part();
      if (part)
        tell_part(number, std::move(*part));
      else
        imports::wdc_js_import_part_ended(number, report(self.message.end_reason()));
    }
    co_await std::suspend_always{};
  }
}

}  // namespace wdc::js
