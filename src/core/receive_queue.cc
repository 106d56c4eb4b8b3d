// SPDX-License-Identifier: MIT
#include "src/core/receive_queue.h"

#include <algorithm>
#include <utility>

namespace wdc::core {

namespace {
constexpr std::size_t kFirstCapacity = 16;
/// At once what a backend brings in one turn, so that a channel has met its largest burst early.
constexpr std::size_t kSecondCapacity = 256;
}  // namespace

void ReceiveQueue::push(Message&& message) {
  keep_lent();
  if (count_ == capacity_) grow();
  bytes_ += message.size();
  ring_[(first_ + count_) & (capacity_ - 1)] = std::move(message);
  ++count_;
}

void ReceiveQueue::take_lent() {
  Message& message = *std::exchange(lent_, nullptr);
  count_ = bytes_ = 0;
  push(std::move(message));
}

std::optional<Message> ReceiveQueue::pop() noexcept {
  if (count_ == 0) return std::nullopt;
  if (lent_ != nullptr) {
    count_ = bytes_ = 0;
    return std::optional<Message>(std::move(*std::exchange(lent_, nullptr)));
  }
  std::optional<Message> message(std::move(ring_[first_]));
  first_ = (first_ + 1) & (capacity_ - 1);
  --count_;
  bytes_ -= message->size();
  return message;
}

void ReceiveQueue::clear() noexcept {
  lent_ = nullptr;
  ring_.reset();
  capacity_ = first_ = count_ = bytes_ = 0;
}

void ReceiveQueue::grow() {
  const std::size_t capacity = std::max(4 * capacity_, capacity_ == 0 ? kFirstCapacity : kSecondCapacity);  // rarely
  auto ring = std::make_unique<Message[]>(capacity);
  for (std::size_t i = 0; i < count_; ++i) ring[i] = std::move(ring_[(first_ + i) & (capacity_ - 1)]);
  ring_ = std::move(ring);
  capacity_ = capacity;
  first_ = 0;
}

}  // namespace wdc::core
