// SPDX-License-Identifier: MIT
#include "report.h"

#include "js_imports.h"

namespace wdc::js {

std::int32_t report(const Error& error) {
  imports::wdc_js_import_fail(error.has_numbers(), static_cast<double>(error.value()),
                              static_cast<double>(error.limit()), error.detail().data(), error.detail().size());
  return -static_cast<std::int32_t>(error.code());
}

std::int32_t report(const Result<void>& result) { return result ? 0 : report(result.error()); }

}  // namespace wdc::js
