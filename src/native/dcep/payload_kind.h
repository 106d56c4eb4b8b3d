// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace wdc::dcep {

enum class PayloadKind : std::uint8_t { control, text, binary };

/// RFC 8831 section 8 and RFC 8832 section 8.1. SCTP cannot carry an empty message: those have PPIDs of their own and
/// one byte that does not count.
inline constexpr std::uint32_t kPpidControl = 50;
inline constexpr std::uint32_t kPpidText = 51;
inline constexpr std::uint32_t kPpidBinaryPartial = 52;  // deprecated
inline constexpr std::uint32_t kPpidBinary = 53;
inline constexpr std::uint32_t kPpidTextPartial = 54;  // deprecated
inline constexpr std::uint32_t kPpidTextEmpty = 56;
inline constexpr std::uint32_t kPpidBinaryEmpty = 57;

struct PayloadMeaning {
  PayloadKind kind{};
  bool empty = false;  // whatever bytes there are
};

/// Empty for a PPID that no data channel uses.
[[nodiscard]] constexpr std::optional<PayloadMeaning> payload_meaning(std::uint32_t ppid) {
  switch (ppid) {
    case kPpidControl:
      return PayloadMeaning{PayloadKind::control, false};
    case kPpidText:
    case kPpidTextPartial:
      return PayloadMeaning{PayloadKind::text, false};
    case kPpidBinary:
    case kPpidBinaryPartial:
      return PayloadMeaning{PayloadKind::binary, false};
    case kPpidTextEmpty:
      return PayloadMeaning{PayloadKind::text, true};
    case kPpidBinaryEmpty:
      return PayloadMeaning{PayloadKind::binary, true};
    default:
      return std::nullopt;
  }
}

/// The PPID of a message; an empty one is to be sent as a single zero byte.
[[nodiscard]] constexpr std::uint32_t ppid_for(PayloadKind kind, std::size_t size) {
  if (kind == PayloadKind::control) return kPpidControl;
  if (kind == PayloadKind::text) return size == 0 ? kPpidTextEmpty : kPpidText;
  return size == 0 ? kPpidBinaryEmpty : kPpidBinary;
}

}  // namespace wdc::dcep
