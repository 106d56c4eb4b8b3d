// SPDX-License-Identifier: MIT
#include "src/native/ice/stun_message.h"

#include <algorithm>
#include <utility>

#include "src/native/ice/crc32.h"
#include "src/native/ice/sha1.h"

namespace wdc::ice {
namespace {

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |0 0|     STUN Message Type     |         Message Length        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                         Magic Cookie                          |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                     Transaction ID (96 bits)                  |
//   :                                                               :
constexpr std::size_t kHeaderSize = 20;
constexpr std::size_t kAttributeHeaderSize = 4;
constexpr std::uint32_t kMagicCookie = 0x2112a442;
constexpr std::size_t kIntegritySize = 20;
constexpr std::size_t kFingerprintSize = 4;
constexpr std::uint32_t kFingerprintMask = 0x5354554e;  // RFC 8489 section 14.7

constexpr std::byte kFamilyV4{1};
constexpr std::byte kFamilyV6{2};

std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

template <class T>
T load(ByteView bytes, std::size_t offset) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value << 8 | std::to_integer<T>(bytes[offset + i]));
  return value;
}

template <class T>
void store(std::byte* to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<std::byte>(value >> (8 * (sizeof(T) - 1 - i)));
}

std::string_view text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// The key stream of XOR-MAPPED-ADDRESS: the cookie and the transaction id, as they stand in the header.
std::byte xor_byte(ByteView header, std::size_t i) { return header[4 + i]; }

/// RFC 8489 sections 14.1 and 14.2.
std::optional<SocketAddress> parse_address(ByteView value, ByteView header, StunAttribute type) {
  if (value.size() != 8 && value.size() != 20) return std::nullopt;
  if (value[1] != (value.size() == 8 ? kFamilyV4 : kFamilyV6)) return std::nullopt;
  const bool is_xored = type == StunAttribute::xor_mapped_address;
  std::array<std::byte, 16> bytes{};
  for (std::size_t i = 0; i + 4 < value.size(); ++i) {
    bytes[i] = is_xored ? value[4 + i] ^ xor_byte(header, i) : value[4 + i];
  }
  SocketAddress address;
  address.port = static_cast<std::uint16_t>(load<std::uint16_t>(value, 2) ^ (is_xored ? kMagicCookie >> 16 : 0));
  address.ip = value.size() == 8 ? IpAddress::v4(std::span(bytes).first<4>()) : IpAddress::v6(bytes);
  return address;
}

/// RFC 8489 section 14.8.
std::optional<StunErrorCode> parse_error_code(ByteView value) {
  if (value.size() < 4) return std::nullopt;
  const unsigned hundreds = std::to_integer<unsigned>(value[2]) & 7;
  const unsigned number = std::to_integer<unsigned>(value[3]);
  if (hundreds < 3 || hundreds > 6 || number > 99) return std::nullopt;
  return static_cast<StunErrorCode>(hundreds * 100 + number);
}

bool must_be_understood(std::uint16_t type) { return type < 0x8000; }

/// Takes one attribute into the message; false where its value is malformed. Of two the first one counts.
bool take_attribute(StunMessage& message, StunAttribute type, ByteView value, ByteView header) {
  const auto number = [&]<class T>(std::optional<T>& to) {
    if (value.size() != sizeof(T)) return false;
    if (!to) to = load<T>(value, 0);
    return true;
  };
  const auto address = [&](std::optional<SocketAddress>& to) {
    const auto parsed = parse_address(value, header, type);
    if (!to) to = parsed;
    return parsed.has_value();
  };
  switch (type) {
    case StunAttribute::username:
      if (value.size() > 513) return false;  // section 14.3: fewer than 509 bytes; libraries differ by a few
      if (!message.username) message.username = text_of(value);
      return true;
    case StunAttribute::priority:
      return number(message.priority);
    case StunAttribute::ice_controlling:
      return number(message.controlling);
    case StunAttribute::ice_controlled:
      return number(message.controlled);
    case StunAttribute::use_candidate:
      message.use_candidate = true;
      return value.empty();
    case StunAttribute::xor_mapped_address:
      return address(message.xor_mapped_address);
    case StunAttribute::mapped_address:
      return address(message.mapped_address);
    case StunAttribute::error_code: {
      const auto code = parse_error_code(value);
      if (code && !message.error_code) {
        message.error_code = code;
        message.error_reason = text_of(value.subspan(4));
      }
      return code.has_value();
    }
    case StunAttribute::unknown_attributes:
    case StunAttribute::message_integrity_sha256:
    case StunAttribute::software:
      return true;
    default:
      if (must_be_understood(static_cast<std::uint16_t>(type)) && message.unknown_count < message.unknown.size()) {
        message.unknown[message.unknown_count++] = static_cast<std::uint16_t>(type);
      }
      return true;
  }
}

}  // namespace

