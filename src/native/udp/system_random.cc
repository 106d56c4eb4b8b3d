// SPDX-License-Identifier: MIT
#include "src/native/udp/system_random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace wdc::udp {

void SystemRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const auto got = getrandom(bytes.data(), bytes.size(), 0);
    if (got > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      // There is no safe way on: tags and passwords that can be guessed are worse than none.
      std::abort();
    }
  }
}

std::uint64_t SystemRandom::next() {
  if (left_ == 0) {
    fill(std::as_writable_bytes(std::span(block_)));
    left_ = block_.size();
  }
  return std::exchange(block_[--left_], 0);
}

}  // namespace wdc::udp
