// SPDX-License-Identifier: MIT
#include "wdc/data_channel.h"

#include <utility>

#include "src/core/channel.h"
#include "wdc/incoming_message.h"

namespace wdc {

using core::Channel;
using core::ChannelReference;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) noexcept { return std::as_bytes(std::span(text)); }

}  // namespace

// SendOperation

SendOperation::SendOperation(ChannelReference channel, std::span<const std::byte> bytes, MessageType type,
                             const SendOptions& options) noexcept
    : bytes_(bytes), type_(type), options_(options) {
  waiter_.channel = std::move(channel);
  waiter_.operation = this;
}

SendOperation::SendOperation(ChannelReference channel, Message&& message, const SendOptions& options) noexcept
    : message_(std::move(message)), owns_message_(true), options_(options) {
  waiter_.channel = std::move(channel);
  waiter_.operation = this;
}

SendOperation::SendOperation(ChannelReference channel, ByteSource& source, MessageType type,
                             const SendOptions& options) noexcept
    : type_(type), options_(options) {
  waiter_.channel = std::move(channel);
  waiter_.operation = this;
  waiter_.source = &source;
}

SendOperation::SendOperation(SendOperation&& other) noexcept
    : bytes_(other.bytes_),
      message_(std::move(other.message_)),
      type_(other.type_),
      owns_message_(other.owns_message_),
      options_(other.options_) {
  waiter_.channel = std::move(other.waiter_.channel);
  waiter_.operation = this;
  waiter_.source = other.waiter_.source;
}

SendOperation::~SendOperation() {
  if (counted_) waiter_.channel->abandon(*this);
}

bool SendOperation::await_ready() {
  if (waiter_.channel) return waiter_.channel->start_send(*this);
  result_ = fail(Errc::closed);
  return true;
}

void SendOperation::enqueue() noexcept { waiter_.channel->enqueue(*this); }

ByteSource::~ByteSource() = default;

void ByteSource::ready() noexcept {
  if (user_ != nullptr) user_->waiter_.channel->framing()->source_ready(*user_);
}

// FlushOperation

FlushOperation::FlushOperation(ChannelReference channel, FlushTo goal) noexcept : goal_(goal) {
  waiter_.channel = std::move(channel);
  waiter_.operation = this;
}

FlushOperation::FlushOperation(FlushOperation&& other) noexcept : goal_(other.goal_) {
  waiter_.channel = std::move(other.waiter_.channel);
  waiter_.operation = this;
}

FlushOperation::~FlushOperation() = default;

bool FlushOperation::await_ready() {
  if (!waiter_.channel) {
    result_ = fail(Errc::closed);
  } else if (waiter_.channel->framing() == nullptr) {
    result_ = fail(Errc::unsupported, "the channel does not speak framed mode");
  } else {
    return waiter_.channel->framing()->start_flush(*this);
  }
  return true;
}

void FlushOperation::enqueue() noexcept { waiter_.channel->framing()->enqueue(*this); }

// OpenOperation

OpenOperation::OpenOperation(ChannelReference channel) noexcept { waiter_.channel = std::move(channel); }

OpenOperation::OpenOperation(OpenOperation&& other) noexcept { waiter_.channel = std::move(other.waiter_.channel); }

bool OpenOperation::await_ready() const noexcept {
  return !waiter_.channel || waiter_.channel->state() != ReadyState::connecting;
}

void OpenOperation::enqueue() noexcept { waiter_.channel->wait_open(waiter_); }

Result<void> OpenOperation::await_resume() noexcept {
  if (!waiter_.channel) return fail(Errc::closed);
  if (waiter_.channel->state() == ReadyState::open) return {};
  return std::unexpected(waiter_.channel->refusal());
}

// CloseOperation

CloseOperation::CloseOperation(ChannelReference channel) noexcept { waiter_.channel = std::move(channel); }

CloseOperation::CloseOperation(CloseOperation&& other) noexcept { waiter_.channel = std::move(other.waiter_.channel); }

bool CloseOperation::await_ready() const noexcept { return !waiter_.channel || waiter_.channel->ended(); }

void CloseOperation::enqueue() noexcept { waiter_.channel->wait_closed(waiter_); }

Result<void> CloseOperation::await_resume() noexcept {
  if (!waiter_.channel) return fail(Errc::closed);
  return waiter_.channel->close_result();
}

// NextOperation and MessageStream

NextOperation::NextOperation(ChannelReference channel) noexcept { waiter_.channel = std::move(channel); }

NextOperation::NextOperation(NextOperation&& other) noexcept { waiter_.channel = std::move(other.waiter_.channel); }

NextOperation::~NextOperation() {
  if (waiter_.channel) waiter_.channel->reader().leave(waiter_);
}

bool NextOperation::await_ready() const noexcept {
  Channel* channel = waiter_.channel.get();
  return channel == nullptr || channel->can_read() || channel->reader().taken_by_other(waiter_);
}

void NextOperation::enqueue() noexcept { waiter_.channel->reader().wait(waiter_); }

std::optional<Message> NextOperation::await_resume() {
  Channel* channel = waiter_.channel.get();
  if (channel == nullptr || channel->reader().taken_by_other(waiter_)) return std::nullopt;
  channel->reader().leave(waiter_);
  return channel->read();
}

MessageStream::MessageStream(ChannelReference channel, bool refused) noexcept
    : channel_(std::move(channel)), refused_(refused) {}

MessageStream::MessageStream(MessageStream&& other) noexcept = default;

MessageStream& MessageStream::operator=(MessageStream&& other) noexcept {
  std::swap(channel_, other.channel_);
  std::swap(refused_, other.refused_);
  return *this;
}

