// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "wdc/error.h"

namespace wdc::js {

/// Tells JavaScript what belongs to `error`, and gives minus its number.
[[nodiscard]] std::int32_t report(const Error& error);
/// 0, or report() of the error.
[[nodiscard]] std::int32_t report(const Result<void>& result);

}  // namespace wdc::js
