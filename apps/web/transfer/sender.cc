// SPDX-License-Identifier: MIT
#include "apps/web/transfer/sender.h"

#include <algorithm>
#include <string>
#include <utility>

#include "apps/web/transfer/file_name.h"

namespace wdc::transfer {
namespace {

std::unexpected<Violation> violation(std::string text) { return std::unexpected(Violation{std::move(text)}); }

}  // namespace

Sender::Sender(std::size_t max_message_size, std::deque<Event>& events) noexcept
    : events_(events),
      // A channel that takes less than a header and a byte does not exist; one byte keeps the arithmetic sound.
      piece_size_(std::max(std::min(kDataMessageSize, max_message_size), kDataHeader + 1) - kDataHeader) {}

void Sender::offer(std::uint64_t size, std::string_view name, std::string_view type) {
  if (const auto separator = name.find_last_of("/\\"); separator != std::string_view::npos) {
    name.remove_prefix(separator + 1);
  }
  state_ = State::offered;
  ++id_;
  size_ = size;
  sent_ = acknowledged_ = 0;
  window_ = 0;
  hash_ = {};
  frames_.push_back(encode(Offer{id_, size, cut_text(name, kMaxNameBytes), cut_text(type, kMaxTypeBytes)}));
}

void Sender::cancel(Reason reason) {
  if (idle()) return;
  state_ = State::idle;
  frames_.push_back(encode(Cancel{id_, reason}));
  events_.emplace_back(FileStopped{Direction::outgoing, reason, false});
}

Checked<bool> Sender::concerns_current(std::uint32_t id) const {
  if (id == 0 || id > id_) {
    return violation("an answer to offer " + std::to_string(id) + ", the last one was " + std::to_string(id_));
  }
  return id == id_ && !idle();
}

Checked<void> Sender::handle(const Accept& accept) {
  const auto current = concerns_current(accept.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  if (state_ != State::offered) return violation("offer " + std::to_string(id_) + " was accepted twice");
  window_ = accept.window;
  state_ = State::sending;
  events_.emplace_back(FileAccepted{});
  return {};
}

Checked<void> Sender::handle(const Stop& stop) {
  const auto current = concerns_current(stop.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  state_ = State::idle;
  events_.emplace_back(FileStopped{Direction::outgoing, stop.reason, true});
  return {};
}

Checked<void> Sender::handle(const Ack& ack) {
  const auto current = concerns_current(ack.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  if (ack.received < acknowledged_ || ack.received > sent_) {
    return violation("an acknowledgement of " + std::to_string(ack.received) + " bytes after one of " +
                     std::to_string(acknowledged_) + ", with " + std::to_string(sent_) + " sent");
  }
  acknowledged_ = ack.received;
  return {};
}

Checked<void> Sender::handle(const Done& done) {
  const auto current = concerns_current(done.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  if (state_ != State::finishing) return violation("the file was declared done before all of it was sent");
  if (done.sha256 != digest_) return violation("the file was declared done with another hash");
  acknowledged_ = size_;
  state_ = State::idle;
  events_.emplace_back(FileDone{Direction::outgoing, digest_});
  return {};
}

std::optional<std::vector<std::byte>> Sender::poll_frame() {
  if (frames_.empty() && state_ == State::sending && sent_ == size_) {
    digest_ = hash_.finish();
    state_ = State::finishing;
    return encode(Finish{id_, size_, digest_});
  }
  if (frames_.empty()) return std::nullopt;
  auto frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

std::optional<Piece> Sender::poll_piece() const noexcept {
  if (state_ != State::sending || sent_ == size_) return std::nullopt;
  const auto length = std::min<std::uint64_t>(piece_size_, size_ - sent_);
  // Whole pieces only: a window's rest would cost a message of its own.
  if (sent_ - acknowledged_ + length > window_) return std::nullopt;
  return Piece{sent_, static_cast<std::size_t>(length)};
}

void Sender::commit_piece(std::span<std::byte> message) noexcept {
  write_data_header(message.first<kDataHeader>(), id_, sent_);
  const auto bytes = message.subspan(kDataHeader);
  hash_.update(bytes);
  sent_ += bytes.size();
}

}  // namespace wdc::transfer
