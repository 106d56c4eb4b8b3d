// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace wdc::udp {

enum class Family : std::uint8_t { ipv4, ipv6 };

/// An IP address and a port.
struct Address {
  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> bytes{};  // four of them for IPv4; the rest is zero
  std::uint16_t port = 0;
  std::uint32_t scope = 0;  // the interface of a link-local IPv6 address

  /// "127.0.0.1", "fe80::1%eth0". Names are not looked up.
  [[nodiscard]] static std::optional<Address> parse(std::string_view text, std::uint16_t port);
  /// Of all interfaces.
  [[nodiscard]] static Address any(Family family, std::uint16_t port = 0) { return {family, {}, port, 0}; }
  [[nodiscard]] static Address from(const sockaddr_storage& from);

  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_link_local() const;
  [[nodiscard]] bool is_any() const { return bytes == std::array<std::uint8_t, 16>{}; }
  [[nodiscard]] std::string host() const;
  /// "127.0.0.1:80", "[::1]:80".
  [[nodiscard]] std::string text() const;
  /// Returns the size that was used.
  socklen_t write(sockaddr_storage& to) const;

  friend bool operator==(const Address&, const Address&) = default;
};

}  // namespace wdc::udp
