// SPDX-License-Identifier: MIT
#include "allocation_counter.h"

#include <cstdlib>
#include <new>

namespace {

std::uint64_t allocation_count = 0;
std::int64_t live_count = 0;

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  ++allocation_count;
  // aligned_alloc wants a multiple of the alignment.
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(size == 0 ? 1 : size)
                     : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory != nullptr) ++live_count;
  return memory;
}

void* allocate_or_stop(std::size_t size, std::size_t alignment) noexcept {
  void* memory = allocate(size, alignment);
  if (memory == nullptr) std::abort();
  return memory;
}

void deallocate(void* memory) noexcept {
  if (memory == nullptr) return;
  --live_count;
  std::free(memory);
}

}  // namespace

namespace conformance {

std::uint64_t allocations() noexcept { return allocation_count; }
std::int64_t live_allocations() noexcept { return live_count; }
std::size_t memory_bytes() noexcept {
#if defined(__wasm__)
  return __builtin_wasm_memory_size(0) * 65'536;
#else
  return 0;
#endif
}

}  // namespace conformance

void* operator new(std::size_t size) { return allocate_or_stop(size, 0); }
void* operator new[](std::size_t size) { return allocate_or_stop(size, 0); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 0); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_stop(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_or_stop(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { deallocate(memory); }
void operator delete[](void* memory) noexcept { deallocate(memory); }
void operator delete(void* memory, std::size_t) noexcept { deallocate(memory); }
void operator delete[](void* memory, std::size_t) noexcept { deallocate(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { deallocate(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { deallocate(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { deallocate(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { deallocate(memory); }
