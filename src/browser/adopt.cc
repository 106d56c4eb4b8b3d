// SPDX-License-Identifier: MIT
#include <memory>

#include "src/browser/browser_channel.h"
#include "src/core/channel.h"
#include "wdc/browser.h"

namespace wdc::browser {

Result<DataChannel> adopt(EventLoop& loop, HostChannel channel, const FlowOptions& flow) {
  return core::make_channel(loop.internal(), std::make_unique<BrowserChannel>(static_cast<host::Number>(channel)),
                            flow);
}

}  // namespace wdc::browser
