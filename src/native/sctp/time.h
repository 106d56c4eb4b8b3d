// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/base/time.h"

namespace wdc::sctp {

using native::Duration;
using native::kNever;
using native::TimePoint;

}  // namespace wdc::sctp
