// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/browser/host_imports.h"
#include "wdc/error.h"

namespace wdc::browser {

/// The string in a slot; takes the slot. Empty for slot 0.
[[nodiscard]] std::string take_text(host::Number slot);
/// The same where absence has a meaning.
[[nodiscard]] std::optional<std::string> take_optional_text(host::Number slot);

/// The error behind a negative result. REQUIRES: no import was called in between.
[[nodiscard]] Error take_error(std::int32_t result);
/// The error of an event: `code` is not 0; takes the slot.
[[nodiscard]] Error event_error(std::int32_t code, host::Number detail);

}  // namespace wdc::browser
