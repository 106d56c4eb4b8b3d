// SPDX-License-Identifier: MIT
#include "src/native/sctp/packet/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#endif

#if defined(__aarch64__) && defined(__linux__) && !defined(__ARM_FEATURE_CRC32)
// Reads what the kernel handed the process at its start; <sys/auxv.h> would bring more of the system into this room.
extern "C" unsigned long getauxval(unsigned long type);
#endif

namespace wdc::sctp {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // Castagnoli, bits reversed

// ---- portable: eight bytes a step through eight tables

consteval std::array<std::array<std::uint32_t, 256>, 8> make_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t state = i;
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) != 0 ? kPolynomial : 0);
    tables[0][i] = state;
  }
  for (std::size_t table = 1; table < 8; ++table) {
    for (std::size_t i = 0; i < 256; ++i) {
      const std::uint32_t previous = tables[table - 1][i];
      tables[table][i] = (previous >> 8) ^ tables[0][previous & 0xff];
    }
  }
  return tables;
}
constexpr auto kTables = make_tables();

std::uint64_t load_little_endian(const std::byte* data) {
  std::uint64_t word;
  std::memcpy(&word, data, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  return word;
}

std::uint32_t update_portable(std::uint32_t state, const std::byte* data, std::size_t size) {
  for (; size >= 8; data += 8, size -= 8) {
    const std::uint64_t word = load_little_endian(data) ^ state;
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < 8; ++i) next ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
    state = next;
  }
  for (; size > 0; ++data, --size)
    state = (state >> 8) ^ kTables[0][(state ^ static_cast<std::uint32_t>(*data)) & 0xff];
  return state;
}

// ---- x86-64: the crc32 instruction has a latency of three and a throughput of one, so three blocks are worked on at
// once. Each part's state is then moved past the blocks behind it by one carry-less multiplication.

#if defined(__x86_64__)

/// x^exponent modulo the polynomial, bits reversed: bit 31 is x^0.
consteval std::uint32_t power_of_x(std::size_t exponent) {
  std::uint32_t value = 0x80000000;
  for (std::size_t i = 0; i < exponent; ++i) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
  return value;
}

/// Moves a state past `kBytes` zero bytes. The product of two reversed words stands one bit low, and crc32 of 64 bits
/// multiplies by x^32 more: hence 33 less.
template <std::size_t kBytes>
__attribute__((target("sse4.2,pclmul"), always_inline)) inline std::uint64_t shifted(std::uint64_t state) {
  constexpr std::uint32_t kFactor = power_of_x(8 * kBytes - 33);
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(state)),
                                               _mm_cvtsi32_si128(static_cast<int>(kFactor)), 0);
  return _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(product)));
}

template <std::size_t kBlock>
__attribute__((target("sse4.2,pclmul"))) std::uint64_t three_blocks(std::uint64_t state, const std::byte* data) {
  std::uint64_t second = 0;
  std::uint64_t third = 0;
  for (std::size_t at = 0; at < kBlock; at += 8) {
    state = _mm_crc32_u64(state, load_little_endian(data + at));
    second = _mm_crc32_u64(second, load_little_endian(data + kBlock + at));
    third = _mm_crc32_u64(third, load_little_endian(data + 2 * kBlock + at));
  }
  return shifted<2 * kBlock>(state) ^ shifted<kBlock>(second) ^ third;
}

__attribute__((target("sse4.2,pclmul"))) std::uint32_t update_sse42(std::uint32_t state32, const std::byte* data,
                                                                    std::size_t size) {
  constexpr std::size_t kLarge = 384;  // three are 1,152 bytes: nearly the whole of a usual packet
  constexpr std::size_t kSmall = 48;
  std::uint64_t state = state32;
  for (; size >= 3 * kLarge; data += 3 * kLarge, size -= 3 * kLarge) state = three_blocks<kLarge>(state, data);
  for (; size >= 3 * kSmall; data += 3 * kSmall, size -= 3 * kSmall) state = three_blocks<kSmall>(state, data);
  for (; size >= 8; data += 8, size -= 8) state = _mm_crc32_u64(state, load_little_endian(data));
  for (; size > 0; ++data, --size) {
    state = _mm_crc32_u8(static_cast<std::uint32_t>(state), static_cast<unsigned char>(*data));
  }
  return static_cast<std::uint32_t>(state);
}

bool has_instructions() { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"); }
constexpr Crc32cImplementation kAccelerated{"sse4.2", update_sse42};

#elif defined(__aarch64__)

#if !defined(__clang__)
__attribute__((target("+crc")))
#else
__attribute__((target("crc")))
#endif
std::uint32_t
update_arm(std::uint32_t state, const std::byte* data, std::size_t size) {
  for (; size >= 8; data += 8, size -= 8) state = __crc32cd(state, load_little_endian(data));
  for (; size > 0; ++data, --size) state = __crc32cb(state, static_cast<unsigned char>(*data));
  return state;
}

bool has_instructions() {
#if defined(__ARM_FEATURE_CRC32)
  return true;
#elif defined(__linux__)
  constexpr unsigned long kHardwareCapabilities = 16;  // AT_HWCAP
  constexpr unsigned long kCrc32 = 1UL << 7;           // HWCAP_CRC32
  return (getauxval(kHardwareCapabilities) & kCrc32) != 0;
#else
  return false;
#endif
}
constexpr Crc32cImplementation kAccelerated{"armv8-crc", update_arm};

#else
bool has_instructions() { return false; }
constexpr Crc32cImplementation kAccelerated{"none", update_portable};
#endif

constexpr std::array<Crc32cImplementation, 2> kImplementations{{{"portable", update_portable}, kAccelerated}};

}  // namespace

std::span<const Crc32cImplementation> crc32c_implementations() {
  static const std::size_t count = has_instructions() ? 2 : 1;
  return std::span(kImplementations).first(count);
}

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  static const auto update = crc32c_implementations().back().update;
  return ~update(~std::uint32_t{0}, bytes.data(), bytes.size());
}

}  // namespace wdc::sctp
