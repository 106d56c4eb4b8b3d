// SPDX-License-Identifier: MIT
#include "apps/web/transfer/file_sender.h"

#include <algorithm>
#include <string>
#include <utility>

#include "apps/web/transfer/file_name.h"

namespace wdc::transfer {
namespace {

std::unexpected<Violation> violation(std::string text) { return std::unexpected(Violation{std::move(text)}); }

/// Copies what is left of `bytes` from `offset` on, as far as there is room; gives what it copied.
std::size_t copy_rest(std::span<const std::byte> bytes, std::uint64_t offset, std::span<std::byte> room) noexcept {
  const auto rest = bytes.subspan(static_cast<std::size_t>(offset));
  const auto size = std::min(rest.size(), room.size());
  std::copy_n(rest.begin(), size, room.begin());
  return size;
}

}  // namespace

void FileSender::offer(std::uint64_t size, std::string_view name, std::string_view type) {
  if (const auto separator = name.find_last_of("/\\"); separator != std::string_view::npos) {
    name.remove_prefix(separator + 1);
  }
  state_ = State::offered;
  ++id_;
  size_ = size;
  given_ = 0;
  done_ = false;
  hash_ = {};
  digest_.reset();
  messages_.push_back(encode(Offer{id_, size, cut_text(name, kMaxNameBytes), cut_text(type, kMaxTypeBytes)}));
}

void FileSender::cancel(Reason reason) {
  if (idle()) return;
  state_ = State::idle;
  messages_.push_back(encode(Cancel{id_, reason}));
  events_.emplace_back(FileStopped{Direction::outgoing, reason, false});
}

Checked<bool> FileSender::concerns_current(std::uint32_t id) const {
  if (id == 0 || id > id_) {
    return violation("an answer to offer " + std::to_string(id) + ", the last one was " + std::to_string(id_));
  }
  return id == id_ && !idle();
}

Checked<void> FileSender::handle(const Accept& accept) {
  const auto current = concerns_current(accept.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  if (state_ != State::offered) return violation("offer " + std::to_string(id_) + " was accepted twice");
  state_ = State::sending;
  events_.emplace_back(FileAccepted{});
  return {};
}

Checked<void> FileSender::handle(const Stop& stop) {
  const auto current = concerns_current(stop.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  state_ = State::idle;
  events_.emplace_back(FileStopped{Direction::outgoing, stop.reason, true});
  return {};
}

Checked<void> FileSender::handle(const Done& done) {
  const auto current = concerns_current(done.id);
  if (!current) return std::unexpected(current.error());
  if (!*current) return {};
  if (given_ < *size()) return violation("the file was declared done before all of it was sent");
  if (done.sha256 != digest_) return violation("the file was declared done with another hash");
  state_ = State::idle;
  done_ = true;
  events_.emplace_back(FileDone{Direction::outgoing, *digest_});
  return {};
}

std::optional<std::vector<std::byte>> FileSender::poll_message() {
  if (messages_.empty()) return std::nullopt;
  auto message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

Result<std::size_t> FileSender::read(std::span<std::byte> room) {
  const std::uint64_t before = given_;
  const auto left = [&] { return room.subspan(static_cast<std::size_t>(given_ - before)); };
  if (given_ < kHeaderSize) given_ += copy_rest(encode_content_header(id_), given_, left());
  if (const auto file = given_ - std::min<std::uint64_t>(given_, kHeaderSize); file < size_ && !left().empty()) {
    const auto bytes = left().first(static_cast<std::size_t>(std::min<std::uint64_t>(left().size(), size_ - file)));
    const auto answer = user_.read(file, bytes);
    if (answer == Answer::failed) return fail(Errc::cancelled);
    if (answer == Answer::now) {
      hash_.update(bytes);
      given_ += bytes.size();
    }
  }
  if (given_ >= kHeaderSize + size_) {
    if (!digest_) digest_ = hash_.finish();
    given_ += copy_rest(*digest_, given_ - kHeaderSize - size_, left());
  }
  if (given_ == before && !room.empty()) return fail(Errc::would_block);
  return static_cast<std::size_t>(given_ - before);
}

}  // namespace wdc::transfer
