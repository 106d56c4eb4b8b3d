// SPDX-License-Identifier: MIT
#include "src/browser/browser_channel.h"

#include <utility>

#include "src/browser/browser_backend.h"
#include "src/browser/host_result.h"
#include "src/browser/slot_message.h"
#include "src/browser/small_message.h"
#include "src/core/message_access.h"

namespace wdc::browser {

namespace {

std::optional<std::uint16_t> optional_number(std::int32_t value) {
  if (value < 0) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

core::ChannelInfo read_info(host::Number number) {
  core::ChannelInfo info;
  info.label = take_text(host::channel_label(number));
  info.protocol = take_text(host::channel_protocol(number));
  info.ordered = host::channel_ordered(number) != 0;
  info.negotiated = host::channel_negotiated(number) != 0;
  info.max_retransmits = optional_number(host::channel_max_retransmits(number));
  if (const auto time = optional_number(host::channel_max_packet_life_time(number)))
    info.max_packet_life_time = std::chrono::milliseconds(*time);
  return info;
}

Result<void> sent(std::int32_t result) {
  if (result < 0) return std::unexpected(take_error(result));
  return {};
}

}  // namespace

BrowserChannel::BrowserChannel(host::Number number, SmallMessages small)
    : number_(number),
      info_(read_info(number)),
      initial_state_(static_cast<ReadyState>(host::channel_ready_state(number))),
      small_(small) {}

BrowserChannel::~BrowserChannel() {
  if (number_ != 0) host::channel_release(number_);
}

host::Number BrowserChannel::detach() {
  const auto slot = host::channel_detach(number_);
  if (slot > 0) number_ = 0;
  return slot;
}

void BrowserChannel::set_events(core::ChannelEvents& events) {
  events_ = &events;
  host::channel_start(number_, reinterpret_cast<host::Context>(this),
                      small_ == SmallMessages::in_memory ? kLargestSmallMessage : 0);
}

std::optional<std::uint16_t> BrowserChannel::id() const { return optional_number(host::channel_id(number_)); }

Result<void> BrowserChannel::send(std::span<const std::byte> bytes, MessageType type) {
  return sent(type == MessageType::text ? host::channel_send_text(number_, bytes.data(), bytes.size())
                                        : host::channel_send_bytes(number_, bytes.data(), bytes.size()));
}

Result<void> BrowserChannel::send(Message& message) {
  if (const auto slot = slot_behind(message); slot != 0) {
    auto result = sent(host::channel_send_slot(number_, slot));
    if (result) core::MessageAccess::forget_token(message);
    return result;
  }
  const auto bytes = message.bytes();
  if (bytes.size() != message.size()) return fail(Errc::out_of_memory);
  auto result = send(bytes, message.type());
  if (result) message = Message();
  return result;
}

std::uint64_t BrowserChannel::buffered_amount() const {
  return static_cast<std::uint64_t>(host::channel_buffered_amount(number_));
}

void BrowserChannel::set_buffered_amount_low_threshold(std::uint64_t bytes) {
  host::channel_set_low_threshold(number_, static_cast<double>(bytes));
}

std::uint64_t BrowserChannel::max_message_size() const {
  return static_cast<std::uint64_t>(host::channel_max_message_size(number_));
}

void BrowserChannel::close() { host::channel_close(number_); }

void BrowserChannel::abort() { host::channel_abort(number_); }

namespace {

BrowserChannel& channel(host::Context context) { return *reinterpret_cast<BrowserChannel*>(context); }

core::ChannelEvents& events(host::Context context) { return channel(context).events(); }

/// The channel may be gone afterwards.
void deliver(core::ChannelEvents& events, Message&& message) {
  BrowserBackend::report_and_pump([&] { events.on_message_directly(std::move(message)); });
}

}  // namespace

extern "C" {

WDC_EXPORT(wdc_channel_open) void wdc_channel_open(host::Context context) { events(context).on_open(); }

WDC_EXPORT(wdc_channel_message)
const void* wdc_channel_message(host::Context context, host::Number slot, std::size_t size, std::int32_t is_text) {
  const bool may_be_small = channel(context).small() == SmallMessages::in_memory;
  deliver(events(context), make_slot_message(slot, size, is_text != 0 ? MessageType::text : MessageType::binary));
  return may_be_small ? small_message_place() : nullptr;
}

WDC_EXPORT(wdc_channel_small) const void* wdc_channel_small(host::Context context, std::size_t size) {
  deliver(events(context), make_small_message(size));
  return small_message_place();
}

WDC_EXPORT(wdc_channel_low) void wdc_channel_low(host::Context context) { events(context).on_buffered_amount_low(); }

WDC_EXPORT(wdc_channel_stalled) void wdc_channel_stalled(host::Context context) { events(context).on_stalled(); }

WDC_EXPORT(wdc_channel_closing) void wdc_channel_closing(host::Context context) { events(context).on_closing(); }

WDC_EXPORT(wdc_channel_closed)
void wdc_channel_closed(host::Context context, std::int32_t code, host::Number detail) {
  std::optional<Error> error;
  if (code != 0) error = event_error(code, detail);
  events(context).on_closed(std::move(error));
}

}  // extern "C"

}  // namespace wdc::browser
