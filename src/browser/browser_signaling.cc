// SPDX-License-Identifier: MIT
#include "src/browser/browser_signaling.h"

#include <utility>

#include "src/browser/browser_parts.h"
#include "src/browser/candidate_arguments.h"
#include "src/browser/host_result.h"
#include "src/core/home_parts.h"

namespace wdc::core {
void link_home_signaling() noexcept {}
}  // namespace wdc::core

namespace wdc::browser {

using core::signaling::Bye;
using core::signaling::Candidate;
using core::signaling::Description;
using core::signaling::Joined;
using core::signaling::Left;
using core::signaling::Welcome;

Result<std::unique_ptr<core::SignalingBackend>> make_signaling(std::string_view url, std::string_view room) {
  const auto number = host::pipe_open(url.data(), url.size(), room.data(), room.size());
  if (number < 0) return std::unexpected(take_error(number));
  return std::make_unique<BrowserSignaling>(number);
}

BrowserSignaling::~BrowserSignaling() { host::pipe_release(number_); }

void BrowserSignaling::set_events(core::SignalingEvents& events) {
  events_ = &events;
  host::pipe_start(number_, reinterpret_cast<host::Context>(this));
}

void BrowserSignaling::send(const core::signaling::Frame& frame) {
  if (const auto* sent = std::get_if<Description>(&frame)) {
    const auto& [type, sdp] = sent->description;
    host::pipe_send_description(number_, static_cast<std::int32_t>(type), sdp.data(), sdp.size());
  } else if (const auto* trickled = std::get_if<Candidate>(&frame)) {
    const IceCandidate& candidate = trickled->candidate;
    const OptionalText mid(candidate.sdp_mid);
    const OptionalText fragment(candidate.username_fragment);
    host::pipe_send_candidate(number_, candidate.candidate.data(), candidate.candidate.size(), mid.data, mid.size,
                              line_of(candidate), fragment.data, fragment.size);
  } else if (std::holds_alternative<Bye>(frame)) {
    host::pipe_send_bye(number_);
  }
}

namespace {

core::SignalingEvents& events(host::Context context) { return reinterpret_cast<BrowserSignaling*>(context)->events(); }

}  // namespace

extern "C" {

WDC_EXPORT(wdc_pipe_welcome)
void wdc_pipe_welcome(host::Context context, host::Number you, std::int32_t polite, host::Number peer) {
  events(context).on_frame(Welcome{take_text(you), polite != 0, take_optional_text(peer)});
}

WDC_EXPORT(wdc_pipe_joined) void wdc_pipe_joined(host::Context context, host::Number peer) {
  events(context).on_frame(Joined{take_text(peer)});
}

WDC_EXPORT(wdc_pipe_left) void wdc_pipe_left(host::Context context, host::Number peer) {
  events(context).on_frame(Left{take_text(peer)});
}

WDC_EXPORT(wdc_pipe_description)
void wdc_pipe_description(host::Context context, host::Number from, std::int32_t type, host::Number sdp) {
  events(context).on_frame(Description{take_text(from), {static_cast<SdpType>(type), take_text(sdp)}});
}

WDC_EXPORT(wdc_pipe_candidate)
void wdc_pipe_candidate(host::Context context, host::Number from, host::Number candidate, host::Number mid,
                        std::int32_t line, host::Number fragment) {
  events(context).on_frame(Candidate{take_text(from), take_candidate(candidate, mid, line, fragment)});
}

WDC_EXPORT(wdc_pipe_bye) void wdc_pipe_bye(host::Context context, host::Number from) {
  events(context).on_frame(Bye{take_text(from)});
}

WDC_EXPORT(wdc_pipe_closed) void wdc_pipe_closed(host::Context context, std::int32_t code, host::Number detail) {
  events(context).on_signaling_closed(event_error(code, detail));
}

}  // extern "C"

}  // namespace wdc::browser
