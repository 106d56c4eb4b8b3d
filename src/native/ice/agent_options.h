// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "src/native/base/time.h"

namespace wdc::ice {

using native::Duration;
using native::kNever;
using native::TimePoint;

/// Who nominates (RFC 8445 section 6.1.1): who made the first offer, unless the peer is lite.
enum class Role : std::uint8_t { controlling, controlled };

struct AgentOptions {
  Role role = Role::controlled;

  /// RFC 8445 section 14.2: Ta, the time between two checks that begin.
  Duration pacing = std::chrono::milliseconds(50);
  /// So many checks may begin at once before they are paced: a connection with few candidates waits for nothing.
  int burst = 8;
  /// RFC 8445 section 14.3: the least time until a check is repeated; it doubles each time.
  Duration retransmission_timeout = std::chrono::milliseconds(500);
  /// RFC 8489 section 6.2.1: Rc, how often a check is sent in all.
  int max_transmissions = 7;
  /// How long a valid pair waits for a better one that is being checked, before it is nominated. Data flows meanwhile.
  Duration nomination_wait = std::chrono::milliseconds(100);
  /// From the peer's credentials to failure, if nothing works until then.
  Duration connect_timeout = std::chrono::seconds(30);

  /// RFC 7675 section 5.1: the mean time between two checks of the path in use, of which 80 to 120 % are taken.
  Duration consent_interval = std::chrono::seconds(5);
  /// The path in use is checked again after this while an answer is missing.
  Duration consent_retry = std::chrono::seconds(1);
  /// RFC 7675 section 5.1: without an answer for so long nothing may be sent any more.
  Duration consent_lifetime = std::chrono::seconds(30);
  /// The path in use counts as broken when a check was unanswered for so long: a peer that is gone is reported within
  /// 1.2 * consent_interval + unresponsive_after.
  Duration unresponsive_after = std::chrono::seconds(3);
  /// RFC 8445 section 11: Tr, for other valid pairs and for what servers told us of our addresses.
  Duration keepalive_interval = std::chrono::seconds(15);
  /// So many valid pairs beside the one in use are kept alive.
  std::size_t max_standby_pairs = 3;

  // What a peer can make us hold or send.
  std::size_t max_remote_candidates = 100;  // RFC 8445 section 19.5.1: a candidate is an address to send checks to
  std::size_t max_pairs = 100;              // RFC 8445 section 6.1.2.5
  std::size_t max_peer_reflexive = 16;
  std::size_t max_early_checks = 16;  // from peers whose credentials have not come yet
  std::size_t max_queued_datagrams = 64;
  int max_role_switches = 8;
};

}  // namespace wdc::ice
