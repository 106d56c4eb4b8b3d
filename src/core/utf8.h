// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

namespace wdc::core {

/// Whether the bytes are well-formed UTF-8 (RFC 3629): no surrogates, nothing overlong, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::span<const std::byte> bytes) noexcept;

}  // namespace wdc::core
