// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "apps/web/transfer/event.h"
#include "apps/web/transfer/frame.h"
#include "apps/web/transfer/sha256.h"

namespace wdc::transfer {

/// A plain channel's receive queue holds 16 MiB; a quarter of it in flight keeps any network of today's browsers busy.
inline constexpr std::uint32_t kDefaultWindow = std::uint32_t{4} << 20;

/// The receiving role of a Session: one file after another.
///
///     idle -OFFER-> offered -accept()-> receiving -FINISH-> finishing -put away-> idle
///     any but idle: -CANCEL or stop()-> idle
class Receiver {
 public:
  Receiver(std::uint32_t window, std::deque<Event>& events) noexcept : events_(events), window_(window) {}

  [[nodiscard]] bool idle() const noexcept { return state_ == State::idle; }
  /// Takes the file that is offered; nothing if none is.
  void accept();
  /// Declines the offer or ends the transfer; nothing if there is none.
  void stop(Reason reason);
  /// `bytes` more of file `id` have been put away (written, or handed to the browser), in the order they came: the
  /// other end may send as many more. Bytes of a transfer that has ended since are ignored.
  void handle_put_away(std::uint32_t id, std::uint64_t bytes);

  [[nodiscard]] Checked<void> handle(const Offer& offer);
  /// Gives the bytes to put away.
  [[nodiscard]] Checked<std::span<const std::byte>> handle(const Data& data);
  [[nodiscard]] Checked<void> handle(const Finish& finish);
  [[nodiscard]] Checked<void> handle(const Cancel& cancel);

  [[nodiscard]] std::optional<std::vector<std::byte>> poll_frame();

  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

 private:
  enum class State : std::uint8_t { idle, offered, receiving, finishing };
  [[nodiscard]] Checked<bool> concerns_current(std::uint32_t id) const;
  void finish_if_put_away();

  std::deque<Event>& events_;
  std::deque<std::vector<std::byte>> frames_;
  std::uint32_t window_;
  State state_ = State::idle;
  std::uint32_t id_ = 0;  // of the current or the last offer
  std::uint64_t size_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t put_away_ = 0;
  std::uint64_t acknowledged_ = 0;
  Sha256 hash_;
  Digest digest_{};
};

}  // namespace wdc::transfer
