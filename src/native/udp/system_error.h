// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <system_error>

namespace wdc::udp {

/// "what: the system's words".
[[nodiscard]] inline std::string system_error(std::string what, int number) {
  return std::move(what) + ": " + std::generic_category().message(number);
}

}  // namespace wdc::udp
