// SPDX-License-Identifier: MIT
#include "src/core/home_parts.h"

void wdc::core::link_home_peers() noexcept {}
