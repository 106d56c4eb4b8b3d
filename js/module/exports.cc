// SPDX-License-Identifier: MIT
// What js/src/module.ts calls. A channel is a positive number; results below zero are minus the number of an error,
// whose details imports::fail() told just before. The owner of a slot argument is the export.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "incoming.h"
#include "js_channel.h"
#include "report.h"
#include "sender.h"
#include "src/core/channel.h"
#include "src/core/framed/framing.h"
#include "src/core/framed/framing_pointer.h"
#include "src/core/validate.h"
#include "wdc/browser.h"
#include "wdc/data_channel.h"
#include "wdc/error.h"
#include "wdc/message.h"
#include "wdc/options.h"
#include "wdc/send_options.h"

namespace wdc::js {
namespace {

/// Where JavaScript puts a small message that is to be sent; one that fits a frame of framed mode's default.
constexpr std::size_t kOutboxBytes = 64 << 10;

/// Where JavaScript puts more messages of a frame, and their sizes, in the order that lent_frame.ts has them.
struct Lent {
  core::framed::FrameRoom room;
  std::uint32_t sizes[core::framed::FrameRoom::kMostMessages];
};

/// The one of this module instance; never destroyed.
struct Channels {
  IncomingPool incoming;                              // outlives the channels, which put messages there
  std::vector<std::unique_ptr<JsChannel>> by_number;  // at number - 1
  std::vector<std::int32_t> free_numbers;
  SenderPool senders;
  FlowOptions next_flow;
  FramedOptions next_framed;
  SendOptions next_send;
  std::unique_ptr<std::byte[]> outbox;
  Lent lent;
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
template <class Number>
void set(Number& option, double value) {
  if (value < 0) return;
  constexpr auto kMost = std::numeric_limits<Number>::max();
  option = value < static_cast<double>(kMost) ? static_cast<Number>(value) : kMost;
}

/// Several times what a channel or a waiting send allocates at its start: an allocation that fails later is a trap, and
/// would take every channel along.
constexpr std::size_t kHeadroom = 16 << 10;

/// False in the module of the package's default entry. What only a framed channel asks for is left out there.
[[nodiscard]] bool has_framed_mode() { return core::framed::is_linked(); }
/// REQUIRES: it speaks framed mode.
[[nodiscard]] core::framed::Framing& framing(DataChannel& channel) {
  return *core::Channel::behind(channel)->framing();
}

[[nodiscard]] bool has_headroom() {
  void* volatile probe = std::malloc(kHeadroom);  // volatile: compilers leave a pair out that nobody looks at
  std::free(probe);
  return probe != nullptr;
}

}  // namespace

extern "C" {

#define WDC_JS_EXPORT(name) [[clang::export_name(#name)]]

/// The framed options of the next wdc_js_set_flow.
WDC_JS_EXPORT(wdc_js_set_framed)
void wdc_js_set_framed(double window, double message_window, double read_window, double messages_in_progress,
                       double max_message_size, double whole_total, double frame_size, std::int32_t order,
                       std::int32_t send_overflow, std::int32_t batches_only) {
  FramedOptions framed;
  set(framed.window, window);
  set(framed.message_window, message_window);
  set(framed.read_window, read_window);
  set(framed.messages_in_progress, messages_in_progress);
  set(framed.max_message_size, max_message_size);
  set(framed.whole_total, whole_total);
  set(framed.frame_size, frame_size);
  framed.order = static_cast<MessageOrder>(order);
  framed.send_overflow = static_cast<SendOverflow>(send_overflow);
  framed.batches_only = batches_only != 0;
  channels().next_framed = framed;
}

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
  flow.framed = std::exchange(channels().next_framed, {});
  channels().next_flow = flow;
  if (!has_headroom()) return report(Error(Errc::out_of_memory));
  return report(core::validate(flow));
}

WDC_JS_EXPORT(wdc_js_adopt)
std::int32_t wdc_js_adopt(std::int32_t host_channel) {
  auto& loop = browser::instance_loop();
  auto& all = channels();
  auto channel = browser::adopt(loop, static_cast<browser::HostChannel>(host_channel), all.next_flow,
                                browser::SmallMessages::in_slots);
  if (!channel) return report(channel.error());
  if (all.free_numbers.empty()) {
    all.by_number.emplace_back();
    all.free_numbers.reserve(all.by_number.size());
    all.free_numbers.push_back(static_cast<std::int32_t>(all.by_number.size()));
  }
  const auto number = all.free_numbers.back();
  all.free_numbers.pop_back();
  all.by_number[static_cast<std::size_t>(number) - 1] =
      std::make_unique<JsChannel>(number, loop, std::move(*channel), all.incoming);
  return number;
}

/// REQUIRES: not from inside an import, and the number is not used any more.
WDC_JS_EXPORT(wdc_js_release)
void wdc_js_release(std::int32_t channel) {
  auto& all = channels();
  all.by_number[static_cast<std::size_t>(channel) - 1].reset();
  all.free_numbers.push_back(channel);
}

/// What the next wdc_js_send or wdc_js_send_source asks for. Below zero: no deadline, no key.
WDC_JS_EXPORT(wdc_js_set_send)
void wdc_js_set_send(std::int32_t priority, double timeout_ms, double key) {
  SendOptions options;
  options.priority = static_cast<Priority>(priority);
  if (timeout_ms >= 0) options.deadline = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_ms));
  if (key >= 0) options.key = static_cast<std::uint64_t>(key);
  channels().next_send = options;
}

