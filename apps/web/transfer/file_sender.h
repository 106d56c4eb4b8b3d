// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "apps/web/transfer/control.h"
#include "apps/web/transfer/event.h"
#include "apps/web/transfer/sha256.h"
#include "wdc/send_options.h"

namespace wdc::transfer {

/// The sending role of a Session: one file after another. It is the source of their content, too: a header, the file's
/// bytes and their hash.
///
///     idle -offer()-> offered -ACCEPT-> sending -DONE-> idle
///     any but idle: -STOP or cancel()-> idle
class FileSender final : public ByteSource {
 public:
  FileSender(User& user, std::deque<Event>& events) noexcept : user_(user), events_(events) {}

  [[nodiscard]] bool idle() const noexcept { return state_ == State::idle; }
  /// The content is to be sent, or on its way.
  [[nodiscard]] bool sending() const noexcept { return state_ == State::sending; }
  /// The receiver has said that it has all of the last file.
  [[nodiscard]] bool done() const noexcept { return done_; }
  /// Offers a file. The name's last part is sent, cut to what the format takes. REQUIRES: idle(), size <=
  /// kMaxFileBytes.
  void offer(std::uint64_t size, std::string_view name, std::string_view type);
  /// Ends the transfer from this side; nothing if there is none.
  void cancel(Reason reason);

  [[nodiscard]] Checked<void> handle(const Accept& accept);
  [[nodiscard]] Checked<void> handle(const Stop& stop);
  [[nodiscard]] Checked<void> handle(const Done& done);

  [[nodiscard]] std::optional<std::vector<std::byte>> poll_message();

  [[nodiscard]] std::uint64_t file_size() const noexcept { return size_; }

  // The content; errors: would_block, and cancelled for a file that cannot be read.
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return kHeaderSize + size_ + sizeof(Digest); }
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> room) override;
  void handle_readable() noexcept { ready(); }

 private:
  enum class State : std::uint8_t { idle, offered, sending };
  /// True: of the current transfer. False: of one that ended, to be dropped.
  [[nodiscard]] Checked<bool> concerns_current(std::uint32_t id) const;

  User& user_;
  std::deque<Event>& events_;
  std::deque<std::vector<std::byte>> messages_;
  State state_ = State::idle;
  std::uint32_t id_ = 0;  // of the current or the last offer
  std::uint64_t size_ = 0;
  std::uint64_t given_ = 0;  // bytes of the content
  bool done_ = false;
  Sha256 hash_;
  std::optional<Digest> digest_;  // once all of the file was read
};

}  // namespace wdc::transfer
