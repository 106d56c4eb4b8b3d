// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "apps/web/transfer/control.h"
#include "apps/web/transfer/event.h"
#include "apps/web/transfer/file_receiver.h"
#include "apps/web/transfer/file_sender.h"
#include "wdc/wdc.h"

namespace wdc::transfer {

/// What a channel's `protocol` says that a Session speaks on.
inline constexpr std::string_view kProtocol = "wdc.framed.v1+wdc.transfer.v2";

/// How much of a file is on its way to a slow disk or person, and how often its sender hears how far it is: every
/// quarter of that.
[[nodiscard]] FlowOptions flow_options();

/// One end of docs/wire/transfer.md on one channel, both directions.
///
/// Memory does not grow with files: their bytes go between the user and the channel's frames.
class Session {
 public:
  Session(EventLoop& loop, DataChannel channel, User& user);

  /// Moves files until the channel ends, and gives `code: why`. Once.
  [[nodiscard]] Task<std::string> run();

  /// Says what is still to be said and closes the channel; ends when the other end has read it, or after `timeout`.
  [[nodiscard]] Task<void> close(std::chrono::milliseconds timeout);

  /// False if it cannot be offered now: another file is under way, or it is too large.
  [[nodiscard]] bool offer(std::uint64_t size, std::string_view name, std::string_view type);
  void accept();
  void cancel(Direction direction, Reason reason);
  void handle_readable() noexcept { sender_.handle_readable(); }
  void handle_put_away(std::uint32_t id, std::uint64_t bytes);

  /// Bytes of the file under way, or of the last one: outgoing ones that the other end has taken, incoming ones.
  [[nodiscard]] std::uint64_t progress(Direction direction) const noexcept;

 private:
  [[nodiscard]] Checked<void> handle_start(IncomingMessage message, Message part);
  [[nodiscard]] Checked<void> handle_control(std::span<const std::byte> message);
  /// Everything that follows from a change of the roles' states.
  void follow();

  [[nodiscard]] Task<void> send_messages();
  [[nodiscard]] Task<void> send_content();
  [[nodiscard]] Task<void> read_content();
  void take_content(std::span<const std::byte> bytes);

  EventLoop& loop_;
  DataChannel channel_;
  User& user_;
  std::deque<Event> events_;
  FileSender sender_;
  FileReceiver receiver_;
  std::optional<IncomingMessage> content_;
  std::uint64_t acknowledged_before_ = 0;  // of the channel, when the content's send began
  bool is_sending_messages_ = false;
  bool is_sending_content_ = false;
  bool is_reading_content_ = false;
  // Last: they use what is above.
  Spawned<void> sending_messages_;
  Spawned<void> sending_content_;
  Spawned<void> reading_content_;
};

}  // namespace wdc::transfer
