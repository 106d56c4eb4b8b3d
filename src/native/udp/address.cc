// SPDX-License-Identifier: MIT
#include "src/native/udp/address.h"

#include <arpa/inet.h>
#include <net/if.h>

namespace wdc::udp {

std::optional<Address> Address::parse(std::string_view text, std::uint16_t port) {
  Address address;
  address.port = port;
  std::string host(text);
  if (inet_pton(AF_INET, host.c_str(), address.bytes.data()) == 1) return address;
  if (const auto percent = host.find('%'); percent != std::string::npos) {
    address.scope = if_nametoindex(host.c_str() + percent + 1);
    if (address.scope == 0) return std::nullopt;
    host.resize(percent);
  }
  address.family = Family::ipv6;
  if (inet_pton(AF_INET6, host.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

Address Address::from(const sockaddr_storage& from) {
  Address address;
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &from, sizeof in);
    address.family = Family::ipv6;
    std::memcpy(address.bytes.data(), &in.sin6_addr, 16);
    address.port = ntohs(in.sin6_port);
    address.scope = in.sin6_scope_id;
  } else {
    sockaddr_in in{};
    std::memcpy(&in, &from, sizeof in);
    std::memcpy(address.bytes.data(), &in.sin_addr, 4);
    address.port = ntohs(in.sin_port);
  }
  return address;
}

socklen_t Address::write(sockaddr_storage& to) const {
  if (family == Family::ipv6) {
    sockaddr_in6 out{};
    out.sin6_family = AF_INET6;
    out.sin6_port = htons(port);
    out.sin6_scope_id = scope;
    std::memcpy(&out.sin6_addr, bytes.data(), 16);
    std::memcpy(&to, &out, sizeof out);
    return sizeof out;
  }
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  std::memcpy(&out.sin_addr, bytes.data(), 4);
  std::memcpy(&to, &out, sizeof out);
  return sizeof out;
}

bool Address::is_loopback() const {
  if (family == Family::ipv4) return bytes[0] == 127;
  constexpr std::array<std::uint8_t, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return bytes == kLoopback;
}

bool Address::is_link_local() const {
  if (family == Family::ipv4) return bytes[0] == 169 && bytes[1] == 254;
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

std::string Address::host() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family == Family::ipv4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  std::string host = text.data();
  std::array<char, IF_NAMESIZE> name{};
  if (scope != 0 && if_indextoname(scope, name.data()) != nullptr) host += std::string("%") + name.data();
  return host;
}

std::string Address::text() const {
  return (family == Family::ipv4 ? host() : "[" + host() + "]") + ":" + std::to_string(port);
}

}  // namespace wdc::udp
