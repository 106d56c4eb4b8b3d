// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/sctp/buffer_pool.h"
#include "src/native/sctp/numbers.h"

namespace wdc::sctp {

/// A whole message from the peer.
struct ReceivedMessage {
  StreamId stream;
  Ppid ppid;
  Buffer payload;
};

}  // namespace wdc::sctp
