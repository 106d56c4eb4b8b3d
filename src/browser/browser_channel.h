// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>

#include "src/browser/host_imports.h"
#include "src/core/backend.h"
#include "wdc/browser.h"

namespace wdc::browser {

/// An RTCDataChannel of the host's table. Owns its number.
class BrowserChannel final : public core::ChannelBackend {
 public:
  explicit BrowserChannel(host::Number number, SmallMessages small = SmallMessages::in_memory);
  BrowserChannel(const BrowserChannel&) = delete;
  BrowserChannel& operator=(const BrowserChannel&) = delete;
  ~BrowserChannel() override;

  void set_events(core::ChannelEvents& events) override;
  [[nodiscard]] const core::ChannelInfo& info() const override { return info_; }
  [[nodiscard]] std::optional<std::uint16_t> id() const override;
  [[nodiscard]] ReadyState initial_state() const override { return initial_state_; }

  [[nodiscard]] Result<void> send(std::span<const std::byte> bytes, MessageType type) override;
  [[nodiscard]] Result<void> send(Message& message) override;
  [[nodiscard]] std::uint64_t buffered_amount() const override;
  void set_buffered_amount_low_threshold(std::uint64_t bytes) override;
  [[nodiscard]] std::uint64_t max_message_size() const override;
  void close() override;
  void abort() override;

  /// Gives the RTCDataChannel back to JavaScript; this is without one then. A slot or an error.
  [[nodiscard]] host::Number detach();

  /// For the exports that the host calls.
  [[nodiscard]] core::ChannelEvents& events() noexcept { return *events_; }
  [[nodiscard]] SmallMessages small() const noexcept { return small_; }

 private:
  host::Number number_;  // 0: detached
  core::ChannelInfo info_;
  ReadyState initial_state_;
  core::ChannelEvents* events_ = nullptr;
  const SmallMessages small_;
};

}  // namespace wdc::browser
