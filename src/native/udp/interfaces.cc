// SPDX-License-Identifier: MIT
#include "src/native/udp/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>

#include <cerrno>
#include <memory>

#include "src/native/udp/system_error.h"

namespace wdc::udp {
namespace {

bool allowed(const Address& address, const InterfacePolicy& policy) {
  if (address.is_any()) return false;
  if (address.family == Family::ipv6 && !policy.ipv6) return false;
  if (address.is_loopback() && !policy.loopback) return false;
  return policy.link_local || !address.is_link_local();
}

}  // namespace

Result<std::vector<Interface>> list_interfaces(const InterfacePolicy& policy) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0)
    return fail(Errc::transport_error, system_error("the interfaces cannot be listed", errno));
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(first, freeifaddrs);
  std::vector<Interface> interfaces;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    constexpr unsigned kUp = IFF_UP | IFF_RUNNING;
    if (one->ifa_addr == nullptr || (one->ifa_flags & kUp) != kUp) continue;
    const auto family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, one->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const Address address = Address::from(storage);
    if (allowed(address, policy)) interfaces.push_back({one->ifa_name, address});
  }
  return interfaces;
}

}  // namespace wdc::udp
