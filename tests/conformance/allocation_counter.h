// SPDX-License-Identifier: MIT
// The suite's own operator new, which counts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace conformance {

/// Calls of operator new since the start.
[[nodiscard]] std::uint64_t allocations() noexcept;
/// Those not given back yet.
[[nodiscard]] std::int64_t live_allocations() noexcept;
/// Linear memory in WebAssembly; 0 where there is no such thing.
[[nodiscard]] std::size_t memory_bytes() noexcept;

}  // namespace conformance
