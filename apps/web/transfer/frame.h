// SPDX-License-Identifier: MIT
// The frames of docs/wire/transfer.md.
#pragma once

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
inline constexpr std::uint32_t kMinWindow = 65'536;
inline constexpr std::uint32_t kMaxWindow = std::uint32_t{16} << 20;
/// Bytes before the file's in a DATA frame.
inline constexpr std::size_t kDataHeader = 16;

struct Hello {};
/// The texts point into the frame.
struct Offer {
  std::uint32_t id;
  std::uint64_t size;
  std::string_view name;
  std::string_view type;
};
struct Accept {
  std::uint32_t id;
  std::uint32_t window;
};
struct Stop {
  std::uint32_t id;
  Reason reason;
};
/// `bytes` point into the frame.
struct Data {
  std::uint32_t id;
  std::uint64_t offset;
  std::span<const std::byte> bytes;
};
struct Ack {
  std::uint32_t id;
  std::uint64_t received;
};
struct Finish {
  std::uint32_t id;
  std::uint64_t size;
  Digest sha256;
};
struct Done {
  std::uint32_t id;
  Digest sha256;
};
struct Cancel {
  std::uint32_t id;
  Reason reason;
};
using Frame = std::variant<Hello, Offer, Accept, Stop, Data, Ack, Finish, Done, Cancel>;

/// Checks everything that one frame alone can show.
[[nodiscard]] Checked<Frame> parse(std::span<const std::byte> frame);

/// REQUIRES: texts within their limits.
[[nodiscard]] std::vector<std::byte> encode(const Frame& frame);
/// The header of a DATA frame whose bytes stand behind it already.
void write_data_header(std::span<std::byte, kDataHeader> header, std::uint32_t id, std::uint64_t offset) noexcept;

}  // namespace wdc::transfer
