// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/base/random_source.h"

namespace wdc::sctp {

/// For tags, initial TSNs, cookie keys and heartbeat nonces.
using native::RandomSource;

}  // namespace wdc::sctp
