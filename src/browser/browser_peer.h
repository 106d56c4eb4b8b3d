// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "src/browser/host_imports.h"
#include "src/core/backend.h"

namespace wdc::browser {

/// An RTCPeerConnection of the host's table. Owns its number.
class BrowserPeer final : public core::PeerBackend {
 public:
  explicit BrowserPeer(host::Number number) noexcept : number_(number) {}
  BrowserPeer(const BrowserPeer&) = delete;
  BrowserPeer& operator=(const BrowserPeer&) = delete;
  ~BrowserPeer() override;

  void set_events(core::PeerEvents& events) override;
  [[nodiscard]] Result<std::unique_ptr<core::ChannelBackend>> create_data_channel(
      std::string_view label, const DataChannelOptions& options) override;
  void create_offer(core::OperationId operation) override;
  void create_answer(core::OperationId operation) override;
  void set_local_description(core::OperationId operation) override;
  void set_local_description(core::OperationId operation, const SessionDescription& description) override;
  void set_remote_description(core::OperationId operation, const SessionDescription& description) override;
  void add_ice_candidate(core::OperationId operation, const IceCandidate& candidate) override;
  void restart_ice() override;
  void close() override;

  /// For the exports that the host calls.
  [[nodiscard]] core::PeerEvents& events() noexcept { return *events_; }

 private:
  host::Number number_;
  core::PeerEvents* events_ = nullptr;
};

}  // namespace wdc::browser
