// SPDX-License-Identifier: MIT
#include "src/native/dcep/open_message.h"

#include <cassert>

namespace wdc::dcep {
namespace {

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Message Type |  Channel Type |            Priority           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    Reliability Parameter                      |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |         Label Length          |       Protocol Length         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   :                             Label                             :
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   :                            Protocol                           :
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
constexpr std::size_t kHeaderSize = 12;

constexpr std::uint8_t kUnordered = 0x80;
constexpr std::uint8_t kReliable = 0;
constexpr std::uint8_t kMaxRetransmits = 1;
constexpr std::uint8_t kMaxLifetime = 2;

/// REQUIRES: offset + bytes <= message.size().
std::uint32_t number_at(std::span<const std::byte> message, std::size_t offset, std::size_t bytes) {
  std::uint32_t number = 0;
  for (const std::byte byte : message.subspan(offset, bytes))
    number = (number << 8) | std::to_integer<std::uint32_t>(byte);
  return number;
}

void push_number(std::vector<std::byte>& message, std::uint32_t number, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0;) message.push_back(static_cast<std::byte>(number >> (8 * i)));
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void push_text(std::vector<std::byte>& message, const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  message.insert(message.end(), bytes.begin(), bytes.end());
}

}  // namespace

std::optional<DcepMessageType> dcep_message_type(std::span<const std::byte> message) {
  if (message.empty()) return std::nullopt;
  const DcepMessageType type{std::to_integer<std::uint8_t>(message[0])};
  if (type != DcepMessageType::ack && type != DcepMessageType::open) return std::nullopt;
  return type;
}

std::optional<ChannelParameters> parse_open(std::span<const std::byte> message) {
  if (message.size() < kHeaderSize || dcep_message_type(message) != DcepMessageType::open) return std::nullopt;
  const auto type = static_cast<std::uint8_t>(number_at(message, 1, 1));
  const std::uint32_t reliability = number_at(message, 4, 4);
  const std::size_t label_size = number_at(message, 8, 2);
  const std::size_t protocol_size = number_at(message, 10, 2);
  if (kHeaderSize + label_size + protocol_size > message.size()) return std::nullopt;

  ChannelParameters parameters;
  parameters.ordered = (type & kUnordered) == 0;
  switch (type & ~kUnordered) {
    case kReliable:
      break;
    case kMaxRetransmits:
      parameters.max_retransmits = reliability;
      break;
    case kMaxLifetime:
      parameters.max_lifetime_ms = reliability;
      break;
    default:
      return std::nullopt;
  }
  parameters.priority = static_cast<std::uint16_t>(number_at(message, 2, 2));
  parameters.label = text_of(message.subspan(kHeaderSize, label_size));
  parameters.protocol = text_of(message.subspan(kHeaderSize + label_size, protocol_size));
  return parameters;
}

std::vector<std::byte> write_open(const ChannelParameters& parameters) {
  assert(parameters.label.size() <= 65'535 && parameters.protocol.size() <= 65'535);
  assert(!parameters.max_retransmits || !parameters.max_lifetime_ms);
  std::uint8_t type = kReliable;
  std::uint32_t reliability = 0;
  if (parameters.max_retransmits) {
    type = kMaxRetransmits;
    reliability = *parameters.max_retransmits;
  } else if (parameters.max_lifetime_ms) {
    type = kMaxLifetime;
    reliability = *parameters.max_lifetime_ms;
  }
  if (!parameters.ordered) type |= kUnordered;

  std::vector<std::byte> message;
  message.reserve(kHeaderSize + parameters.label.size() + parameters.protocol.size());
  push_number(message, static_cast<std::uint32_t>(DcepMessageType::open), 1);
  push_number(message, type, 1);
  push_number(message, parameters.priority, 2);
  push_number(message, reliability, 4);
  push_number(message, static_cast<std::uint32_t>(parameters.label.size()), 2);
  push_number(message, static_cast<std::uint32_t>(parameters.protocol.size()), 2);
  push_text(message, parameters.label);
  push_text(message, parameters.protocol);
  return message;
}

std::vector<std::byte> write_ack() { return {std::byte{static_cast<std::uint8_t>(DcepMessageType::ack)}}; }

}  // namespace wdc::dcep
