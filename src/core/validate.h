// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "wdc/error.h"
#include "wdc/options.h"

namespace wdc::core {

/// The ranges that options.h states; invalid_argument with the field's name and numbers otherwise.
[[nodiscard]] Result<void> validate(const FlowOptions& options);
[[nodiscard]] Result<void> validate(std::string_view label, const DataChannelOptions& options);
[[nodiscard]] Result<void> validate(const PeerConnectionOptions& options);

}  // namespace wdc::core
