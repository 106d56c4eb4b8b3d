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
class App final : private transfer::User {
 public:
  /// Joins `room`, giving up what was before. The page hears of everything that follows through `page::connection`.
  void start(std::string url, std::string room);
  /// Leaves: ends every transfer and the connection, at once.
  void stop();

  /// False if it cannot be offered now: not connected, another file under way, or too large.
  [[nodiscard]] bool offer(double size, std::string_view name, std::string_view type);
  void cancel(transfer::Direction direction, transfer::Reason reason);
  void accept();
  void handle_readable() noexcept;
  void handle_put_away(std::uint32_t id, double bytes);
  [[nodiscard]] double progress(transfer::Direction direction) const noexcept;

 private:
  [[nodiscard]] Task<void> meet_and_transfer(std::string url, std::string room);
  void disconnect() noexcept;
  void end(std::string_view why);

  void on_event(const transfer::Event& event) override;
  [[nodiscard]] transfer::Answer read(std::uint64_t offset, std::span<std::byte> target) override;
  [[nodiscard]] transfer::Answer write(std::uint32_t id, std::span<const std::byte> bytes) override;

  EventLoop& loop_ = browser::instance_loop();
  std::optional<Connection> connection_;
  std::optional<transfer::Session> session_;
  Spawned<void> running_;
};

}  // namespace wdc::app
