// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wdc::native {

/// An IPv4 or IPv6 address, as bytes in the order of the wire. IPv4 written inside IPv6 (::ffff:a.b.c.d) becomes IPv4,
/// so that one address has one value.
class IpAddress {
 public:
  /// 0.0.0.0
  constexpr IpAddress() = default;
  [[nodiscard]] static IpAddress v4(std::span<const std::byte, 4> bytes);
  [[nodiscard]] static IpAddress v6(std::span<const std::byte, 16> bytes);
  /// Empty where the text is no address. Zones ("fe80::1%eth0") and names are none.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const { return size_ == 4; }
  [[nodiscard]] bool is_v6() const { return size_ == 16; }
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  /// Multicast, or IPv4's broadcast to everybody.
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_link_local() const;
  [[nodiscard]] std::span<const std::byte> bytes() const { return {bytes_.data(), size_}; }
  /// RFC 5952.
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::uint8_t size_ = 4;
  std::array<std::byte, 16> bytes_{};
};

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  /// "192.0.2.1:5000", "[2001:db8::1]:5000"
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

}  // namespace wdc::native
