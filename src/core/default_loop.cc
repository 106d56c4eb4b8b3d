// SPDX-License-Identifier: MIT
#include "src/core/loop.h"

// Apart from the rest, so that a program which brings its own backend needs no home.
namespace wdc {

EventLoop::EventLoop() : EventLoop(core::make_default_backend()) {}

}  // namespace wdc
