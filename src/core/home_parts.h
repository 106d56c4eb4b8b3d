// SPDX-License-Identifier: MIT
#pragma once

namespace wdc::core {

// What of a home is large and not needed by everybody. PeerConnection::create() and connect() call these, so that a
// program which uses them refers to them and the linker takes that part of the home's library with it; other programs
// stay without. A home that cares defines them beside the part; for the others there are empty ones in this library.

void link_home_peers() noexcept;
void link_home_signaling() noexcept;

}  // namespace wdc::core
