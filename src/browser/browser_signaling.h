// SPDX-License-Identifier: MIT
#pragma once

#include "src/browser/host_imports.h"
#include "src/core/backend.h"

namespace wdc::browser {

/// A signaling pipe of the host's table: the host knows JSON and the carriers. Owns its number.
class BrowserSignaling final : public core::SignalingBackend {
 public:
  explicit BrowserSignaling(host::Number number) noexcept : number_(number) {}
  BrowserSignaling(const BrowserSignaling&) = delete;
  BrowserSignaling& operator=(const BrowserSignaling&) = delete;
  ~BrowserSignaling() override;

  void set_events(core::SignalingEvents& events) override;
  void send(const core::signaling::Frame& frame) override;

  /// For the exports that the host calls.
  [[nodiscard]] core::SignalingEvents& events() noexcept { return *events_; }

 private:
  host::Number number_;
  core::SignalingEvents* events_ = nullptr;
};

}  // namespace wdc::browser
