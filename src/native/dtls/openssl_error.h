// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/err.h>

#include <string>

namespace wdc::dtls {

/// What OpenSSL says about its last failure on this thread, whose queue of errors is emptied.
[[nodiscard]] inline std::string openssl_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason != nullptr ? reason : "no reason given";
}

}  // namespace wdc::dtls