WDC_JS_EXPORT(wdc_js_send)
std::int32_t wdc_js_send(std::int32_t channel, std::int32_t slot, std::size_t size, std::int32_t is_text) {
  auto message = take(slot, size, is_text);
  const auto options = std::exchange(channels().next_send, {});
  if (!has_headroom()) return report(Error(Errc::out_of_memory));
  return channels().senders.send(at(channel).channel(), std::move(message), options);
}

/// Bytes of imports::source_read(); `size` below zero: not known; `in_memory`: read() fills every room.
WDC_JS_EXPORT(wdc_js_send_source)
std::int32_t wdc_js_send_source(std::int32_t channel, double size, std::int32_t is_text, std::int32_t in_memory) {
  if (!has_framed_mode()) return report(Error(Errc::unsupported));
  const auto options = std::exchange(channels().next_send, {});
  if (!has_headroom()) return report(Error(Errc::out_of_memory));
  std::optional<std::uint64_t> known;
  if (size >= 0) known = static_cast<std::uint64_t>(size);
  return channels().senders.send_from_source(at(channel).channel(), known, in_memory != 0,
                                             is_text ? MessageType::text : MessageType::binary, options);
}

WDC_JS_EXPORT(wdc_js_source_ready)
void wdc_js_source_ready(std::int32_t operation) {
  if (!has_framed_mode()) return;
  channels().senders.wake_source(operation);
}

WDC_JS_EXPORT(wdc_js_try_send)
std::int32_t wdc_js_try_send(std::int32_t channel, std::int32_t slot, std::size_t size, std::int32_t is_text) {
  return report(at(channel).channel().try_send(take(slot, size, is_text)));
}

/// kOutboxBytes for the message of wdc_js_try_send_outbox; stays where it is. Null: memory is exhausted.
WDC_JS_EXPORT(wdc_js_outbox)
std::byte* wdc_js_outbox() {
  auto& outbox = channels().outbox;
  if (!outbox && has_headroom()) outbox.reset(new (std::nothrow) std::byte[kOutboxBytes]);
  return outbox.get();
}

/// `kind`: 1, a text; plus 2 if a message has arrived since the last one that wdc_js_took() will tell of.
WDC_JS_EXPORT(wdc_js_try_send_outbox)
std::int32_t wdc_js_try_send_outbox(std::int32_t channel, std::size_t size, std::int32_t kind) {
  if (!has_framed_mode()) return report(Error(Errc::unsupported));
  auto& to = at(channel).channel();
  if ((kind & 2) != 0) framing(to).begin_turn();
  const auto* from = channels().outbox.get();
  auto result =
      (kind & 1) != 0 ? to.try_send_text({reinterpret_cast<const char*>(from), size}) : to.try_send_bytes({from, size});
  return result ? 0 : report(result.error());
}

/// Where more binary messages of a framed channel may be put, until the module is entered for whatever reason:
/// wdc_js_lent() has to tell of them before that. Null: nowhere. Runs nothing: may be called outside of the host's
/// call().
WDC_JS_EXPORT(wdc_js_lend)
const Lent* wdc_js_lend(std::int32_t channel) {
  if (!has_framed_mode()) return nullptr;
  auto& lent = channels().lent;
  lent.room = framing(at(channel).channel()).lend();
  return lent.room.messages == 0 ? nullptr : &lent;
}

/// So many were put there, of Lent::sizes bytes. As wdc_js_lend().
WDC_JS_EXPORT(wdc_js_lent)
void wdc_js_lent(std::int32_t channel, std::size_t messages) {
  if (!has_framed_mode()) return;
  framing(at(channel).channel()).append_lent({channels().lent.sizes, messages});
}

/// 0: to the transport, 1: to the peer's user. As wdc_js_send().
WDC_JS_EXPORT(wdc_js_flush)
std::int32_t wdc_js_flush(std::int32_t channel, std::int32_t goal) {
  if (!has_framed_mode()) return report(Error(Errc::unsupported));
  return channels().senders.flush(at(channel).channel(), static_cast<FlushTo>(goal));
}

WDC_JS_EXPORT(wdc_js_cancel_send)
void wdc_js_cancel_send(std::int32_t operation) { channels().senders.cancel(operation); }

WDC_JS_EXPORT(wdc_js_pull)
void wdc_js_pull(std::int32_t channel, std::uint32_t count) { at(channel).pull(count); }

