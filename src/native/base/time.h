// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>

namespace wdc::native {

/// Time is given, never asked for. The clock only names the type.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;

inline constexpr TimePoint kNever = TimePoint::max();

}  // namespace wdc::native
