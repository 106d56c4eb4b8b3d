// SPDX-License-Identifier: MIT
// What js/src/module.ts calls. A channel is a positive number; results below zero are minus the number of an error,
// whose details imports::fail() told just before. The owner of a slot argument is the export.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "js_channel.h"
#include "report.h"
#include "sender.h"
#include "src/core/validate.h"
#include "wdc/browser.h"
#include "wdc/data_channel.h"
#include "wdc/error.h"
#include "wdc/message.h"
#include "wdc/options.h"

namespace wdc::js {
namespace {

/// The one of this module instance; never destroyed.
struct Channels {
  std::vector<std::unique_ptr<JsChannel>> by_number;  // at number - 1
  std::vector<std::int32_t> free_numbers;
  SenderPool senders;
  FlowOptions next_flow;
};

Channels& channels() {
  static auto* const instance = new Channels;
  return *instance;
}

JsChannel& at(std::int32_t channel) { return *channels().by_number[static_cast<std::size_t>(channel) - 1]; }

Message take(std::int32_t slot, std::size_t size, std::int32_t is_text) {
  return browser::message_from_slot(static_cast<browser::Slot>(slot), size,
                                    is_text ? MessageType::text : MessageType::binary);
}

/// Below zero stands for the default.
void set(std::size_t& option, double value) {
  if (value >= 0) option = static_cast<std::size_t>(value);
}

/// Several times what a channel or a waiting send allocates at its start: an allocation that fails later is a trap, and
/// would take every channel along.
constexpr std::size_t kHeadroom = 16 << 10;

[[nodiscard]] bool has_headroom() {
  void* volatile probe = std::malloc(kHeadroom);  // volatile: compilers leave a pair out that nobody looks at
  std::free(probe);
  return probe != nullptr;
}

}  // namespace

extern "C" {

#define WDC_JS_EXPORT(name) [[clang::export_name(#name)]]

/// The flow options of the next wdc_js_adopt; refused where they are out of their ranges, or memory is exhausted.
WDC_JS_EXPORT(wdc_js_set_flow)
std::int32_t wdc_js_set_flow(double receive_queue_bytes, double receive_queue_messages, std::int32_t receive_overflow,
                             std::int32_t discard_received, double send_high_water_mark, double send_low_water_mark,
                             double send_queue_operations, double close_timeout_ms) {
  FlowOptions flow;
  set(flow.receive_queue_bytes, receive_queue_bytes);
  set(flow.receive_queue_messages, receive_queue_messages);
  flow.receive_overflow = static_cast<ReceiveOverflow>(receive_overflow);
  flow.discard_received = discard_received != 0;
  set(flow.send_high_water_mark, send_high_water_mark);
  // A low mark that nobody chose follows a high one that somebody did.
  if (flow.send_low_water_mark > flow.send_high_water_mark) flow.send_low_water_mark = flow.send_high_water_mark / 4;
  set(flow.send_low_water_mark, send_low_water_mark);
  set(flow.send_queue_operations, send_queue_operations);
  if (close_timeout_ms >= 0)
    flow.close_timeout = std::chrono::milliseconds(static_cast<std::int64_t>(close_timeout_ms));
  channels().next_flow = flow;
  if (!has_headroom()) return report(Error(Errc::out_of_memory));
  return report(core::validate(flow));
}

WDC_JS_EXPORT(wdc_js_adopt)
std::int32_t wdc_js_adopt(std::int32_t host_channel) {
  auto& loop = browser::instance_loop();
  auto& all = channels();
  auto channel = browser::adopt(loop, static_cast<browser::HostChannel>(host_channel), all.next_flow);
  if (!channel) return report(channel.error());
  if (all.free_numbers.empty()) {
    all.by_number.emplace_back();
    all.free_numbers.reserve(all.by_number.size());
    all.free_numbers.push_back(static_cast<std::int32_t>(all.by_number.size()));
  }
  const auto number = all.free_numbers.back();
  all.free_numbers.pop_back();
  all.by_number[static_cast<std::size_t>(number) - 1] = std::make_unique<JsChannel>(number, loop, std::move(*channel));
  return number;
}

/// REQUIRES: not from inside an import, and the number is not used any more.
WDC_JS_EXPORT(wdc_js_release)
void wdc_js_release(std::int32_t channel) {
  auto& all = channels();
  all.by_number[static_cast<std::size_t>(channel) - 1].reset();
  all.free_numbers.push_back(channel);
}

WDC_JS_EXPORT(wdc_js_send)
std::int32_t wdc_js_send(std::int32_t channel, std::int32_t slot, std::size_t size, std::int32_t is_text) {
  auto message = take(slot, size, is_text);
  if (!has_headroom()) return report(Error(Errc::out_of_memory));
  return channels().senders.send(at(channel).channel(), std::move(message));
}

WDC_JS_EXPORT(wdc_js_try_send)
std::int32_t wdc_js_try_send(std::int32_t channel, std::int32_t slot, std::size_t size, std::int32_t is_text) {
  return report(at(channel).channel().try_send(take(slot, size, is_text)));
}

WDC_JS_EXPORT(wdc_js_cancel_send)
void wdc_js_cancel_send(std::int32_t operation) { channels().senders.cancel(operation); }

WDC_JS_EXPORT(wdc_js_pull)
void wdc_js_pull(std::int32_t channel, std::uint32_t count) { at(channel).pull(count); }

WDC_JS_EXPORT(wdc_js_listen)
void wdc_js_listen(std::int32_t channel) { at(channel).listen(); }

WDC_JS_EXPORT(wdc_js_stop)
void wdc_js_stop(std::int32_t channel) { at(channel).stop(); }

/// Below zero: the channel's own close timeout.
WDC_JS_EXPORT(wdc_js_close)
void wdc_js_close(std::int32_t channel, double timeout_ms) {
  std::optional<std::chrono::milliseconds> timeout;
  if (timeout_ms >= 0) timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_ms));
  at(channel).close(timeout);
}

WDC_JS_EXPORT(wdc_js_abort)
void wdc_js_abort(std::int32_t channel) { at(channel).channel().abort(); }

WDC_JS_EXPORT(wdc_js_ready_state)
std::int32_t wdc_js_ready_state(std::int32_t channel) {
  return static_cast<std::int32_t>(at(channel).channel().ready_state());
}

WDC_JS_EXPORT(wdc_js_buffered_amount)
double wdc_js_buffered_amount(std::int32_t channel) {
  return static_cast<double>(at(channel).channel().buffered_amount());
}

WDC_JS_EXPORT(wdc_js_max_message_size)
double wdc_js_max_message_size(std::int32_t channel) {
  return static_cast<double>(at(channel).channel().max_message_size());
}

/// Ten doubles, in the order of DataChannelStats; valid until the next call.
WDC_JS_EXPORT(wdc_js_stats)
const double* wdc_js_stats(std::int32_t channel) {
  static double numbers[11];
  const auto stats = at(channel).channel().stats();
  auto* next = numbers;
  for (const std::uint64_t number :
       {stats.messages_sent, stats.bytes_sent, stats.messages_received, stats.bytes_received, stats.messages_dropped,
        stats.bytes_dropped, std::uint64_t{stats.receive_queue_messages}, std::uint64_t{stats.receive_queue_bytes},
        std::uint64_t{stats.send_queue_operations}, stats.send_waits, stats.stalls})
    *next++ = static_cast<double>(number);
  return numbers;
}

}  // extern "C"

}  // namespace wdc::js
