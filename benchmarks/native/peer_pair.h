// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <future>
#include <vector>

#include "benchmarks/native/home.h"

namespace wdc::bench {

using Clock = std::chrono::steady_clock;

/// Two connected peers, one at each home, with a channel between them. Signaling is a post() to the other home.
class PeerPair {
 public:
  struct End {
    Home* home = nullptr;
    End* other = nullptr;
    PeerConnection peer{};
    DataChannel channel{};
    std::vector<Spawned<void>> tasks{};
    std::promise<Clock::time_point> opened{};

    template <class F, class... Arguments>
    void run(F task, Arguments&&... arguments) {
      tasks.push_back(spawn(home->loop(), task(*this, std::forward<Arguments>(arguments)...)));
    }
  };

  /// Returns when both ends of the channel are open; ends the program if that takes longer than 10 s. A channel is
  /// plain, or framed for messages of more than 256 KiB.
  PeerPair(Home& offerer, Home& answerer, bool framed);
  PeerPair(const PeerPair&) = delete;
  PeerPair& operator=(const PeerPair&) = delete;
  ~PeerPair();

  [[nodiscard]] End& offerer() { return offerer_; }
  [[nodiscard]] End& answerer() { return answerer_; }
  /// From before the first connection was made until both ends were open.
  [[nodiscard]] double setup_ms() const { return setup_ms_; }

 private:
  End offerer_;
  End answerer_;
  double setup_ms_ = 0;
};

}  // namespace wdc::bench