WDC_JS_EXPORT(wdc_js_taken)
void wdc_js_taken(std::int32_t channel, std::uint32_t count) {
  if (!has_framed_mode()) return;
  at(channel).taken(count);
}

WDC_JS_EXPORT(wdc_js_pull_incoming)
void wdc_js_pull_incoming(std::int32_t channel, std::uint32_t count) { at(channel).pull_incoming(count); }

WDC_JS_EXPORT(wdc_js_pull_part)
void wdc_js_pull_part(std::int32_t number, std::int32_t whole) {
  if (!has_framed_mode()) return;
  channels().incoming.pull(number, whole != 0);
}

/// Stops it, unless it has ended; the number is not used any more. REQUIRES: not from inside an import.
WDC_JS_EXPORT(wdc_js_release_incoming)
void wdc_js_release_incoming(std::int32_t number) {
  if (!has_framed_mode()) return;
  channels().incoming.release(number);
}

WDC_JS_EXPORT(wdc_js_listen)
void wdc_js_listen(std::int32_t channel) { at(channel).listen(); }

/// Bytes of the largest message that need not pass through here right now: nothing of what came before it is here, and
/// it would go to a listener at once. 0: none. Of a framed channel: credit that frames with one message may use. Runs
/// nothing: may be called outside of the host's call().
WDC_JS_EXPORT(wdc_js_direct_limit)
double wdc_js_direct_limit(std::int32_t channel) { return static_cast<double>(at(channel).direct_limit()); }

/// A listener got so many messages of a framed channel, each alone in a frame. `cost`: credit of those frames.
WDC_JS_EXPORT(wdc_js_took)
void wdc_js_took(std::int32_t channel, std::uint32_t messages, double bytes, double cost) {
  if (!has_framed_mode()) return;
  framing(at(channel).channel())
      .take_elsewhere(messages, static_cast<std::uint64_t>(bytes), static_cast<std::uint64_t>(cost));
}

/// Credit that messages of a framed channel may use that JavaScript sends each alone in a frame, until anything else is
/// sent or goes to C++; 0: none may. wdc_js_gave() has to tell of them before that.
WDC_JS_EXPORT(wdc_js_send_room)
double wdc_js_send_room(std::int32_t channel) {
  if (!has_framed_mode()) return 0;
  return static_cast<double>(framing(at(channel).channel()).send_room_elsewhere());
}

WDC_JS_EXPORT(wdc_js_gave)
void wdc_js_gave(std::int32_t channel, std::uint32_t messages, double bytes, double cost) {
  if (!has_framed_mode()) return;
  framing(at(channel).channel())
      .send_elsewhere(messages, static_cast<std::uint64_t>(bytes), static_cast<std::uint64_t>(cost));
}

/// Bytes of messages of a plain channel that JavaScript may send past here, before one of any size; below zero: none
/// may. Until anything else is sent here; wdc_js_sent() has to tell of them before that.
WDC_JS_EXPORT(wdc_js_room)
double wdc_js_room(std::int32_t channel) {
  const auto room = core::Channel::behind(at(channel).channel())->room_elsewhere();
  return room ? static_cast<double>(*room) : -1;
}

WDC_JS_EXPORT(wdc_js_sent)
void wdc_js_sent(std::int32_t channel, std::uint32_t messages, double bytes) {
  core::Channel::behind(at(channel).channel())->send_elsewhere(messages, static_cast<std::uint64_t>(bytes));
}

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

WDC_JS_EXPORT(wdc_js_framed)
std::int32_t wdc_js_framed(std::int32_t channel) { return at(channel).channel().framed(); }

/// Three doubles, in the order of Delivery; valid until the next call.
WDC_JS_EXPORT(wdc_js_delivery)
const double* wdc_js_delivery(std::int32_t channel) {
  static double numbers[3];
  const auto delivery = at(channel).channel().delivery();
  auto* next = numbers;
  for (const auto number : {delivery.acknowledged, delivery.in_doubt, delivery.unsent})
    *next++ = static_cast<double>(number);
  return numbers;
}

/// Thirteen doubles, in the order of DataChannelStats; valid until the next call.
WDC_JS_EXPORT(wdc_js_stats)
const double* wdc_js_stats(std::int32_t channel) {
  static double numbers[13];
  const auto stats = at(channel).channel().stats();
  auto* next = numbers;
  for (const std::uint64_t number :
       {stats.messages_sent, stats.bytes_sent, stats.messages_received, stats.bytes_received, stats.messages_dropped,
        stats.bytes_dropped, std::uint64_t{stats.receive_queue_messages}, std::uint64_t{stats.receive_queue_bytes},
        std::uint64_t{stats.send_queue_operations}, stats.send_waits, stats.stalls, stats.frames_sent,
        stats.frames_received})
    *next++ = static_cast<double>(number);
  return numbers;
}

}  // extern "C"

}  // namespace wdc::js
