// SPDX-License-Identifier: MIT
#include "wdc/browser.h"

namespace wdc::browser {

EventLoop& instance_loop() {
  static auto* const loop = new EventLoop;
  return *loop;
}

}  // namespace wdc::browser
