// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "src/native/base/random_source.h"

namespace wdc::ice {

/// RFC 8445 section 5.3: what an end's checks are known and signed by.
struct Credentials {
  std::string username_fragment;  // 4 to 256 characters
  std::string password;           // 22 to 256 characters
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

/// 48 random bits of user name, by which a shared port tells its peers apart, and 144 of password.
[[nodiscard]] Credentials make_credentials(native::RandomSource& random);
[[nodiscard]] bool are_well_formed(const Credentials& credentials);

}  // namespace wdc::ice
