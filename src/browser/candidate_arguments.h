// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "src/browser/host_imports.h"
#include "src/browser/host_result.h"
#include "wdc/peer_connection.h"

namespace wdc::browser {

/// A text that may be absent, as two arguments of an import.
struct OptionalText {
  explicit OptionalText(const std::optional<std::string>& text) noexcept
      : data(text ? text->data() : nullptr), size(text ? text->size() : host::kAbsent) {}
  const char* data;
  std::size_t size;
};

/// A candidate from the arguments of an export; takes the slots.
[[nodiscard]] inline IceCandidate take_candidate(host::Number candidate, host::Number mid, std::int32_t line,
                                                 host::Number fragment) {
  IceCandidate taken{take_text(candidate), take_optional_text(mid), std::nullopt, take_optional_text(fragment)};
  if (line >= 0) taken.sdp_m_line_index = static_cast<std::uint16_t>(line);
  return taken;
}

[[nodiscard]] inline std::int32_t line_of(const IceCandidate& candidate) noexcept {
  return candidate.sdp_m_line_index ? *candidate.sdp_m_line_index : -1;
}

}  // namespace wdc::browser
