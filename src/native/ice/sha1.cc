// SPDX-License-Identifier: MIT
#include "src/native/ice/sha1.h"

#include <algorithm>
#include <bit>

namespace wdc::ice {
namespace {

std::uint32_t load(const std::byte* from) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(from[i]);
  return value;
}

}  // namespace

void Sha1::update(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t used = size_ % block_.size();
    const std::size_t count = std::min(block_.size() - used, bytes.size());
    std::copy_n(bytes.begin(), count, block_.begin() + static_cast<std::ptrdiff_t>(used));
    size_ += count;
    bytes = bytes.subspan(count);
    if (size_ % block_.size() == 0) process(block_.data());
  }
}

Sha1Digest Sha1::finish() {
  constexpr std::array<std::byte, 64> kPadding{std::byte{0x80}};
  const std::uint64_t bits = size_ * 8;
  const std::size_t used = size_ % block_.size();
  update(std::span(kPadding).first((used < 56 ? 56 : 120) - used));
  std::array<std::byte, 8> length;
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<std::byte>(bits >> (56 - 8 * i));
  update(length);
  Sha1Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::byte>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

void Sha1::process(const std::byte* block) {
  std::array<std::uint32_t, 80> words;
  for (std::size_t i = 0; i < 16; ++i) words[i] = load(block + 4 * i);
  for (std::size_t i = 16; i < 80; ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  auto [a, b, c, d, e] = state_;
  for (std::size_t i = 0; i < 80; ++i) {
    std::uint32_t mixed = 0;
    std::uint32_t constant = 0;
    if (i < 20) {
      mixed = (b & c) | (~b & d);
      constant = 0x5a827999;
    } else if (i < 40) {
      mixed = b ^ c ^ d;
      constant = 0x6ed9eba1;
    } else if (i < 60) {
      mixed = (b & c) | (b & d) | (c & d);
      constant = 0x8f1bbcdc;
    } else {
      mixed = b ^ c ^ d;
      constant = 0xca62c1d6;
    }
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + constant + words[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state_[0] += a;
  state_[1] += b;
  state_[2] += c;
  state_[3] += d;
  state_[4] += e;
}

Sha1Digest hmac_sha1(std::string_view key, std::span<const std::byte> first, std::span<const std::byte> second) {
  std::array<std::byte, 64> pad{};
  const auto key_bytes = std::as_bytes(std::span(key));
  if (key_bytes.size() > pad.size()) {
    Sha1 hash;
    hash.update(key_bytes);
    std::ranges::copy(hash.finish(), pad.begin());
  } else {
    std::ranges::copy(key_bytes, pad.begin());
  }
  for (std::byte& byte : pad) byte ^= std::byte{0x36};
  Sha1 inner;
  inner.update(pad);
  inner.update(first);
  inner.update(second);
  for (std::byte& byte : pad) byte ^= std::byte{0x36 ^ 0x5c};
  Sha1 outer;
  outer.update(pad);
  outer.update(inner.finish());
  return outer.finish();
}

bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) {
  if (a.size() != b.size()) return false;
  std::byte difference{};
  for (std::size_t i = 0; i < a.size(); ++i) difference |= a[i] ^ b[i];
  return difference == std::byte{};
}

}  // namespace wdc::ice
