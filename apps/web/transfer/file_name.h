// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wdc::transfer {

inline constexpr std::size_t kMaxNameBytes = 255;  // what file systems take
inline constexpr std::size_t kMaxTypeBytes = 255;

/// A name that can be shown and stored without harm, made of one that came from anywhere: docs/wire/transfer.md,
/// "Names". 1 to kMaxNameBytes bytes of UTF-8.
[[nodiscard]] std::string safe_file_name(std::string_view name);

/// `type` if it is a plain media type (RFC 6838 section 4.2), else "application/octet-stream".
[[nodiscard]] std::string safe_media_type(std::string_view type);

/// At most `limit` bytes of UTF-8 text, cut between characters.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t limit) noexcept;

}  // namespace wdc::transfer
