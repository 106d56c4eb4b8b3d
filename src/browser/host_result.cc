// SPDX-License-Identifier: MIT
#include "src/browser/host_result.h"

#include <utility>

namespace wdc::browser {

std::string take_text(host::Number slot) {
  if (slot == 0) return {};
  std::string text(host::slot_size(slot), '\0');
  host::slot_read(slot, text.data(), text.size());
  return text;
}

std::optional<std::string> take_optional_text(host::Number slot) {
  if (slot == 0) return std::nullopt;
  return take_text(slot);
}

Error take_error(std::int32_t result) {
  const auto code = static_cast<Errc>(-result);
  const double value = host::error_value();
  const double limit = host::error_limit();
  auto detail = take_text(host::error_detail());
  if (value < 0) return Error(code, std::move(detail));
  return Error(code, static_cast<std::uint64_t>(value), static_cast<std::uint64_t>(limit), std::move(detail));
}

Error event_error(std::int32_t code, host::Number detail) { return Error(static_cast<Errc>(code), take_text(detail)); }

}  // namespace wdc::browser