MessageStream::~MessageStream() {
  if (channel_ && !refused_) channel_->release_consumer();
}

NextOperation MessageStream::next() noexcept { return NextOperation(refused_ ? ChannelReference() : channel_); }

Result<void> MessageStream::end_reason() const {
  if (refused_) return fail(Errc::consumer_busy);
  if (!channel_) return fail(Errc::closed);
  return channel_->read_end();
}

// DataChannel

DataChannel& DataChannel::operator=(DataChannel&& other) noexcept {
  if (this == &other) return *this;
  DataChannel old = std::move(*this);
  channel_ = std::move(other.channel_);
  return *this;
}

DataChannel::~DataChannel() {
  if (channel_) channel_->handle_gone();
}

SendOperation DataChannel::send_bytes(std::span<const std::byte> bytes, const SendOptions& options) noexcept {
  return SendOperation(channel_, bytes, MessageType::binary, options);
}

SendOperation DataChannel::send_text(std::string_view text, const SendOptions& options) noexcept {
  return SendOperation(channel_, bytes_of(text), MessageType::text, options);
}

SendOperation DataChannel::send(Message&& message, const SendOptions& options) noexcept {
  return SendOperation(channel_, std::move(message), options);
}

SendOperation DataChannel::send_from(ByteSource& source, MessageType type, const SendOptions& options) noexcept {
  return SendOperation(channel_, source, type, options);
}

Result<void> DataChannel::try_send_bytes(std::span<const std::byte> bytes) {
  if (!channel_) return fail(Errc::closed);
  return channel_->try_send(bytes, MessageType::binary);
}

Result<void> DataChannel::try_send_text(std::string_view text) {
  if (!channel_) return fail(Errc::closed);
  return channel_->try_send(bytes_of(text), MessageType::text);
}

Result<void> DataChannel::try_send(Message&& message) {
  if (!channel_) return fail(Errc::closed);
  return channel_->try_send(message);
}

Result<Message> DataChannel::try_receive() {
  if (!channel_) return fail(Errc::closed);
  if (!channel_->on_owning_thread()) return fail(Errc::wrong_thread);
  if (channel_->has_consumer()) return fail(Errc::consumer_busy);
  if (auto* framing = channel_->framing()) framing->set_reader(core::framed::Framing::Reader::messages);
  if (auto message = channel_->read()) return std::move(*message);
  if (!channel_->ended()) return fail(Errc::would_block);
  return std::unexpected(channel_->refusal());
}

MessageStream DataChannel::message_stream() noexcept {
  const bool refused = channel_ && !channel_->claim_consumer();
  if (channel_ && !refused && channel_->framing() != nullptr)
    channel_->framing()->set_reader(core::framed::Framing::Reader::messages);
  return MessageStream(channel_, refused);
}

IncomingStream DataChannel::incoming_messages() noexcept {
  std::optional<Errc> refused;
  if (!channel_)
    refused = Errc::closed;
  else if (channel_->framing() == nullptr)
    refused = Errc::unsupported;
  else if (!channel_->claim_consumer())
    refused = Errc::consumer_busy;
  else
    channel_->framing()->set_reader(core::framed::Framing::Reader::starts);
  return IncomingStream(channel_, refused);
}

OpenOperation DataChannel::wait_open() noexcept { return OpenOperation(channel_); }

FlushOperation DataChannel::flush(FlushTo goal) noexcept { return FlushOperation(channel_, goal); }

CloseOperation DataChannel::close(std::optional<std::chrono::milliseconds> timeout) {
  if (channel_) channel_->close(timeout);
  return CloseOperation(channel_);
}

CloseOperation DataChannel::wait_closed() noexcept { return CloseOperation(channel_); }

void DataChannel::abort() {
  if (channel_) channel_->abort();
}

namespace {

const core::ChannelInfo& info_of(const ChannelReference& channel) noexcept {
  static const core::ChannelInfo none;
  return channel ? channel->info() : none;
}

}  // namespace

std::string_view DataChannel::label() const noexcept { return info_of(channel_).label; }
std::string_view DataChannel::protocol() const noexcept { return info_of(channel_).protocol; }
std::optional<std::uint16_t> DataChannel::id() const noexcept { return channel_ ? channel_->id() : std::nullopt; }
bool DataChannel::ordered() const noexcept { return info_of(channel_).ordered; }
std::optional<std::uint16_t> DataChannel::max_retransmits() const noexcept { return info_of(channel_).max_retransmits; }
std::optional<std::chrono::milliseconds> DataChannel::max_packet_life_time() const noexcept {
  return info_of(channel_).max_packet_life_time;
}
bool DataChannel::negotiated() const noexcept { return info_of(channel_).negotiated; }
ReadyState DataChannel::ready_state() const noexcept { return channel_ ? channel_->state() : ReadyState::closed; }
std::uint64_t DataChannel::buffered_amount() const { return channel_ ? channel_->buffered_amount() : 0; }
std::uint64_t DataChannel::max_message_size() const { return channel_ ? channel_->max_message_size() : 0; }
DataChannelStats DataChannel::stats() const noexcept { return channel_ ? channel_->stats() : DataChannelStats{}; }

bool DataChannel::framed() const noexcept { return channel_ && channel_->framing() != nullptr; }

Delivery DataChannel::delivery() const noexcept {
  return framed() ? channel_->framing()->session().sender().delivery() : Delivery{};
}

Result<void> DataChannel::close_reason() const {
  if (!channel_) return fail(Errc::closed);
  return channel_->close_reason();
}

}  // namespace wdc
