// SPDX-License-Identifier: MIT
#include <wdc/emscripten.h>
#include <wdc/wdc.h>

// Takes a channel of JavaScript's, greets the other side, and gives the channel back.
wdc::Task<wdc::Result<emscripten::val>> greet(wdc::EventLoop& loop, emscripten::val rtc_channel) {
  auto channel = wdc::from_js(loop, rtc_channel);
  if (!channel) co_return std::unexpected(channel.error());
  if (auto sent = co_await channel->send_text("hello"); !sent) co_return std::unexpected(sent.error());
  co_return wdc::to_js(std::move(*channel));  // the RTCDataChannel; C++ has no part in it any more
}
