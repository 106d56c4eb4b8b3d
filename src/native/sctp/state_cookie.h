// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <optional>

#include "src/native/sctp/packet/init_chunk.h"
#include "src/native/sctp/siphash.h"
#include "src/native/sctp/time.h"

namespace wdc::sctp {

/// All that a listener must remember of an INIT, handed to the peer instead of kept (RFC 9260 section 5.1.3). The bytes
/// are ours alone: big-endian numbers in the order of the members, then a keyed hash of them.
struct StateCookie {
  static constexpr std::size_t kSize = 64;
  using Bytes = std::array<std::byte, kSize>;

  TimePoint created;
  VerificationTag local_tag;
  VerificationTag peer_tag;
  Tsn local_initial_tsn;
  Tsn peer_initial_tsn;
  std::uint32_t peer_window = 0;
  std::uint16_t peer_outbound_streams = 0;
  std::uint16_t peer_inbound_streams = 0;
  Capabilities peer_capabilities;
  /// The tags of an association that already exists, or zeros (RFC 9260 section 5.2.2).
  VerificationTag local_tie_tag;
  VerificationTag peer_tie_tag;

  [[nodiscard]] Bytes sign(const SipHashKey& key) const;
  /// Empty unless it was signed with this key.
  [[nodiscard]] static std::optional<StateCookie> open(ByteView bytes, const SipHashKey& key);
};

}  // namespace wdc::sctp
