// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "src/browser/browser_channel.h"
#include "src/browser/host_result.h"
#include "src/core/channel.h"
#include "src/core/validate.h"
#include "wdc/browser.h"

namespace wdc::browser {

Result<DataChannel> adopt(EventLoop& loop, HostChannel channel, const FlowOptions& flow, SmallMessages small) {
  return core::make_channel(loop.internal(),
                            std::make_unique<BrowserChannel>(static_cast<host::Number>(channel), small), flow);
}

Result<DataChannel> adopt(EventLoop& loop, Slot channel, Slot options, const FlowOptions& flow) {
  // A wrong option leaves the channel as it is.
  auto allowed = loop.internal().on_owning_thread() ? core::validate(flow) : fail(Errc::wrong_thread);
  if (!allowed) {
    for (const Slot slot : {channel, options})
      if (slot != Slot::none) host::slot_free(static_cast<host::Number>(slot));
    return std::unexpected(std::move(allowed.error()));
  }
  const auto number = host::channel_adopt(static_cast<host::Number>(channel), static_cast<host::Number>(options));
  if (number < 0) return std::unexpected(take_error(number));
  return adopt(loop, static_cast<HostChannel>(number), flow);
}

Result<Slot> release(DataChannel&& channel) {
  auto* const behind = core::Channel::behind(channel);
  if (behind == nullptr) return fail(Errc::closed);
  if (auto can = behind->can_let_go(); !can) return std::unexpected(std::move(can.error()));
  const auto slot = static_cast<BrowserChannel&>(behind->backend()).detach();
  if (slot < 0) return std::unexpected(take_error(slot));
  behind->let_go();
  channel = DataChannel();
  return static_cast<Slot>(slot);
}

}  // namespace wdc::browser
