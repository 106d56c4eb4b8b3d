// SPDX-License-Identifier: MIT
#include "apps/web/transfer/receiver.h"

#include <algorithm>
#include <string>
#include <utility>

#include "apps/web/transfer/file_name.h"

namespace wdc::transfer {
namespace {

std::unexpected<Violation> violation(std::string text) { return std::unexpected(Violation{std::move(text)}); }

}  // namespace

void Receiver::accept() {
  if (state_ != State::offered) return;
  state_ = State::receiving;
  frames_.push_back(encode(Accept{id_, window_}));
}

void Receiver::stop(Reason reason) {
  if (idle()) return;
  state_ = State::idle;
  frames_.push_back(encode(Stop{id_, reason}));
  events_.emplace_back(FileStopped{Direction::incoming, reason, false});
}

void Receiver::handle_put_away(std::uint32_t id, std::uint64_t bytes) {
  if (id != id_) return;
  if (state_ != State::receiving && state_ != State::finishing) return;
  put_away_ = std::min(put_away_ + bytes, received_);
  finish_if_put_away();
}

Checked<bool> Receiver::concerns_current(std::uint32_t id) const {
  if (id == 0 || id > id_) {
    return violation("a frame of offer " + std::to_string(id) + ", the last one was " + std::to_string(id_));
  }
  return id == id_ && !idle();
}

Checked<void> Receiver::handle(const Offer& offer) {
  if (!idle()) return violation("a file was offered while another is under way");
  if (offer.id != id_ + 1) {
    return violation("offer " + std::to_string(offer.id) + " follows offer " + std::to_string(id_));
  }
  state_ = State::offered;
  id_ = offer.id;
  size_ = offer.size;
  received_ = put_away_ = acknowledged_ = 0;
  hash_ = {};
  events_.emplace_back(FileOffered{offer.size, safe_file_name(offer.name), safe_media_type(offer.type)});
  return {};
}

Checked<std::span<const std::byte>> Receiver::handle(const Data& data) {
  const auto current = concerns_current(data.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  if (state_ != State::receiving) return violation("data came before it was accepted, or after its end");
  if (data.offset != received_) {
    return violation("data for offset " + std::to_string(data.offset) + " came at " + std::to_string(received_));
  }
  if (data.bytes.size() > size_ - received_) {
    return violation("data runs past the size of " + std::to_string(size_) + " bytes");
  }
  if (received_ - acknowledged_ + data.bytes.size() > window_) {
    return violation("data runs past the window of " + std::to_string(window_) + " bytes");
  }
  received_ += data.bytes.size();
  hash_.update(data.bytes);
  return data.bytes;
}

Checked<void> Receiver::handle(const Finish& finish) {
  const auto current = concerns_current(finish.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  if (state_ != State::receiving) return violation("a file ended before it was accepted, or twice");
  if (finish.size != size_ || received_ != size_) {
    return violation("a file of " + std::to_string(size_) + " bytes ended as one of " + std::to_string(finish.size) +
                     " after " + std::to_string(received_));
  }
  digest_ = hash_.finish();
  if (digest_ != finish.sha256) {
    stop(Reason::hash_mismatch);
    return {};
  }
  state_ = State::finishing;
  finish_if_put_away();
  return {};
}

Checked<void> Receiver::handle(const Cancel& cancel) {
  const auto current = concerns_current(cancel.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  state_ = State::idle;
  events_.emplace_back(FileStopped{Direction::incoming, cancel.reason, true});
  return {};
}

void Receiver::finish_if_put_away() {
  if (state_ != State::finishing || put_away_ != size_) return;
  state_ = State::idle;
  frames_.push_back(encode(Done{id_, digest_}));
  events_.emplace_back(FileDone{Direction::incoming, digest_});
}

std::optional<std::vector<std::byte>> Receiver::poll_frame() {
  if (!frames_.empty()) {
    auto frame = std::move(frames_.front());
    frames_.pop_front();
    return frame;
  }
  // Made when it can be sent, not when it falls due: one for all that was put away meanwhile. A 32nd of the default
  // window is two full messages, so that the sender's progress moves smoothly on slow links too.
  if (state_ == State::receiving && put_away_ - acknowledged_ >= window_ / 32) {
    acknowledged_ = put_away_;
    return encode(Ack{id_, acknowledged_});
  }
  return std::nullopt;
}

}  // namespace wdc::transfer
