// SPDX-License-Identifier: MIT
#include "src/core/validate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "src/core/framed/framing.h"

namespace wdc::core {

namespace {

constexpr std::uint64_t kMaxReceiveQueueBytes = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxReceiveQueueMessages = std::uint64_t{1} << 24;
constexpr std::uint64_t kMaxSendBuffer = std::uint64_t{16} << 20;  // Chromium refuses more
constexpr std::uint64_t kMaxSendQueueOperations = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxTextBytes = 65'535;  // RFC 8832 section 5.1: lengths of label and protocol are 16 bits
constexpr std::uint64_t kMaxStreamId = 65'534;   // RFC 8832 section 6: 65,535 is reserved
constexpr std::int64_t kMaxLifeTime = 65'535;    // W3C: unsigned short, milliseconds
constexpr std::uint64_t kMaxIncomingChannels = 65'535;
constexpr std::uint64_t kMaxWindow = std::uint64_t{1} << 32;
constexpr std::uint64_t kMaxMessageSize = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxMessagesInProgress = 256;
constexpr std::uint64_t kMaxFrameSize = std::uint64_t{1} << 20;

std::unexpected<Error> refuse(std::string why) { return wdc::fail(Errc::invalid_argument, std::move(why)); }

Result<void> in_range(std::string_view field, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  if (value >= low && value <= high) return {};
  return wdc::fail(Errc::invalid_argument, value, value < low ? low : high,
                   std::string(field) + " must be " + std::to_string(low) + " to " + std::to_string(high));
}

Result<void> at_least_one_millisecond(std::string_view field, std::chrono::milliseconds value) {
  if (value.count() >= 1) return {};
  return refuse(std::string(field) + " must be at least 1 ms and is " + std::to_string(value.count()) + " ms");
}

Result<void> validate(const IceServer& server) {
  constexpr std::array<std::string_view, 4> kSchemes{"stun:", "stuns:", "turn:", "turns:"};
  if (server.urls.empty()) return refuse("an ICE server has no URL");
  for (const std::string& url : server.urls) {
    const auto scheme =
        std::find_if(kSchemes.begin(), kSchemes.end(), [&](std::string_view s) { return url.starts_with(s); });
    if (scheme == kSchemes.end() || url.size() == scheme->size())
      return refuse("ICE server URL \"" + url + "\" is not stun:, stuns:, turn: or turns: with a host");
    if (url.starts_with("turn") && (server.username.empty() || server.credential.empty()))
      return refuse("ICE server URL \"" + url + "\" needs a username and a credential");
  }
  return {};
}

}  // namespace

Result<void> validate(const FramedOptions& options) {
  for (const auto& [field, value] : {std::pair{"framed.window", std::uint64_t{options.window}},
                                     {"framed.message_window", std::uint64_t{options.message_window}},
                                     {"framed.read_window", std::uint64_t{options.read_window}}}) {
    if (auto ok = in_range(field, value, framed::kSmallestWindow, kMaxWindow); !ok) return ok;
  }
  if (auto ok = in_range("framed.messages_in_progress", options.messages_in_progress, 1, kMaxMessagesInProgress); !ok)
    return ok;
  if (auto ok = in_range("framed.max_message_size", options.max_message_size, 0, kMaxMessageSize); !ok) return ok;
  if (auto ok = in_range("framed.whole_total", options.whole_total, 0, kMaxMessageSize); !ok) return ok;
  return in_range("framed.frame_size", options.frame_size, framed::kSmallestFrame, kMaxFrameSize);
}

Result<void> validate(const FlowOptions& options) {
  if (auto ok = in_range("receive_queue_bytes", options.receive_queue_bytes, 1, kMaxReceiveQueueBytes); !ok) return ok;
  if (auto ok = in_range("receive_queue_messages", options.receive_queue_messages, 1, kMaxReceiveQueueMessages); !ok)
    return ok;
  if (auto ok = in_range("send_high_water_mark", options.send_high_water_mark, 1, kMaxSendBuffer); !ok) return ok;
  // Below what a browser holds when it refuses more, so that it always falls past the mark again.
  const auto highest_low = std::min<std::uint64_t>(options.send_high_water_mark, kMaxSendBuffer - (1U << 20));
  if (auto ok = in_range("send_low_water_mark", options.send_low_water_mark, 0, highest_low); !ok) return ok;
  if (auto ok = in_range("send_queue_operations", options.send_queue_operations, 1, kMaxSendQueueOperations); !ok)
    return ok;
  if (auto ok = at_least_one_millisecond("close_timeout", options.close_timeout); !ok) return ok;
  return validate(options.framed);
}

Result<void> validate(std::string_view label, const DataChannelOptions& options) {
  if (auto ok = in_range("the label's length in bytes", label.size(), 0, kMaxTextBytes); !ok) return ok;
  if (auto ok = in_range("the protocol's length in bytes", options.protocol.size(), 0, kMaxTextBytes); !ok) return ok;
  if (options.max_retransmits && options.max_packet_life_time)
    return refuse("max_retransmits and max_packet_life_time exclude each other");
  if (options.max_packet_life_time &&
      (options.max_packet_life_time->count() < 0 || options.max_packet_life_time->count() > kMaxLifeTime))
    return refuse("max_packet_life_time must be 0 to 65535 ms and is " +
                  std::to_string(options.max_packet_life_time->count()) + " ms");
  if (options.negotiated && !options.id) return refuse("a negotiated channel needs an id");
  if (options.id && !options.negotiated)
    return refuse("an id needs negotiated = true: otherwise the connection chooses it");
  if (options.id) {
    if (auto ok = in_range("id", *options.id, 0, kMaxStreamId); !ok) return ok;
  }
  ChannelInfo info;
  info.protocol = options.protocol;
  info.ordered = options.ordered;
  info.max_retransmits = options.max_retransmits;
  info.max_packet_life_time = options.max_packet_life_time;
  if (auto ok = framed::validate(info, options.flow.framed); !ok) return ok;
  return validate(options.flow);
}

Result<void> validate(const PeerConnectionOptions& options) {
  for (const IceServer& server : options.ice_servers) {
    if (auto ok = validate(server); !ok) return ok;
  }
  if (auto ok = at_least_one_millisecond("disconnected_timeout", options.disconnected_timeout); !ok) return ok;
  if (auto ok = in_range("incoming_channels", options.incoming_channels, 1, kMaxIncomingChannels); !ok) return ok;
  return validate(options.incoming_flow);
}

}  // namespace wdc::core
