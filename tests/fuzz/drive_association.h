// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/bytes.h"

namespace wdc::fuzz {

/// Two associations, brought to a state and then driven by the input: calls, time, lost and reordered packets, and
/// packets of the input's own with a right tag and checksum. Traps where a promise is broken.
void drive_association(sctp::ByteView input);

}  // namespace wdc::fuzz
