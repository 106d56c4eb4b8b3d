// SPDX-License-Identifier: MIT
#include "src/native/sctp/rx/waiting_messages.h"

#include <algorithm>
#include <bit>

namespace wdc::sctp {

std::size_t WaitingMessages::home(StreamId stream, std::int64_t number) const {
  // The seed keeps a peer from choosing numbers that collide.
  std::uint64_t hash = static_cast<std::uint64_t>(number) ^ (std::uint64_t{stream.value()} << 48) ^ seed_;
  hash = (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15U;
  hash = (hash ^ (hash >> 29)) * (seed_ | 1);
  return static_cast<std::size_t>(hash >> 32) & (slots_.size() - 1);
}

/// The slot that holds it, or the free one where it would be.
std::size_t WaitingMessages::find(StreamId stream, std::int64_t number) const {
  std::size_t at = home(stream, number);
  while (!is_free(at) && (slots_[at].number != number || messages_[slots_[at].message].stream != stream)) {
    at = (at + 1) & (slots_.size() - 1);
  }
  return at;
}

bool WaitingMessages::insert(std::int64_t number, ReceivedMessage message) {
  if ((count_ + 1) * 2 > slots_.size()) grow_to(std::max<std::size_t>(16, slots_.size() * 2));
  const std::size_t at = find(message.stream, number);
  if (!is_free(at)) return false;
  bytes_ += message.payload.size();
  const Index index = messages_.take();
  messages_[index] = std::move(message);
  slots_[at] = {index, number};
  ++count_;
  return true;
}

std::optional<ReceivedMessage> WaitingMessages::take(StreamId stream, std::int64_t number) {
  if (count_ == 0) return std::nullopt;
  const std::size_t at = find(stream, number);
  if (is_free(at)) return std::nullopt;
  ReceivedMessage message = std::move(messages_[slots_[at].message]);
  bytes_ -= message.payload.size();
  erase(at);
  return message;
}

std::optional<std::int64_t> WaitingMessages::lowest(StreamId stream, std::int64_t from) const {
  std::optional<std::int64_t> lowest;
  for (std::size_t at = 0; at < slots_.size(); ++at) {
    if (is_free(at) || messages_[slots_[at].message].stream != stream || slots_[at].number < from) continue;
    lowest = std::min(lowest.value_or(slots_[at].number), slots_[at].number);
  }
  return lowest;
}

/// Closes the hole, so that what was pushed past it is found again.
void WaitingMessages::erase(std::size_t at) {
  messages_.give_back(slots_[at].message);
  slots_[at].message = Slab<ReceivedMessage>::kNone;
  --count_;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t next = (at + 1) & mask; !is_free(next); next = (next + 1) & mask) {
    const std::size_t wanted = home(messages_[slots_[next].message].stream, slots_[next].number);
    if (((next - wanted) & mask) < ((next - at) & mask)) continue;
    slots_[at] = slots_[next];
    slots_[next].message = Slab<ReceivedMessage>::kNone;
    at = next;
  }
}

std::size_t WaitingMessages::drop_stream(StreamId stream) {
  std::size_t dropped = 0;
  if (count_ == 0) return dropped;
  for (std::size_t at = 0; at < slots_.size();) {
    if (is_free(at) || messages_[slots_[at].message].stream != stream) {
      ++at;
      continue;
    }
    dropped += messages_[slots_[at].message].payload.size();
    messages_[slots_[at].message].payload.reset();
    erase(at);  // another may have moved here
  }
  bytes_ -= dropped;
  return dropped;
}

void WaitingMessages::clear() {
  for (Slot& slot : slots_) {
    if (slot.message == Slab<ReceivedMessage>::kNone) continue;
    messages_[slot.message].payload.reset();
    messages_.give_back(slot.message);
    slot.message = Slab<ReceivedMessage>::kNone;
  }
  count_ = 0;
  bytes_ = 0;
}

void WaitingMessages::reserve(std::size_t count) {
  messages_.reserve(count);
  if (slots_.size() < 2 * count) grow_to(std::bit_ceil(2 * count));
}

void WaitingMessages::grow_to(std::size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.message == Slab<ReceivedMessage>::kNone) continue;
    slots_[find(messages_[slot.message].stream, slot.number)] = slot;
  }
}

}  // namespace wdc::sctp
