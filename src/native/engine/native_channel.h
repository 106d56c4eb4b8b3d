// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>

#include "src/core/backend.h"
#include "src/native/dcep/channel_table.h"

namespace wdc::native {

class NativePeer;

/// A channel of a connection; knows its connection while both live.
class NativeChannel final : public core::ChannelBackend {
 public:
  /// One of ours; it opens when the connection is up. `id` where both ends have agreed on it.
  NativeChannel(NativePeer& peer, core::ChannelInfo info, std::optional<std::uint16_t> id);
  /// One that the peer has opened.
  NativeChannel(NativePeer& peer, dcep::ChannelId id, const dcep::ChannelParameters& parameters);
  NativeChannel(const NativeChannel&) = delete;
  NativeChannel& operator=(const NativeChannel&) = delete;
  ~NativeChannel() override;

  void set_events(core::ChannelEvents& events) override { events_ = &events; }
  [[nodiscard]] const core::ChannelInfo& info() const override { return info_; }
  [[nodiscard]] std::optional<std::uint16_t> id() const override { return id_; }
  [[nodiscard]] ReadyState initial_state() const override { return initial_state_; }
  [[nodiscard]] Result<void> send(std::span<const std::byte> bytes, MessageType type) override;
  [[nodiscard]] Result<void> send(Message& message) override;
  [[nodiscard]] std::uint64_t buffered_amount() const override;
  void set_buffered_amount_low_threshold(std::uint64_t bytes) override;
  [[nodiscard]] std::uint64_t max_message_size() const override;
  void close() override;
  void abort() override;

  // For the connection.
  enum class Stage : std::uint8_t { waiting, open, closing, closed };
  [[nodiscard]] Stage stage() const { return stage_; }
  [[nodiscard]] dcep::ChannelParameters parameters() const;
  [[nodiscard]] core::ChannelEvents* events() { return events_; }
  [[nodiscard]] std::uint64_t low_threshold() const { return low_threshold_; }
  /// The connection is up.
  void opened(dcep::ChannelId id);
  void peer_closing();
  void ended(std::optional<Error> error);
  /// The connection is gone.
  void leave() { peer_ = nullptr; }

 private:
  NativePeer* peer_;
  core::ChannelInfo info_;
  std::optional<std::uint16_t> id_;
  ReadyState initial_state_;
  Stage stage_;
  std::uint64_t low_threshold_ = 0;
  core::ChannelEvents* events_ = nullptr;
};

}  // namespace wdc::native
