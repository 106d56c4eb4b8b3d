// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

namespace wdc::fuzz {

/// The way to a peer, given datagrams as the input says: of somebody whose checks are authentic and who knows no key,
/// and of a thief between two connected ends.
void drive_transport(std::span<const std::byte> input);

}  // namespace wdc::fuzz
