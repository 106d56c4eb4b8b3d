// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "apps/web/transfer/control.h"
#include "apps/web/transfer/event.h"
#include "apps/web/transfer/sha256.h"

namespace wdc::transfer {

/// The receiving role of a Session: one file after another.
///
///     idle -OFFER-> offered -accept()-> accepted -CONTENT-> receiving -all came-> finishing -all put away-> idle
///     any but idle: -CANCEL or stop()-> idle
class FileReceiver {
 public:
  /// Bytes of a file that may wait to be put away. More than any User joins before it puts them away.
  static constexpr std::uint64_t kMostUnwritten = std::uint64_t{4} << 20;

  explicit FileReceiver(std::deque<Event>& events) noexcept : events_(events) {}

  [[nodiscard]] bool idle() const noexcept { return state_ == State::idle; }
  /// Takes the file that is offered; nothing if none is.
  void accept();
  /// Declines the offer or ends the transfer; nothing if there is none.
  void stop(Reason reason);
  /// `bytes` more of file `id` have been put away (written, or handed to the browser), in the order they came. Bytes of
  /// a transfer that has ended since are ignored.
  void handle_put_away(std::uint32_t id, std::uint64_t bytes);

  [[nodiscard]] Checked<void> handle(const Offer& offer);
  [[nodiscard]] Checked<void> handle(const Cancel& cancel);

  /// The content of file `id` begins, a message of so many bytes. False: of a transfer that ended, to be dropped.
  [[nodiscard]] Checked<bool> begin_content(std::uint32_t id, std::optional<std::uint64_t> message_size);
  /// More of it is wanted now.
  [[nodiscard]] bool takes_content() const noexcept {
    return state_ == State::receiving && received_ - put_away_ < kMostUnwritten;
  }
  /// The next bytes behind the content's header. Gives those of the file, to be put away; then finish_content().
  /// REQUIRES: what the message has, no more.
  [[nodiscard]] std::span<const std::byte> take_content(std::span<const std::byte> bytes);
  /// Compares the hashes if all has come.
  void finish_content();

  [[nodiscard]] std::optional<std::vector<std::byte>> poll_message();

  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
  [[nodiscard]] bool receiving() const noexcept { return state_ == State::receiving; }
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

 private:
  enum class State : std::uint8_t { idle, offered, accepted, receiving, finishing };
  [[nodiscard]] Checked<bool> concerns_current(std::uint32_t id) const;
  void finish_if_put_away();

  std::deque<Event>& events_;
  std::deque<std::vector<std::byte>> messages_;
  State state_ = State::idle;
  std::uint32_t id_ = 0;  // of the current or the last offer
  std::uint64_t size_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t put_away_ = 0;
  Sha256 hash_;
  std::vector<std::byte> claimed_;  // the hash behind the file, as far as it came
};

}  // namespace wdc::transfer
