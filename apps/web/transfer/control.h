// SPDX-License-Identifier: MIT
// The messages of docs/wire/transfer.md, files apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "apps/web/transfer/sha256.h"

namespace wdc::transfer {

/// Why the other end cannot be trusted to speak the protocol.
struct Violation {
  std::string text;
};
template <class T>
using Checked = std::expected<T, Violation>;

/// Why a transfer ended early.
enum class Reason : std::uint8_t { declined = 1, cancelled, read_failed, write_failed, hash_mismatch };
[[nodiscard]] std::string_view name(Reason reason) noexcept;

inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 40;
/// Bytes before the file's in CONTENT, and the shortest of all messages.
inline constexpr std::size_t kHeaderSize = 8;

/// The texts point into the message.
struct Offer {
  std::uint32_t id;
  std::uint64_t size;
  std::string_view name;
  std::string_view type;
};
struct Accept {
  std::uint32_t id;
};
struct Stop {
  std::uint32_t id;
  Reason reason;
};
struct Done {
  std::uint32_t id;
  Digest sha256;
};
struct Cancel {
  std::uint32_t id;
  Reason reason;
};
using Control = std::variant<Offer, Accept, Stop, Done, Cancel>;

/// Checks everything that one message alone can show.
[[nodiscard]] Checked<Control> parse(std::span<const std::byte> message);

/// REQUIRES: texts within their limits.
[[nodiscard]] std::vector<std::byte> encode(const Control& control);

/// Whether these are the first bytes of CONTENT.
[[nodiscard]] bool is_content(std::span<const std::byte> bytes) noexcept;
/// The id of the file whose content begins with these bytes. REQUIRES: is_content(bytes).
[[nodiscard]] Checked<std::uint32_t> parse_content_header(std::span<const std::byte> bytes);
[[nodiscard]] std::array<std::byte, kHeaderSize> encode_content_header(std::uint32_t id) noexcept;

}  // namespace wdc::transfer
