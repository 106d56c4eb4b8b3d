// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wdc::sctp {

using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

/// Chunks and parameters lie at multiples of four bytes (RFC 9260 section 3.2).
[[nodiscard]] constexpr std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

template <std::unsigned_integral T>
[[nodiscard]] inline T load_big_endian(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) value = std::byteswap(value);
  return value;
}

template <std::unsigned_integral T>
inline void store_big_endian(std::byte* to, T value) {
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof value);
}

/// The fixed part of a structure of the wire, known to be `kSize` bytes long: offsets are checked by the compiler.
template <std::size_t kSize>
class FixedReader {
 public:
  /// Empty where `bytes` is shorter than the fixed part.
  [[nodiscard]] static std::optional<FixedReader> of(ByteView bytes) {
    if (bytes.size() < kSize) return std::nullopt;
    return FixedReader(bytes.data());
  }
  template <std::unsigned_integral T, std::size_t kOffset>
  [[nodiscard]] T get() const {
    static_assert(kOffset + sizeof(T) <= kSize);
    return load_big_endian<T>(data_ + kOffset);
  }

 private:
  explicit FixedReader(const std::byte* data) : data_(data) {}
  const std::byte* data_;
};

/// The same for writing. REQUIRES: at least `kSize` bytes at `data`.
template <std::size_t kSize>
class FixedWriter {
 public:
  explicit FixedWriter(std::byte* data) : data_(data) {}
  template <std::size_t kOffset, std::unsigned_integral T>
  void set(T value) {
    static_assert(kOffset + sizeof(T) <= kSize);
    store_big_endian(data_ + kOffset, value);
  }

 private:
  std::byte* data_;
};

[[nodiscard]] inline ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

[[nodiscard]] inline std::string text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void copy_bytes(std::byte* to, ByteView from) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

}  // namespace wdc::sctp
