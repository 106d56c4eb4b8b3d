// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>

#include "src/core/backend.h"

namespace wdc::browser {

// The parts of this home that a module contains only if it uses them. The backend refers to them weakly;
// core/home_parts.h says who brings them in.

[[gnu::weak]] Result<std::unique_ptr<core::PeerBackend>> make_peer(const PeerConnectionOptions& options);
[[gnu::weak]] Result<std::unique_ptr<core::SignalingBackend>> make_signaling(std::string_view url,
                                                                             std::string_view room);

}  // namespace wdc::browser
