// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "src/native/base/socket_address.h"

namespace wdc::ice {

using native::IpAddress;
using native::SocketAddress;

enum class CandidateType : std::uint8_t { host, peer_reflexive, server_reflexive, relayed };
enum class CandidateTransport : std::uint8_t { udp, tcp };

/// The names of RFC 8839 section 5.1: "host", "prflx", "srflx", "relay".
[[nodiscard]] std::string_view name(CandidateType type);

/// RFC 8445 section 5.1.2.1, for the only component there is. A larger local preference is tried earlier.
[[nodiscard]] std::uint32_t candidate_priority(CandidateType type, std::uint16_t local_preference);

/// A transport address that may be reached, ours or the peer's.
struct Candidate {
  std::string foundation;
  std::uint16_t component = 1;  // a data channel has no other
  CandidateTransport transport = CandidateTransport::udp;
  std::uint32_t priority = 0;
  SocketAddress address;
  /// Where the peer gave a name instead of an address ("….local", mDNS); address.ip means nothing then.
  std::string host_name;
  CandidateType type = CandidateType::host;
  std::optional<SocketAddress> related;
  /// The user name fragment it belongs to (RFC 8838); empty where it was not said.
  std::string username_fragment;

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// Reads the value of a candidate attribute (RFC 8839 section 5.1), with "a=" and "candidate:" before it or not.
/// Extensions that are not known are passed over. The error says what is wrong.
[[nodiscard]] std::expected<Candidate, std::string> parse_candidate(std::string_view text);
/// "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"
[[nodiscard]] std::string format_candidate(const Candidate& candidate);

/// RFC 8839 section 5.1, ice-char, and the four more that browsers take too.
[[nodiscard]] bool is_ice_text(std::string_view text);

}  // namespace wdc::ice
