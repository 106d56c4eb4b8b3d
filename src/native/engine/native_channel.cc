// SPDX-License-Identifier: MIT
#include "src/native/engine/native_channel.h"

#include <utility>

#include "src/native/engine/native_peer.h"

namespace wdc::native {

namespace {

core::ChannelInfo info_of(const dcep::ChannelParameters& parameters) {
  core::ChannelInfo info;
  info.label = parameters.label;
  info.protocol = parameters.protocol;
  info.ordered = parameters.ordered;
  // RFC 8832 has 32 bits, W3C shows 16.
  constexpr std::uint32_t kMost = 65'535;
  if (parameters.max_retransmits)
    info.max_retransmits = static_cast<std::uint16_t>(std::min(*parameters.max_retransmits, kMost));
  if (parameters.max_lifetime_ms)
    info.max_packet_life_time = std::chrono::milliseconds(std::min(*parameters.max_lifetime_ms, kMost));
  return info;
}

}  // namespace

NativeChannel::NativeChannel(NativePeer& peer, core::ChannelInfo info, std::optional<std::uint16_t> id)
    : peer_(&peer), info_(std::move(info)), id_(id), initial_state_(ReadyState::connecting), stage_(Stage::waiting) {}

NativeChannel::NativeChannel(NativePeer& peer, dcep::ChannelId id, const dcep::ChannelParameters& parameters)
    : peer_(&peer),
      info_(info_of(parameters)),
      id_(id.value()),
      initial_state_(ReadyState::open),
      stage_(Stage::open) {}

NativeChannel::~NativeChannel() {
  if (peer_ != nullptr) peer_->forget(*this);
}

dcep::ChannelParameters NativeChannel::parameters() const {
  dcep::ChannelParameters parameters;
  parameters.label = info_.label;
  parameters.protocol = info_.protocol;
  parameters.ordered = info_.ordered;
  parameters.max_retransmits = info_.max_retransmits;
  if (info_.max_packet_life_time)
    parameters.max_lifetime_ms = static_cast<std::uint32_t>(info_.max_packet_life_time->count());
  return parameters;
}

Result<void> NativeChannel::send(std::span<const std::byte> bytes, MessageType type) {
  if (stage_ == Stage::waiting) return fail(Errc::not_open);
  if (peer_ == nullptr || stage_ != Stage::open) return fail(Errc::closed);
  return peer_->send(*this, bytes, type);
}

Result<void> NativeChannel::send(Message& message) {
  auto sent = send(message.bytes(), message.type());
  if (sent) message = Message();
  return sent;
}

std::uint64_t NativeChannel::buffered_amount() const {
  return peer_ == nullptr || stage_ == Stage::waiting ? 0 : peer_->buffered_amount(*this);
}

void NativeChannel::set_buffered_amount_low_threshold(std::uint64_t bytes) {
  low_threshold_ = bytes;
  if (peer_ != nullptr && (stage_ == Stage::open || stage_ == Stage::closing)) peer_->apply_low_threshold(*this);
}

std::uint64_t NativeChannel::max_message_size() const { return peer_ == nullptr ? 0 : peer_->max_message_size(); }

void NativeChannel::close() {
  if (peer_ == nullptr || stage_ == Stage::closing || stage_ == Stage::closed) return;
  const bool was_open = stage_ == Stage::open;
  stage_ = Stage::closing;
  peer_->close_channel(*this, was_open);
}

void NativeChannel::abort() {
  if (peer_ != nullptr && (stage_ == Stage::open || stage_ == Stage::closing)) peer_->abort_channel(*this);
  close();
}

void NativeChannel::opened(dcep::ChannelId id) {
  id_ = id.value();
  stage_ = Stage::open;
  if (events_ != nullptr) events_->on_open();
}

void NativeChannel::peer_closing() {
  if (stage_ != Stage::open) return;
  stage_ = Stage::closing;
  if (events_ != nullptr) events_->on_closing();
}

void NativeChannel::ended(std::optional<Error> error) {
  if (stage_ == Stage::closed) return;
  stage_ = Stage::closed;
  peer_ = nullptr;  // it does not know this any more, and may go first
  if (events_ != nullptr) events_->on_closed(std::move(error));
}

}  // namespace wdc::native
