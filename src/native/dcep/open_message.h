// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wdc::dcep {

/// What a channel was created with, as its DATA_CHANNEL_OPEN tells the other end.
struct ChannelParameters {
  bool ordered = true;
  /// At most one of the two: retransmissions, or milliseconds.
  std::optional<std::uint32_t> max_retransmits = std::nullopt;
  std::optional<std::uint32_t> max_lifetime_ms = std::nullopt;
  std::uint16_t priority = 256;  // RFC 8831 section 6.4: 128 below normal, 256 normal, 512 high, 1024 extra high
  std::string label;             // at most 65,535 bytes of UTF-8
  std::string protocol;          // the same
  friend bool operator==(const ChannelParameters&, const ChannelParameters&) = default;
};

/// RFC 8832 section 8.2.1.
enum class DcepMessageType : std::uint8_t { ack = 2, open = 3 };

/// The type of a DCEP message; empty where it has none or an unknown one.
[[nodiscard]] std::optional<DcepMessageType> dcep_message_type(std::span<const std::byte> message);

/// DATA_CHANNEL_OPEN, RFC 8832 section 5.1. Empty where it is malformed or of an unknown channel type.
[[nodiscard]] std::optional<ChannelParameters> parse_open(std::span<const std::byte> message);
/// REQUIRES: label and protocol of at most 65,535 bytes, at most one kind of partial reliability.
[[nodiscard]] std::vector<std::byte> write_open(const ChannelParameters& parameters);

/// DATA_CHANNEL_ACK, RFC 8832 section 5.2.
[[nodiscard]] std::vector<std::byte> write_ack();

}  // namespace wdc::dcep
