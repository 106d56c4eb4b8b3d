// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "apps/web/transfer/event.h"
#include "apps/web/transfer/frame.h"
#include "apps/web/transfer/sha256.h"

namespace wdc::transfer {

/// Bytes of one DATA message, header included. Larger ones are no faster in browsers.
inline constexpr std::size_t kDataMessageSize = 65'536;

/// A part of the file that is to be sent now.
struct Piece {
  std::uint64_t offset;
  std::size_t length;  // 1 to kDataMessageSize - kDataHeader
};

/// The sending role of a Session: one file after another.
///
///     idle -offer()-> offered -ACCEPT-> sending -all sent-> finishing -DONE-> idle
///     any but idle: -STOP or cancel()-> idle
class Sender {
 public:
  Sender(std::size_t max_message_size, std::deque<Event>& events) noexcept;

  [[nodiscard]] bool idle() const noexcept { return state_ == State::idle; }
  /// Offers a file. The name's last part is sent, cut to what the format takes. REQUIRES: idle(), size <=
  /// kMaxFileBytes.
  void offer(std::uint64_t size, std::string_view name, std::string_view type);
  /// Ends the transfer from this side; nothing if there is none.
  void cancel(Reason reason);

  [[nodiscard]] Checked<void> handle(const Accept& accept);
  [[nodiscard]] Checked<void> handle(const Stop& stop);
  [[nodiscard]] Checked<void> handle(const Ack& ack);
  [[nodiscard]] Checked<void> handle(const Done& done);

  [[nodiscard]] std::optional<std::vector<std::byte>> poll_frame();
  /// What the receiver's window lets through now: read these bytes of the file to message[kDataHeader...], then
  /// commit_piece(). Asking again changes nothing.
  [[nodiscard]] std::optional<Piece> poll_piece() const noexcept;
  /// Writes the header and hashes the bytes: `message` is to be sent as it is. REQUIRES: the piece poll_piece() gives.
  void commit_piece(std::span<std::byte> message) noexcept;

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  /// What the other end has put away.
  [[nodiscard]] std::uint64_t acknowledged() const noexcept { return acknowledged_; }

 private:
  enum class State : std::uint8_t { idle, offered, sending, finishing };
  /// True: of the current transfer. False: of one that ended, to be dropped.
  [[nodiscard]] Checked<bool> concerns_current(std::uint32_t id) const;

  std::deque<Event>& events_;
  std::deque<std::vector<std::byte>> frames_;
  std::size_t piece_size_;
  State state_ = State::idle;
  std::uint32_t id_ = 0;  // of the current or the last offer
  std::uint64_t size_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint32_t window_ = 0;
  Sha256 hash_;
  Digest digest_{};
};

}  // namespace wdc::transfer
