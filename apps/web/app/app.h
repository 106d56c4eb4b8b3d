// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "apps/web/app/page.h"
#include "apps/web/transfer/session.h"
#include "wdc/browser.h"
#include "wdc/wdc.h"

namespace wdc::app {

/// The page's program: meets the other page in a room and moves files over the channel. Draws nothing.
class App {
 public:
  /// Joins `room`, giving up what was before. The page hears of everything that follows through `page::connection`.
  void start(std::string url, std::string room);
  /// Leaves: ends every transfer and the connection, at once.
  void stop();

  /// False if it cannot be offered now: not connected, another file under way, or too large.
  [[nodiscard]] bool offer(double size, std::string_view name, std::string_view type);
  void cancel(transfer::Direction direction, transfer::Reason reason);
  void accept();
  void handle_readable() { send_what_is_due(); }
  void handle_put_away(std::uint32_t id, double bytes);

 private:
  [[nodiscard]] Task<void> meet_and_receive(std::string url, std::string room);
  /// False once the other end broke the protocol.
  [[nodiscard]] bool handle_message(const Message& message);
  void disconnect() noexcept;
  void end(std::string_view why);

  void send_what_is_due();
  [[nodiscard]] Task<void> send_all();
  /// Fills `message` with the piece, header included, if the page has it already.
  [[nodiscard]] page::Answer read_piece(const transfer::Piece& piece, std::span<std::byte> message);

  void report();
  void report_progress();

  EventLoop& loop_ = browser::instance_loop();
  std::optional<Connection> connection_;
  std::optional<transfer::Session> session_;
  Spawned<void> receiving_;
  Spawned<void> sending_;
  bool is_sending_ = false;
  std::uint64_t reported_sent_ = 0;
  std::uint64_t reported_received_ = 0;
};

}  // namespace wdc::app
