// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/native/ice/agent.h"
#include "tests/support/sim/network.h"

namespace wdc::sim {

/// "192.0.2.1:5000", "[2001:db8::1]:5000"
[[nodiscard]] SocketAddress address(std::string_view text);

class IceRandom final : public native::RandomSource {
 public:
  explicit IceRandom(std::uint64_t seed) : random_(seed) {}
  std::uint64_t next() override { return random_.next(); }

 private:
  Random random_;
};

/// One agent with what it has given out so far.
struct IceEnd {
  IceEnd(const ice::AgentOptions& options, std::uint64_t seed) : random(seed), agent(options, random) {}

  IceRandom random;
  ice::Agent agent;
  std::vector<ice::AgentEvent> events;
  std::vector<std::string> candidates;  // of ours, as text, since the last restart

  template <class Kind>
  [[nodiscard]] std::size_t count() const {
    std::size_t count = 0;
    for (const auto& event : events) count += std::holds_alternative<Kind>(event) ? 1 : 0;
    return count;
  }
  template <class Kind>
  [[nodiscard]] const Kind* last() const {
    const Kind* found = nullptr;
    for (const auto& event : events) {
      if (const Kind* const kind = std::get_if<Kind>(&event)) found = kind;
    }
    return found;
  }
  [[nodiscard]] bool is_completed() const { return agent.state() == ice::AgentState::completed; }
};

struct IceWorldOptions {
  ice::AgentOptions a{.role = ice::Role::controlling};
  ice::AgentOptions b{};
  NetworkOptions network;
  native::Duration signaling = std::chrono::milliseconds(30);  // for a description or a candidate to get across
  bool resolves_nothing = false;
};

/// Two agents, signaling between them, a network with a STUN server, and a clock that jumps from one event to the next.
class IceWorld {
 public:
  explicit IceWorld(const IceWorldOptions& options = {}, std::uint64_t seed = 1);

  IceEnd a;
  IceEnd b;
  Network network;
  native::TimePoint now{std::chrono::seconds(1'000)};
  static const SocketAddress kServer;

  /// Sees every datagram as it is sent; false drops it.
  std::function<bool(const ice::Transmit&, bool from_a)> tap;
  bool trickles = true;  // false: candidates are heard by nobody

  /// A socket for an end, and its agent told of it.
  void add_address(IceEnd& end, std::string_view text, std::optional<Network::Nat> nat = {},
                   std::uint16_t local_preference = 30'000);
  void remove_address(IceEnd& end, std::string_view text);
  /// Offer and answer: credentials go across, a's first. Run to see what becomes of it.
  void signal();
  /// signal() and both completed on the same path within `limit`.
  [[nodiscard]] bool connect(native::Duration limit = std::chrono::seconds(20));
  [[nodiscard]] bool is_connected() const;
  void run_for(native::Duration limit);
  bool run_until(const std::function<bool()>& condition, native::Duration limit);
  /// Does `what` when so much time has passed.
  void after(native::Duration delay, std::function<void()> what) { later_.emplace(now + delay, std::move(what)); }
  /// Calls of the test's own end here.
  void drain();

 private:
  void drain(IceEnd& end);
  bool settle();
  void serve(const Network::Datagram& datagram);

  IceWorldOptions options_;
  std::map<SocketAddress, IceEnd*> owners_;
  std::multimap<native::TimePoint, std::function<void()>> later_;
};

}  // namespace wdc::sim
