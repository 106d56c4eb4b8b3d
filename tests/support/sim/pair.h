// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "src/native/sctp/association.h"
#include "tests/support/sim/link.h"

namespace wdc::sim {

/// A message as the tests look at it.
struct Text {
  std::uint16_t stream = 0;
  std::uint32_t ppid = 0;
  std::string bytes;
  friend bool operator==(const Text&, const Text&) = default;
};

/// One association with what it has given out so far.
class End {
 public:
  End(const sctp::AssociationOptions& options, std::uint64_t seed) : random(seed), association(options, pool, random) {}

  Random random;
  sctp::BufferPool pool;
  sctp::Association association;
  std::vector<sctp::Event> events;
  std::deque<Text> messages;
  bool reads = true;  // false: polls messages from nobody

  /// Sends a copy of `text`.
  sctp::SendStatus send(std::uint16_t stream, std::string_view text, TimePoint now,
                        const sctp::SendOptions& options = {}, std::uint32_t ppid = 53);
  template <class Kind>
  [[nodiscard]] std::size_t count() const {
    std::size_t count = 0;
    for (const auto& event : events) count += std::holds_alternative<Kind>(event) ? 1 : 0;
    return count;
  }
  /// The last event of a kind, or null.
  template <class Kind>
  [[nodiscard]] const Kind* last() const {
    const Kind* found = nullptr;
    for (const auto& event : events) {
      if (const Kind* const kind = std::get_if<Kind>(&event)) found = kind;
    }
    return found;
  }
};

/// Two associations, a link each way and a clock that jumps from one event to the next.
class Pair {
 public:
  explicit Pair(const sctp::AssociationOptions& options, const LinkOptions& link = {}, std::uint64_t seed = 1)
      : Pair(options, options, link, link, seed) {}
  Pair(const sctp::AssociationOptions& a_options, const sctp::AssociationOptions& b_options, const LinkOptions& a_to_b,
       const LinkOptions& b_to_a, std::uint64_t seed);

  End a;
  End b;
  Link a_to_b;
  Link b_to_a;
  TimePoint now{std::chrono::seconds(1'000)};

  /// Sees every packet as it is sent, from `a` or not; false drops it.
  std::function<bool(bool from_a, std::span<const std::byte>)> tap;
  /// Called with an end after every burst it took.
  std::function<void(End&)> after_burst;

  /// Both ends send INITs at once, or only `a`; runs until both are connected.
  [[nodiscard]] bool connect(bool simultaneous = false, Duration limit = std::chrono::seconds(60));
  /// Runs until nothing more will happen within `limit` of virtual time.
  void run_for(Duration limit);
  /// Runs until the condition holds; false if it does not within `limit`.
  bool run_until(const std::function<bool()>& condition, Duration limit);
  /// Sends what is due and delivers what has arrived, at this moment; false if nothing happened.
  bool settle();

 private:
  bool transmit(End& from, Link& link, bool from_a);
  bool receive(End& to, Link& link);
  bool drain(End& end);
  [[nodiscard]] TimePoint next_time() const;

  std::vector<std::byte> memory_;
  std::vector<Link::Packet> burst_;
  std::vector<std::span<const std::byte>> views_;
};

}  // namespace wdc::sim
