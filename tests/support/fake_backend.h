// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "src/core/backend.h"
#include "tests/support/fake_wire.h"

namespace wdc::test {

class FakePeer;
class FakeSignaling;

/// A home in memory with a virtual clock: time passes only when everything else is done and a timer is what is waited
/// for. Both ends of its channels and connections live on its one loop.
class FakeBackend final : public core::Backend {
 public:
  FakeBackend();
  ~FakeBackend() override;

  [[nodiscard]] TimePoint now() const override { return now_; }
  void request_pump() override { ++pump_requests; }
  void request_turn_end() override {
    ++turn_end_requests;
    request_pump();
  }
  void set_deadline(std::optional<TimePoint> deadline) override { deadline_ = deadline; }
  void wake() noexcept override;
  [[nodiscard]] bool driven_by_host() const noexcept override { return host_drives; }
  bool turn(bool may_wait) override;
  [[nodiscard]] bool on_owning_thread() const noexcept override { return owning_thread == std::this_thread::get_id(); }
  void report(std::string_view text) override { reported = text; }
  [[nodiscard]] Result<std::unique_ptr<core::PeerBackend>> create_peer(const PeerConnectionOptions& options) override;
  [[nodiscard]] Result<std::unique_ptr<core::SignalingBackend>> open_signaling(std::string_view url,
                                                                               std::string_view room) override;

  /// Runs `event` in the next turn.
  void schedule(std::function<void()> event) { events_.push_back(std::move(event)); }
  void advance(std::chrono::nanoseconds time) { now_ += time; }

  /// A wire between two channels; they open at the next turn unless `state` says they are open.
  [[nodiscard]] std::shared_ptr<FakeWire> make_wire(core::ChannelInfo info = {}, ReadyState state = ReadyState::open);

  bool host_drives = false;
  std::thread::id owning_thread = std::this_thread::get_id();
  bool wait_for_wakes = false;  ///< turn(true) waits for wake() instead of saying that nothing can happen
  std::uint64_t pump_requests = 0;
  std::uint64_t turn_end_requests = 0;
  std::string reported;
  std::vector<FakePeer*> peers;           ///< that exist, oldest first
  std::vector<FakeSignaling*> signaling;  ///< same
  std::optional<Error> refuse_peers;
  std::optional<Error> refuse_signaling;
  bool rooms_are_silent = false;  ///< no welcome comes

 private:
  TimePoint now_{std::chrono::seconds(1000)};
  std::optional<TimePoint> deadline_;
  std::vector<std::function<void()>> events_;
  std::vector<std::function<void()>> running_;
  std::vector<std::shared_ptr<FakeWire>> wires_;
  std::mutex mutex_;
  std::condition_variable woken_changed_;
  bool woken_ = false;
};

}  // namespace wdc::test
