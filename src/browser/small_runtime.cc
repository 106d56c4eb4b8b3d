// SPDX-License-Identifier: MIT
#include <__verbose_abort>
#include <cstddef>
#include <cstdlib>
#include <new>

// libc++'s own of these print why they abort, and with the printing comes all of stdio: half of a small module. Here a
// trap tells the host as much. Weak: a program may bring its own, and bringing one of them does not meet the rest.

[[gnu::weak]] void std::__libcpp_verbose_abort(const char*, ...) noexcept { __builtin_trap(); }

[[gnu::weak]] void* operator new(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) __builtin_trap();
  return memory;
}
[[gnu::weak]] void* operator new[](std::size_t size) { return ::operator new(size); }
[[gnu::weak]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::weak]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::weak]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
