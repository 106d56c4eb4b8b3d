// SPDX-License-Identifier: MIT
// What the module calls in js/src/module.ts, besides the host's own imports (docs/wire/host.md). None of these throws,
// none but `deliver` and `deliver_batch` runs user code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wdc::js::imports {

#define WDC_JS_IMPORT(name) [[clang::import_module("wdc_js"), clang::import_name(#name)]]

extern "C" {

/// The numbers and the text of the error that the next negative code stands for.
WDC_JS_IMPORT(fail)
void wdc_js_import_fail(std::int32_t has_numbers, double value, double limit, const char* detail, std::size_t size);
/// A send that waited has ended: 0, or minus the number of an error.
WDC_JS_IMPORT(sent) void wdc_js_import_sent(std::int32_t operation, std::int32_t code);
/// The next message, given away: JavaScript owns the slot.
WDC_JS_IMPORT(deliver)
void wdc_js_import_deliver(std::int32_t channel, std::int32_t slot, std::size_t size, std::int32_t is_text);
/// Messages of a frame: `count` pairs of an address and a size, the size's highest bit set for text. `slot` is 0 or has
/// the whole frame, whose bytes are at `frame`, too; JavaScript owns it. Gives how many the reader has taken, of those
/// that wdc_js_taken() has not told already.
WDC_JS_IMPORT(deliver_batch)
std::uint32_t wdc_js_import_deliver_batch(std::int32_t channel, const std::uint32_t* places, std::uint32_t count,
                                          std::int32_t slot, const std::byte* frame);
/// A message has begun that is to be read in parts; JavaScript owns the number. `size` below zero: not known.
WDC_JS_IMPORT(incoming)
void wdc_js_import_incoming(std::int32_t channel, std::int32_t number, std::int32_t is_text, double size);
/// What was asked for of an incoming message; JavaScript owns the slot.
WDC_JS_IMPORT(part) void wdc_js_import_part(std::int32_t number, std::int32_t slot, std::size_t size);
/// Nothing follows: 0 at a good end, or minus the number of an error.
WDC_JS_IMPORT(part_ended) void wdc_js_import_part_ended(std::int32_t number, std::int32_t code);
/// The next bytes of a send from a source: how many were written, 0 at the end, or minus the number of an error;
/// would_block: none are here yet.
WDC_JS_IMPORT(source_read)
std::int32_t wdc_js_import_source_read(std::int32_t operation, std::byte* room, std::size_t size);
/// The reader has had everything: 0 after a clean close, or minus the number of an error.
WDC_JS_IMPORT(ended) void wdc_js_import_ended(std::int32_t channel, std::int32_t code);
WDC_JS_IMPORT(opened) void wdc_js_import_opened(std::int32_t channel, std::int32_t code);
/// close() has ended, after `closed`.
WDC_JS_IMPORT(close_ended) void wdc_js_import_close_ended(std::int32_t channel, std::int32_t code);
/// The channel has closed, for whatever reason.
WDC_JS_IMPORT(closed) void wdc_js_import_closed(std::int32_t channel, std::int32_t code);

}  // extern "C"

#undef WDC_JS_IMPORT

}  // namespace wdc::js::imports
