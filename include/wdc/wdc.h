// SPDX-License-Identifier: MIT
// WebRTC data channels for C++: the same in the browser (WebAssembly) and natively.
#pragma once

#include "wdc/data_channel.h"
#include "wdc/error.h"
#include "wdc/event_loop.h"
#include "wdc/incoming_message.h"
#include "wdc/message.h"
#include "wdc/options.h"
#include "wdc/peer_connection.h"
#include "wdc/send_options.h"
#include "wdc/signaling.h"
#include "wdc/task.h"
