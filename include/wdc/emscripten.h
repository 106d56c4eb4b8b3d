// SPDX-License-Identifier: MIT
// Channels between JavaScript and C++ as values of embind: only with Emscripten, and linked with -lembind.
#pragma once

#include <cstdint>
#include <expected>
#include <utility>

#include <emscripten/val.h>

#include "wdc/browser.h"

namespace wdc {

namespace emscripten_detail {

// From the JavaScript library that js/emscripten makes.
extern "C" {
[[clang::import_module("env"), clang::import_name("wdc_host_slot_from_js")]] std::int32_t wdc_host_slot_from_js(
    emscripten::EM_VAL value);
[[clang::import_module("env"), clang::import_name("wdc_host_slot_to_js")]] emscripten::EM_VAL wdc_host_slot_to_js(
    std::int32_t slot);
}

[[nodiscard]] inline browser::Slot slot_of(const emscripten::val& value) {
  return static_cast<browser::Slot>(wdc_host_slot_from_js(value.as_handle()));
}

}  // namespace emscripten_detail

/// A DataChannel over an RTCDataChannel that JavaScript made, connecting or open. To miss none of its messages, call
/// this in the turn in which JavaScript got it. `options`: an object { peerConnection, disconnectedTimeout } as the npm
/// package's, or undefined. Errors: invalid_argument, already_wrapped, closed, wrong_thread.
[[nodiscard]] inline Result<DataChannel> from_js(EventLoop& loop, const emscripten::val& channel,
                                                 const FlowOptions& flow = {},
                                                 const emscripten::val& options = emscripten::val::undefined()) {
  const auto options_slot = options.isUndefined() ? browser::Slot::none : emscripten_detail::slot_of(options);
  return browser::adopt(loop, emscripten_detail::slot_of(channel), options_slot, flow);
}

/// The RTCDataChannel behind a channel, which C++ has no part in any more; takes the channel only on success.
/// JavaScript has to listen to it in the same turn, and misses nothing then. Errors: closed; invalid_state (messages
/// are unread or on their way, sends wait, or it has a reader); wrong_thread.
[[nodiscard]] inline Result<emscripten::val> to_js(DataChannel&& channel) {
  auto slot = browser::release(std::move(channel));
  if (!slot) return std::unexpected(std::move(slot.error()));
  return emscripten::val::take_ownership(emscripten_detail::wdc_host_slot_to_js(static_cast<std::int32_t>(*slot)));
}

}  // namespace wdc
