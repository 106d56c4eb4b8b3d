// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "src/native/udp/address.h"
#include "wdc/error.h"

namespace wdc::udp {

struct InterfacePolicy {
  /// RFC 8445 section 5.1.1.1: loopback addresses are no candidates. Two programs of one machine want them all the
  /// same.
  bool loopback = false;
  bool ipv6 = true;
  /// Reachable only on their own link; ICE has better ones as a rule.
  bool link_local = false;
};

struct Interface {
  std::string name;
  Address address;  // port 0
};

/// The addresses of the interfaces that are up. Errors: transport_error.
[[nodiscard]] Result<std::vector<Interface>> list_interfaces(const InterfacePolicy& policy = {});

}  // namespace wdc::udp
