// SPDX-License-Identifier: MIT
#include "src/core/framed/scheduler.h"

#include <algorithm>

namespace wdc::core::framed {

void Scheduler::add(Outgoing& message) noexcept {
  if (!message.linked()) ++count_;
  message.parked = false;
  Class& mine = of(message.priority);
  (message.slot == nullptr ? mine.waiting : mine.active).push_back(message);
}

void Scheduler::park(Outgoing& message) noexcept {
  message.parked = true;
  parked_.push_back(message);
}

void Scheduler::resume(Outgoing& message) noexcept {
  if (message.parked) add(message);
}

void Scheduler::remove(Outgoing& message) noexcept {
  if (!message.linked()) return;
  message.parked = false;
  message.unlink();
  --count_;
}

void Scheduler::replace(Outgoing& old, Outgoing& fresh) noexcept { detail::WaitList::replace(old, fresh); }

void Scheduler::charge(Priority priority, std::size_t bytes) noexcept {
  constexpr unsigned kHeaviest = 3;  // weights 1, 2, 4, 8
  Class& mine = of(priority);
  now_ = std::max(now_, mine.time);
  mine.time = now_ + (static_cast<std::uint64_t>(bytes) << (kHeaviest - static_cast<unsigned>(priority)));
}

Outgoing* Scheduler::find(Priority priority, std::uint64_t key) noexcept {
  auto& waiting = of(priority).waiting;
  for (auto* node = waiting.front(); node != nullptr; node = waiting.after(*node))
    if (static_cast<Outgoing*>(node)->key == key) return static_cast<Outgoing*>(node);
  return nullptr;
}

Outgoing* Scheduler::oldest(Priority preferred) noexcept {
  if (auto* node = of(preferred).waiting.front()) return static_cast<Outgoing*>(node);
  Outgoing* found = nullptr;
  for (Class& one : classes_) {
    auto* const first = static_cast<Outgoing*>(one.waiting.front());
    if (first != nullptr && (found == nullptr || first->sequence < found->sequence)) found = first;
  }
  return found;
}

std::uint64_t Scheduler::lowest_sequence(std::uint64_t none) noexcept {
  const auto look = [&](detail::WaitList& list) {
    for (auto* node = list.front(); node != nullptr; node = list.after(*node))
      none = std::min(none, static_cast<Outgoing*>(node)->sequence);
  };
  for (Class& one : classes_) {
    look(one.waiting);
    look(one.active);
  }
  look(parked_);
  return none;
}

Outgoing* Scheduler::any() noexcept {
  for (Class& one : classes_) {
    if (auto* node = one.waiting.front()) return static_cast<Outgoing*>(node);
    if (auto* node = one.active.front()) return static_cast<Outgoing*>(node);
  }
  return static_cast<Outgoing*>(parked_.front());
}

}  // namespace wdc::core::framed
