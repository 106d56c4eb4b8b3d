// SPDX-License-Identifier: MIT
#include "apps/server/log.h"

namespace wdc::server {

void Log::line(std::string_view text, TimePoint now) {
  if (out_ == nullptr) return;
  if (!budget_.try_take(1, now)) {
    ++suppressed_;
    return;
  }
  if (suppressed_ > 0) *out_ << suppressed_ << " lines suppressed\n";
  suppressed_ = 0;
  *out_ << text << '\n' << std::flush;
}

}  // namespace wdc::server
