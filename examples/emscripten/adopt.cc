// SPDX-License-Identifier: MIT
// JavaScript makes the connection; C++ answers on its channels, and gives one back when it is asked to.
#include <string>
#include <utility>

#include <emscripten/bind.h>
#include <wdc/emscripten.h>
#include <wdc/wdc.h>

namespace {

wdc::DataChannel channel;

wdc::Task<wdc::Result<void>> greet() {
  if (auto opened = co_await channel.wait_open(); !opened) co_return opened;
  co_return co_await channel.send_text("hello from C++");
}

/// Takes an RTCDataChannel; gives what went wrong, or nothing.
std::string take(emscripten::val rtc_channel) {
  auto& loop = wdc::browser::instance_loop();
  auto adopted = wdc::from_js(loop, rtc_channel);
  if (!adopted) return adopted.error().message();
  channel = std::move(*adopted);
  wdc::spawn(loop, greet()).detach();
  return "";
}

/// Gives the RTCDataChannel back; undefined if C++ has something of it.
emscripten::val give_back() {
  auto given = wdc::to_js(std::move(channel));
  return given ? *given : emscripten::val::undefined();
}

}  // namespace

EMSCRIPTEN_BINDINGS(adopt) {
  emscripten::function("take", &take);
  emscripten::function("giveBack", &give_back);
}
