// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "apps/web/transfer/frame.h"
#include "apps/web/transfer/receiver.h"
#include "apps/web/transfer/sender.h"

namespace wdc::transfer {

/// One end of the protocol over one channel: sans-IO, both directions. Messages come in through handle_message(), what
/// is to be sent goes out through poll_frame() and poll_piece(). After every call that changes something, drain both
/// and take_events().
///
/// Memory does not grow with files: bytes are looked at where they are and never kept.
class Session {
 public:
  /// `window`: bytes of a file that the other end may have under way to here, kMinWindow to kMaxWindow.
  explicit Session(std::size_t max_message_size, std::uint32_t window = kDefaultWindow);

  /// Gives the bytes of the incoming file that were in the message (mostly none), to be put away now; they point into
  /// `message`. Answer with incoming().handle_put_away(). A Violation is the end: close the channel.
  [[nodiscard]] Checked<std::span<const std::byte>> handle_message(std::span<const std::byte> message);

  [[nodiscard]] Sender& outgoing() noexcept { return sender_; }
  [[nodiscard]] Receiver& incoming() noexcept { return receiver_; }

  /// The other end's HELLO has arrived: files may be offered.
  [[nodiscard]] bool ready() const noexcept { return peer_greeted_; }
  /// The next frame to send, pieces of files apart.
  [[nodiscard]] std::optional<std::vector<std::byte>> poll_frame();
  /// What happened since the last call, in order.
  [[nodiscard]] std::deque<Event> take_events() { return std::exchange(events_, {}); }

 private:
  std::deque<Event> events_;
  Sender sender_;
  Receiver receiver_;
  bool greeted_ = false;
  bool peer_greeted_ = false;
};

}  // namespace wdc::transfer
