// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/dtls/bytes.h"

namespace wdc::fuzz {

/// Lets the input be a stranger to a server or a client, a thief of the records of two that are connected, or a writer
/// of records under a key that is known. Traps where a promise is broken.
void drive_session(dtls::ByteView input);

}  // namespace wdc::fuzz
