// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

// The wall to JavaScript as docs/wire/host.md describes it, declared once. Negative results are errors: see
// host_result.h.

#if defined(__EMSCRIPTEN__)
// A library of JavaScript functions (js/emscripten) has one room of names for all of C, and one module.
#define WDC_IMPORT(name) [[clang::import_module("env"), clang::import_name("wdc_host_" #name)]] extern
#else
#define WDC_IMPORT(name) [[clang::import_module("wdc"), clang::import_name(#name)]] extern
#endif
/// Before the definition of a function that the host calls.
#define WDC_EXPORT(name) [[clang::export_name(#name)]]

namespace wdc::browser::host {

/// Numbers from the host's tables; 0 is none.
using Number = std::int32_t;
/// What the host gives back with each event of an object: its address.
using Context = std::uintptr_t;
/// Length of a text that is absent.
inline constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);

extern "C" {

// Errors, time, slots
WDC_IMPORT(error_value) double error_value();
WDC_IMPORT(error_limit) double error_limit();
WDC_IMPORT(error_detail) Number error_detail();
WDC_IMPORT(now) double now();
WDC_IMPORT(request_pump) void request_pump();
WDC_IMPORT(request_turn_end) void request_turn_end();
WDC_IMPORT(set_deadline) void set_deadline(double milliseconds);
WDC_IMPORT(report) void report(const char* text, std::size_t size);
WDC_IMPORT(slot_size) std::size_t slot_size(Number slot);
WDC_IMPORT(slot_read) std::int32_t slot_read(Number slot, void* target, std::size_t size);
WDC_IMPORT(slot_copy) std::int32_t slot_copy(Number slot, void* target, std::size_t size);
WDC_IMPORT(slot_write) void slot_write(Number slot, const void* bytes, std::size_t size);
WDC_IMPORT(slot_free) void slot_free(Number slot);
WDC_IMPORT(slot_from_bytes) Number slot_from_bytes(const void* bytes, std::size_t size);
WDC_IMPORT(slot_from_text) Number slot_from_text(const void* text, std::size_t size);

// Channels
WDC_IMPORT(channel_adopt) Number channel_adopt(Number channel, Number options);
WDC_IMPORT(channel_detach) Number channel_detach(Number channel);
WDC_IMPORT(channel_start) void channel_start(Number channel, Context context, std::size_t largest_small);
WDC_IMPORT(channel_ready_state) std::int32_t channel_ready_state(Number channel);
WDC_IMPORT(channel_label) Number channel_label(Number channel);
WDC_IMPORT(channel_protocol) Number channel_protocol(Number channel);
WDC_IMPORT(channel_ordered) std::int32_t channel_ordered(Number channel);
WDC_IMPORT(channel_negotiated) std::int32_t channel_negotiated(Number channel);
WDC_IMPORT(channel_id) std::int32_t channel_id(Number channel);
WDC_IMPORT(channel_max_retransmits) std::int32_t channel_max_retransmits(Number channel);
WDC_IMPORT(channel_max_packet_life_time) std::int32_t channel_max_packet_life_time(Number channel);
WDC_IMPORT(channel_max_message_size) double channel_max_message_size(Number channel);
WDC_IMPORT(channel_buffered_amount) double channel_buffered_amount(Number channel);
WDC_IMPORT(channel_set_low_threshold) void channel_set_low_threshold(Number channel, double bytes);
WDC_IMPORT(channel_send_bytes) std::int32_t channel_send_bytes(Number channel, const void* bytes, std::size_t size);
WDC_IMPORT(channel_send_text) std::int32_t channel_send_text(Number channel, const void* text, std::size_t size);
WDC_IMPORT(channel_send_slot) std::int32_t channel_send_slot(Number channel, Number slot);
WDC_IMPORT(channel_close) void channel_close(Number channel);
WDC_IMPORT(channel_abort) void channel_abort(Number channel);
WDC_IMPORT(channel_release) void channel_release(Number channel);

// Connections
WDC_IMPORT(ice_server)
void ice_server(const char* username, std::size_t username_size, const char* credential, std::size_t credential_size);
WDC_IMPORT(ice_server_url) void ice_server_url(const char* url, std::size_t size);
WDC_IMPORT(peer_create) std::int32_t peer_create(std::int32_t policy);
WDC_IMPORT(peer_start) void peer_start(Number peer, Context context);
WDC_IMPORT(peer_create_channel)
std::int32_t peer_create_channel(Number peer, const char* label, std::size_t label_size, const char* protocol,
                                 std::size_t protocol_size, std::int32_t ordered, std::int32_t negotiated,
                                 std::int32_t id, std::int32_t max_retransmits, std::int32_t max_packet_life_time);
WDC_IMPORT(peer_create_offer) void peer_create_offer(Number peer, std::uint32_t operation);
WDC_IMPORT(peer_create_answer) void peer_create_answer(Number peer, std::uint32_t operation);
WDC_IMPORT(peer_set_local_implicit) void peer_set_local_implicit(Number peer, std::uint32_t operation);
WDC_IMPORT(peer_set_local)
void peer_set_local(Number peer, std::uint32_t operation, std::int32_t type, const char* sdp, std::size_t size);
WDC_IMPORT(peer_set_remote)
void peer_set_remote(Number peer, std::uint32_t operation, std::int32_t type, const char* sdp, std::size_t size);
WDC_IMPORT(peer_add_candidate)
void peer_add_candidate(Number peer, std::uint32_t operation, const char* candidate, std::size_t candidate_size,
                        const char* mid, std::size_t mid_size, std::int32_t line, const char* fragment,
                        std::size_t fragment_size);
WDC_IMPORT(peer_restart_ice) void peer_restart_ice(Number peer);
WDC_IMPORT(peer_close) void peer_close(Number peer);
WDC_IMPORT(peer_release) void peer_release(Number peer);

// Signaling
WDC_IMPORT(pipe_open)
std::int32_t pipe_open(const char* url, std::size_t url_size, const char* room, std::size_t room_size);
WDC_IMPORT(pipe_start) void pipe_start(Number pipe, Context context);
WDC_IMPORT(pipe_send_description)
void pipe_send_description(Number pipe, std::int32_t type, const char* sdp, std::size_t size);
WDC_IMPORT(pipe_send_candidate)
void pipe_send_candidate(Number pipe, const char* candidate, std::size_t candidate_size, const char* mid,
                         std::size_t mid_size, std::int32_t line, const char* fragment, std::size_t fragment_size);
WDC_IMPORT(pipe_send_bye) void pipe_send_bye(Number pipe);
WDC_IMPORT(pipe_release) void pipe_release(Number pipe);

}  // extern "C"

}  // namespace wdc::browser::host