bool looks_like_stun(ByteView datagram) {
  return datagram.size() >= kHeaderSize && (datagram[0] & std::byte{0xc0}) == std::byte{} &&
         load<std::uint32_t>(datagram, 4) == kMagicCookie;
}

std::optional<StunMessage> StunMessage::parse(ByteView datagram) {
  if (!looks_like_stun(datagram)) return std::nullopt;
  const std::size_t length = load<std::uint16_t>(datagram, 2);
  if (length % 4 != 0 || kHeaderSize + length != datagram.size()) return std::nullopt;

  StunMessage message;
  message.bytes_ = datagram;
  // RFC 8489 section 5: the class's two bits lie between the method's.
  const auto type = load<std::uint16_t>(datagram, 0);
  message.message_class = static_cast<StunClass>((type >> 4 & 1) | (type >> 7 & 2));
  message.method = static_cast<StunMethod>((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
  std::ranges::copy(datagram.subspan(8, 12), message.transaction.bytes.begin());

  const ByteView header = datagram.first(kHeaderSize);
  std::size_t offset = kHeaderSize;
  while (offset < datagram.size()) {
    if (message.has_fingerprint) return std::nullopt;  // it is the last attribute
    if (datagram.size() - offset < kAttributeHeaderSize) return std::nullopt;
    const auto attribute = static_cast<StunAttribute>(load<std::uint16_t>(datagram, offset));
    const std::size_t size = load<std::uint16_t>(datagram, offset + 2);
    const std::size_t begin = offset + kAttributeHeaderSize;
    if (padded(size) > datagram.size() - begin) return std::nullopt;
    const ByteView value = datagram.subspan(begin, size);
    if (attribute == StunAttribute::fingerprint) {
      if (size != kFingerprintSize) return std::nullopt;
      if (load<std::uint32_t>(value, 0) != (crc32(datagram.first(offset)) ^ kFingerprintMask)) return std::nullopt;
      message.has_fingerprint = true;
    } else if (message.has_integrity) {
      // Not covered by it: whoever is on the way could have added this.
    } else if (attribute == StunAttribute::message_integrity) {
      if (size != kIntegritySize) return std::nullopt;
      message.has_integrity = true;
      message.integrity_offset_ = offset;
    } else if (!take_attribute(message, attribute, value, header)) {
      return std::nullopt;
    }
    offset = begin + padded(size);
  }
  return message;
}

bool StunMessage::is_authentic(std::string_view key) const {
  if (!has_integrity) return false;
  // The HMAC is over a header whose length ends with MESSAGE-INTEGRITY (RFC 8489 section 14.5).
  std::array<std::byte, kHeaderSize> header;
  std::ranges::copy(bytes_.first(kHeaderSize), header.begin());
  const std::size_t end = integrity_offset_ + kAttributeHeaderSize + kIntegritySize;
  store(header.data() + 2, static_cast<std::uint16_t>(end - kHeaderSize));
  const auto digest = hmac_sha1(key, header, bytes_.subspan(kHeaderSize, integrity_offset_ - kHeaderSize));
  return equal_in_constant_time(digest, bytes_.subspan(integrity_offset_ + kAttributeHeaderSize, kIntegritySize));
}

StunWriter::StunWriter(StunClass message_class, StunMethod method, const TransactionId& transaction,
                       std::vector<std::byte> memory)
    : bytes_(std::move(memory)) {
  bytes_.clear();
  bytes_.reserve(kUsualSize);
  bytes_.resize(kHeaderSize);
  const auto m = static_cast<unsigned>(method);
  const auto c = static_cast<unsigned>(message_class);
  const unsigned type = (m & 0xf) | (m & 0x70) << 1 | (m & 0xf80) << 2 | (c & 1) << 4 | (c & 2) << 7;
  store(bytes_.data(), static_cast<std::uint16_t>(type));
  store(bytes_.data() + 4, kMagicCookie);
  std::ranges::copy(transaction.bytes, bytes_.begin() + 8);
}

std::size_t StunWriter::reserve(StunAttribute type, std::size_t size) {
  const std::size_t offset = bytes_.size();
  const std::size_t begin = offset + kAttributeHeaderSize;
  bytes_.resize(begin + padded(size));
  store(bytes_.data() + offset, static_cast<std::uint16_t>(type));
  store(bytes_.data() + offset + 2, static_cast<std::uint16_t>(size));
  return begin;
}

void StunWriter::add(StunAttribute type, std::string_view text) {
  const std::size_t begin = reserve(type, text.size());
  std::ranges::copy(std::as_bytes(std::span(text)), bytes_.begin() + static_cast<std::ptrdiff_t>(begin));
}

void StunWriter::add_username(std::string_view asked, std::string_view asking) {
  const std::size_t begin = reserve(StunAttribute::username, asked.size() + 1 + asking.size());
  const auto to = bytes_.begin() + static_cast<std::ptrdiff_t>(begin);
  std::ranges::copy(std::as_bytes(std::span(asked)), to);
  to[static_cast<std::ptrdiff_t>(asked.size())] = std::byte{':'};
  std::ranges::copy(std::as_bytes(std::span(asking)), to + static_cast<std::ptrdiff_t>(asked.size()) + 1);
}

void StunWriter::add_number(StunAttribute type, std::uint64_t number) {
  const std::size_t begin = reserve(type, sizeof number);
  store(bytes_.data() + begin, number);
}

void StunWriter::add_priority(std::uint32_t priority) {
  const std::size_t begin = reserve(StunAttribute::priority, sizeof priority);
  store(bytes_.data() + begin, priority);
}

void StunWriter::add_xor_mapped_address(const SocketAddress& address) {
  const ByteView ip = address.ip.bytes();
  const std::size_t begin = reserve(StunAttribute::xor_mapped_address, 4 + ip.size());
  bytes_[begin + 1] = address.ip.is_v4() ? kFamilyV4 : kFamilyV6;
  store(bytes_.data() + begin + 2, static_cast<std::uint16_t>(address.port ^ (kMagicCookie >> 16)));
  for (std::size_t i = 0; i < ip.size(); ++i) bytes_[begin + 4 + i] = ip[i] ^ xor_byte(bytes_, i);
}

void StunWriter::add_error_code(StunErrorCode code, std::string_view reason) {
  const std::size_t begin = reserve(StunAttribute::error_code, 4 + reason.size());
  bytes_[begin + 2] = static_cast<std::byte>(static_cast<unsigned>(code) / 100);
  bytes_[begin + 3] = static_cast<std::byte>(static_cast<unsigned>(code) % 100);
  std::ranges::copy(std::as_bytes(std::span(reason)), bytes_.begin() + static_cast<std::ptrdiff_t>(begin + 4));
}

void StunWriter::add_unknown_attributes(std::span<const std::uint16_t> types) {
  const std::size_t begin = reserve(StunAttribute::unknown_attributes, 2 * types.size());
  for (std::size_t i = 0; i < types.size(); ++i) store(bytes_.data() + begin + 2 * i, types[i]);
}

void StunWriter::set_length(std::size_t attributes_end) {
  store(bytes_.data() + 2, static_cast<std::uint16_t>(attributes_end - kHeaderSize));
}

void StunWriter::add_integrity(std::string_view key) {
  const std::size_t covered = bytes_.size();
  const std::size_t begin = reserve(StunAttribute::message_integrity, kIntegritySize);
  set_length(bytes_.size());
  std::ranges::copy(hmac_sha1(key, ByteView(bytes_).first(covered)),
                    bytes_.begin() + static_cast<std::ptrdiff_t>(begin));
}

std::vector<std::byte> StunWriter::finish() {
  const std::size_t covered = bytes_.size();
  const std::size_t begin = reserve(StunAttribute::fingerprint, kFingerprintSize);
  set_length(bytes_.size());
  store(bytes_.data() + begin, crc32(ByteView(bytes_).first(covered)) ^ kFingerprintMask);
  return std::move(bytes_);
}

}  // namespace wdc::ice
