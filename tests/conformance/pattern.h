// SPDX-License-Identifier: MIT
// What messages hold: a function of a seed and of the message's index, so that either end can verify every byte
// (README.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace conformance {

/// The words of one binary message.
class Pattern {
 public:
  Pattern(std::uint32_t seed, std::uint32_t index) noexcept
      : word_(index ^ seed), state_((seed * 0x9E3779B1U) ^ (index * 0x85EBCA77U)) {
    if (state_ == 0) state_ = 1;
  }
  [[nodiscard]] std::byte next() noexcept {
    const auto byte = static_cast<std::byte>((word_ >> (8 * used_)) & 0xFF);
    if (++used_ == 4) advance();
    return byte;
  }

 private:
  void advance() noexcept {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    word_ = state_;
    used_ = 0;
  }
  std::uint32_t word_;
  std::uint32_t state_;
  unsigned used_ = 0;
};

inline void fill_pattern(std::span<std::byte> bytes, std::uint32_t seed, std::uint32_t index) noexcept {
  Pattern pattern(seed, index);
  for (auto& byte : bytes) byte = pattern.next();
}

[[nodiscard]] inline bool has_pattern(std::span<const std::byte> bytes, std::uint32_t seed,
                                      std::uint32_t index) noexcept {
  Pattern pattern(seed, index);
  for (auto byte : bytes)
    if (byte != pattern.next()) return false;
  return true;
}

/// Which message of its stream it is; REQUIRES: at least 4 bytes.
[[nodiscard]] inline std::uint32_t pattern_index(std::span<const std::byte> bytes, std::uint32_t seed) noexcept {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) word |= static_cast<std::uint32_t>(bytes[i]) << (8 * i);
  return word ^ seed;
}

/// Text of exactly `size` bytes of UTF-8: code points of 1 to 4 bytes and NUL, in turn, starting at seed + index.
[[nodiscard]] inline std::string pattern_text(std::size_t size, std::uint32_t seed, std::uint32_t index) {
  using namespace std::string_view_literals;
  static constexpr std::string_view kTurn[] = {"a"sv, "\0"sv, "\u00e9"sv, "\u20ac"sv, "\U0001F600"sv};
  std::string text;
  text.reserve(size);
  for (std::uint32_t turn = seed + index; text.size() < size; ++turn) {
    const auto next = kTurn[turn % 5];
    text += next.size() <= size - text.size() ? next : "z"sv;
  }
  return text;
}

}  // namespace conformance
