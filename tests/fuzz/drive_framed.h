// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

namespace wdc::fuzz {

/// Lets a session of framed mode hear what a peer says that does as it likes, and its user send and read meanwhile.
/// `script` is both: turns of the user, and frames. Traps where the session breaks a promise to its user.
void drive_framed(std::span<const std::byte> script);

}  // namespace wdc::fuzz
