// SPDX-License-Identifier: MIT
#include "tests/support/fake_backend.h"

#include <utility>

#include "tests/support/fake_peer.h"

namespace wdc::test {

FakeBackend::FakeBackend() = default;
FakeBackend::~FakeBackend() = default;

void FakeBackend::wake() noexcept {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  woken_changed_.notify_one();
}

bool FakeBackend::turn(bool may_wait) {
  running_.swap(events_);
  for (auto& event : running_) event();
  const bool something_happened = !running_.empty();
  running_.clear();
  std::unique_lock lock(mutex_);
  if (std::exchange(woken_, false) || something_happened || !may_wait) return true;
  if (wait_for_wakes) {
    woken_changed_.wait(lock, [this] { return woken_; });
    woken_ = false;
    return true;
  }
  if (!deadline_) return false;
  if (*deadline_ > now_) now_ = *deadline_;
  return true;
}

Result<std::unique_ptr<core::PeerBackend>> FakeBackend::create_peer(const PeerConnectionOptions& options) {
  if (refuse_peers) return std::unexpected(*refuse_peers);
  return std::make_unique<FakePeer>(*this, options);
}

Result<std::unique_ptr<core::SignalingBackend>> FakeBackend::open_signaling(std::string_view, std::string_view room) {
  if (refuse_signaling) return std::unexpected(*refuse_signaling);
  return std::make_unique<FakeSignaling>(*this, std::string(room));
}

std::shared_ptr<FakeWire> FakeBackend::make_wire(core::ChannelInfo info, ReadyState state) {
  auto wire = std::make_shared<FakeWire>(*this, std::move(info), state);
  wires_.push_back(wire);
  return wire;
}

}  // namespace wdc::test
