// SPDX-License-Identifier: MIT
#include <atomic>
#include <cstddef>

#include "benchmarks/native/home.h"

namespace {
std::atomic<std::uint64_t> count{0};
}  // namespace

// glibc's own names, so that what OpenSSL and the C++ library take is counted too.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t number, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

void* malloc(std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(number, size);
}
void* realloc(void* memory, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
}

std::uint64_t wdc::bench::allocations() { return count.load(std::memory_order_relaxed); }
