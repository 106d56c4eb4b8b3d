// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/packet/bytes.h"

namespace wdc::fuzz {

/// Reads a packet with every parser there is and writes back what can be written. Traps where the two disagree.
void parse_packet(sctp::ByteView packet);

}  // namespace wdc::fuzz
