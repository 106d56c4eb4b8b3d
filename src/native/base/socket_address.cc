// SPDX-License-Identifier: MIT
#include "src/native/base/socket_address.h"

#include <algorithm>
#include <cstring>

namespace wdc::native {
namespace {

unsigned value(std::byte byte) { return std::to_integer<unsigned>(byte); }

std::optional<unsigned> hex_digit(char character) {
  if (character >= '0' && character <= '9') return static_cast<unsigned>(character - '0');
  if (character >= 'a' && character <= 'f') return static_cast<unsigned>(character - 'a' + 10);
  if (character >= 'A' && character <= 'F') return static_cast<unsigned>(character - 'A' + 10);
  return std::nullopt;
}

/// Four decimal numbers without leading zeros, which some read as octal.
bool parse_v4(std::string_view text, std::byte* to) {
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (text.empty() || text[0] != '.') return false;
      text.remove_prefix(1);
    }
    unsigned number = 0;
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits < 4) {
      number = number * 10 + static_cast<unsigned>(text[digits++] - '0');
    }
    if (digits == 0 || digits > 3 || number > 255 || (digits > 1 && text[0] == '0')) return false;
    to[part] = static_cast<std::byte>(number);
    text.remove_prefix(digits);
  }
  return text.empty();
}

bool parse_v6(std::string_view text, std::array<std::byte, 16>& to) {
  std::size_t filled = 0;
  std::optional<std::size_t> gap;  // where "::" stands
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (filled == 16) return false;
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, end);
    if (end == text.size() && group.find('.') != group.npos) {
      if (filled > 12 || !parse_v4(group, to.data() + filled)) return false;
      filled += 4;
      break;
    }
    unsigned number = 0;
    if (group.empty() || group.size() > 4) return false;
    for (const char character : group) {
      const auto digit = hex_digit(character);
      if (!digit) return false;
      number = number * 16 + *digit;
    }
    to[filled++] = static_cast<std::byte>(number >> 8);
    to[filled++] = static_cast<std::byte>(number);
    text.remove_prefix(end);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.starts_with(':')) {
      if (gap) return false;
      gap = filled;
      text.remove_prefix(1);
    } else if (text.empty()) {
      return false;  // a single colon at the end
    }
  }
  if (!gap) return filled == 16;
  if (filled == 16) return false;
  std::move_backward(to.begin() + static_cast<std::ptrdiff_t>(*gap), to.begin() + static_cast<std::ptrdiff_t>(filled),
                     to.end());
  std::fill_n(to.begin() + static_cast<std::ptrdiff_t>(*gap), 16 - filled, std::byte{});
  return true;
}

void append_hex(std::string& text, unsigned number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  bool begun = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = (number >> shift) & 15;
    begun = begun || digit != 0 || shift == 0;
    if (begun) text += kDigits[digit];
  }
}

}  // namespace

IpAddress IpAddress::v4(std::span<const std::byte, 4> bytes) {
  IpAddress address;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(std::span<const std::byte, 16> bytes) {
  IpAddress address;
  const bool mapped = std::ranges::all_of(bytes.first<10>(), [](std::byte byte) { return byte == std::byte{}; }) &&
                      bytes[10] == std::byte{0xff} && bytes[11] == std::byte{0xff};
  if (mapped) return v4(bytes.last<4>());
  address.size_ = 16;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<std::byte, 16> bytes{};
  if (text.find(':') != text.npos) {
    if (!parse_v6(text, bytes)) return std::nullopt;
    return v6(bytes);
  }
  if (!parse_v4(text, bytes.data())) return std::nullopt;
  return v4(std::span(bytes).first<4>());
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes(), [](std::byte byte) { return byte == std::byte{}; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == std::byte{127};
  return std::ranges::all_of(bytes().first(15), [](std::byte byte) { return byte == std::byte{}; }) &&
         bytes_[15] == std::byte{1};
}

bool IpAddress::is_multicast() const {
  if (is_v6()) return bytes_[0] == std::byte{0xff};
  return (value(bytes_[0]) & 0xf0) == 0xe0 ||
         std::ranges::all_of(bytes(), [](std::byte byte) { return byte == std::byte{0xff}; });
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[0] == std::byte{169} && bytes_[1] == std::byte{254};
  return bytes_[0] == std::byte{0xfe} && (value(bytes_[1]) & 0xc0) == 0x80;
}

std::string IpAddress::to_string() const {
  std::string text;
  if (is_v4()) {
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) text += '.';
      text += std::to_string(value(bytes_[i]));
    }
    return text;
  }
  const auto group = [this](std::size_t i) { return value(bytes_[2 * i]) << 8 | value(bytes_[2 * i + 1]); };
  // The first of the longest runs of at least two zero groups is shortened.
  std::size_t gap = 8, gap_size = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t size = 0;
    while (i + size < 8 && group(i + size) == 0) ++size;
    if (size > gap_size) {
      gap = i;
      gap_size = size;
    }
    i += size;
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      text += "::";
      i += gap_size - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    append_hex(text, group(i));
  }
  return text;
}

std::string SocketAddress::to_string() const {
  const std::string host = ip.to_string();
  return (ip.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

}  // namespace wdc::native
