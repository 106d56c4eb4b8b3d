// SPDX-License-Identifier: MIT
#include <atomic>
#include <cstddef>

#include "benchmarks/native/home.h"

namespace {
std::atomic<std::uint64_t> bytes{0};
}  // namespace

// In place of glibc's, so that every call of the program and of its libraries is counted. A copy of a few bytes, whose
// size the compiler knows, is none.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
void* __memmove_chk(void* to, const void* from, std::size_t size, std::size_t room);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

void* memcpy(void* to, const void* from, std::size_t size) {
  bytes.fetch_add(size, std::memory_order_relaxed);
  return __memmove_chk(to, from, size, size);
}
void* memmove(void* to, const void* from, std::size_t size) {
  bytes.fetch_add(size, std::memory_order_relaxed);
  return __memmove_chk(to, from, size, size);
}
}

std::uint64_t wdc::bench::copied_bytes() { return bytes.load(std::memory_order_relaxed); }
