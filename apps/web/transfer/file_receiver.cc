// SPDX-License-Identifier: MIT
#include "apps/web/transfer/file_receiver.h"

#include <algorithm>
#include <string>
#include <utility>

#include "apps/web/transfer/file_name.h"

namespace wdc::transfer {
namespace {

std::unexpected<Violation> violation(std::string text) { return std::unexpected(Violation{std::move(text)}); }

}  // namespace

void FileReceiver::accept() {
  if (state_ != State::offered) return;
  state_ = State::accepted;
  messages_.push_back(encode(Accept{id_}));
}

void FileReceiver::stop(Reason reason) {
  if (idle()) return;
  state_ = State::idle;
  messages_.push_back(encode(Stop{id_, reason}));
  events_.emplace_back(FileStopped{Direction::incoming, reason, false});
}

void FileReceiver::handle_put_away(std::uint32_t id, std::uint64_t bytes) {
  if (id != id_) return;
  if (state_ != State::receiving && state_ != State::finishing) return;
  put_away_ = std::min(put_away_ + bytes, received_);
  finish_if_put_away();
}

Checked<bool> FileReceiver::concerns_current(std::uint32_t id) const {
  if (id == 0 || id > id_) {
    return violation("a message of offer " + std::to_string(id) + ", the last one was " + std::to_string(id_));
  }
  return id == id_ && !idle();
}

Checked<void> FileReceiver::handle(const Offer& offer) {
  if (offer.id != id_ + 1) {
    return violation("offer " + std::to_string(offer.id) + " came after " + std::to_string(id_));
  }
  if (!idle()) return violation("a file was offered while another was under way");
  state_ = State::offered;
  id_ = offer.id;
  size_ = offer.size;
  received_ = put_away_ = 0;
  hash_ = {};
  claimed_.clear();
  events_.emplace_back(FileOffered{offer.size, safe_file_name(offer.name), safe_media_type(offer.type)});
  return {};
}

Checked<void> FileReceiver::handle(const Cancel& cancel) {
  const auto current = concerns_current(cancel.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  state_ = State::idle;
  events_.emplace_back(FileStopped{Direction::incoming, cancel.reason, true});
  return {};
}

Checked<bool> FileReceiver::begin_content(std::uint32_t id, std::optional<std::uint64_t> message_size) {
  const auto current = concerns_current(id);
  if (!current || !*current) return current;
  if (state_ != State::accepted) return violation("a file came before it was accepted, or twice");
  if (message_size != kHeaderSize + size_ + sizeof(Digest)) {
    return violation("a file of " + std::to_string(size_) + " bytes came as a message of " +
                     (message_size ? std::to_string(*message_size) : std::string("unknown size")));
  }
  state_ = State::receiving;
  return true;
}

std::span<const std::byte> FileReceiver::take_content(std::span<const std::byte> bytes) {
  const auto file = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), size_ - received_)));
  const auto rest = bytes.subspan(file.size());
  received_ += file.size();
  hash_.update(file);
  claimed_.insert(claimed_.end(), rest.begin(), rest.end());
  return file;
}

void FileReceiver::finish_content() {
  if (state_ != State::receiving || claimed_.size() < sizeof(Digest)) return;
  const auto digest = hash_.finish();
  if (!std::ranges::equal(claimed_, digest)) return stop(Reason::hash_mismatch);
  state_ = State::finishing;
  finish_if_put_away();
}

void FileReceiver::finish_if_put_away() {
  if (state_ != State::finishing || put_away_ != size_) return;
  state_ = State::idle;
  Digest digest;
  std::ranges::copy(claimed_, digest.begin());
  messages_.push_back(encode(Done{id_, digest}));
  events_.emplace_back(FileDone{Direction::incoming, digest});
}

std::optional<std::vector<std::byte>> FileReceiver::poll_message() {
  if (messages_.empty()) return std::nullopt;
  auto message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

}  // namespace wdc::transfer
