// SPDX-License-Identifier: MIT
#include "wdc/incoming_message.h"

#include <utility>

#include "src/core/channel.h"

namespace wdc {

using core::Channel;
using core::ChannelReference;
using core::framed::Framing;
using core::framed::Incoming;

// PartOperation

PartOperation::PartOperation(PartOperation&& other) noexcept : message_(other.message_) {}

PartOperation::~PartOperation() = default;

bool PartOperation::await_ready() const noexcept {
  Incoming* const incoming = message_->incoming_;
  return incoming == nullptr || !incoming->waiters.empty() ||
         Framing::can_read_part(*incoming, *message_->channel_.get());
}

void PartOperation::enqueue() noexcept {
  waiter_.channel = message_->channel_;
  // Asking is what widens the message's credit.
  (void)message_->channel_->framing()->read_part(*message_->incoming_);
  message_->incoming_->waiters.push_back(waiter_);
}

std::optional<Message> PartOperation::await_resume() {
  if (message_->incoming_ == nullptr) {
    if (!std::exchange(message_->unread_, false)) return std::nullopt;
    return std::move(message_->message_);
  }
  return message_->channel_->framing()->read_part(*message_->incoming_);
}

// WholeOperation

WholeOperation::WholeOperation(WholeOperation&& other) noexcept : message_(other.message_) {}

WholeOperation::~WholeOperation() = default;

bool WholeOperation::await_ready() const noexcept {
  Incoming* const incoming = message_->incoming_;
  if (incoming == nullptr || !incoming->waiters.empty()) return true;
  message_->channel_->framing()->want_whole(*incoming);
  return Framing::is_over(*incoming, *message_->channel_.get());
}

void WholeOperation::enqueue() noexcept {
  waiter_.channel = message_->channel_;
  message_->incoming_->waiters.push_back(waiter_);
}

Result<Message> WholeOperation::await_resume() {
  if (message_->incoming_ == nullptr) {
    if (!std::exchange(message_->unread_, false)) return fail(Errc::invalid_state, "the message was read already");
    return std::move(message_->message_);
  }
  return message_->channel_->framing()->read_whole(*message_->incoming_);
}

// IncomingMessage

IncomingMessage::IncomingMessage(ChannelReference channel, Incoming& incoming) noexcept
    : channel_(std::move(channel)), incoming_(&incoming), type_(incoming.type), size_(incoming.size) {}

IncomingMessage::IncomingMessage(Message&& message) noexcept
    : message_(std::move(message)), unread_(true), type_(message_.type()), size_(message_.size()) {}

IncomingMessage::IncomingMessage(IncomingMessage&& other) noexcept
    : channel_(std::move(other.channel_)),
      incoming_(std::exchange(other.incoming_, nullptr)),
      message_(std::move(other.message_)),
      unread_(std::exchange(other.unread_, false)),
      type_(other.type_),
      size_(other.size_) {}

IncomingMessage& IncomingMessage::operator=(IncomingMessage&& other) noexcept {
  std::swap(channel_, other.channel_);
  std::swap(incoming_, other.incoming_);
  std::swap(message_, other.message_);
  std::swap(unread_, other.unread_);
  std::swap(type_, other.type_);
  std::swap(size_, other.size_);
  return *this;
}

IncomingMessage::~IncomingMessage() {
  if (incoming_ != nullptr) channel_->framing()->let_go(*incoming_);
}

Result<Message> IncomingMessage::try_next_part() {
  if (incoming_ == nullptr) {
    if (!std::exchange(unread_, false)) return fail(Errc::closed);
    return std::move(message_);
  }
  auto part = channel_->framing()->read_part(*incoming_);
  if (part) return std::move(*part);
  if (!Framing::is_over(*incoming_, *channel_.get())) return fail(Errc::would_block);
  if (auto reason = end_reason(); !reason) return std::unexpected(std::move(reason.error()));
  return fail(Errc::closed);
}

void IncomingMessage::stop() noexcept {
  if (incoming_ != nullptr) channel_->framing()->stop(*incoming_);
  unread_ = false;
}

Result<void> IncomingMessage::end_reason() const {
  return incoming_ == nullptr ? Result<void>() : channel_->framing()->end_reason(*incoming_);
}

// IncomingOperation and IncomingStream

IncomingOperation::IncomingOperation(ChannelReference channel) noexcept { waiter_.channel = std::move(channel); }

IncomingOperation::IncomingOperation(IncomingOperation&& other) noexcept {
  waiter_.channel = std::move(other.waiter_.channel);
}

IncomingOperation::~IncomingOperation() {
  if (waiter_.channel) waiter_.channel->reader().leave(waiter_);
}

bool IncomingOperation::await_ready() const noexcept {
  Channel* const channel = waiter_.channel.get();
  return channel == nullptr || channel->can_read() || channel->reader().taken_by_other(waiter_);
}

void IncomingOperation::enqueue() noexcept { waiter_.channel->reader().wait(waiter_); }

std::optional<IncomingMessage> IncomingOperation::await_resume() {
  Channel* const channel = waiter_.channel.get();
  if (channel == nullptr || channel->reader().taken_by_other(waiter_)) return std::nullopt;
  channel->reader().leave(waiter_);
  return channel->framing()->read_start();
}

IncomingStream::IncomingStream(ChannelReference channel, std::optional<Errc> refused) noexcept
    : channel_(std::move(channel)), refused_(refused) {}

IncomingStream::IncomingStream(IncomingStream&& other) noexcept = default;

IncomingStream& IncomingStream::operator=(IncomingStream&& other) noexcept {
  std::swap(channel_, other.channel_);
  std::swap(refused_, other.refused_);
  return *this;
}

IncomingStream::~IncomingStream() {
  if (channel_ && !refused_) channel_->release_consumer();
}

IncomingOperation IncomingStream::next() noexcept {
  return IncomingOperation(refused_ ? ChannelReference() : channel_);
}

Result<void> IncomingStream::end_reason() const {
  if (refused_) return fail(*refused_);
  if (!channel_) return fail(Errc::closed);
  return channel_->read_end();
}

}  // namespace wdc
