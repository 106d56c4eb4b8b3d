// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/loop_fixture.h"

namespace wdc::test {

/// Pairs of framed channels.
class FramedChannelTest : public LoopTest {
 protected:
  Pair framed_pair(FlowOptions near = {}, FlowOptions far = {}, core::ChannelInfo info = {}) {
    info.protocol = "wdc.framed.v1+test";
    auto pair = make_pair(near, far, ReadyState::open, info);
    settle();  // HELLO both ways
    return pair;
  }
  static Errc code(const Result<void>& result) { return result ? Errc{} : result.error().code(); }
};

}  // namespace wdc::test
