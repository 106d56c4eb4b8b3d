// SPDX-License-Identifier: MIT
#include "apps/web/transfer/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace wdc::transfer {
namespace {

// FIPS 180-4 section 4.2.2.
constexpr std::array<std::uint32_t, 64> kRoundConstants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t load(const std::byte* bytes) {
  return std::to_integer<std::uint32_t>(bytes[0]) << 24 | std::to_integer<std::uint32_t>(bytes[1]) << 16 |
         std::to_integer<std::uint32_t>(bytes[2]) << 8 | std::to_integer<std::uint32_t>(bytes[3]);
}

}  // namespace

void Sha256::compress(const std::byte* blocks, std::size_t count) noexcept {
  auto state = state_;
  for (; count > 0; --count, blocks += kBlockSize) {
    std::array<std::uint32_t, 64> w;
    for (std::size_t t = 0; t < 16; ++t) w[t] = load(blocks + 4 * t);
    for (std::size_t t = 16; t < 64; ++t) {
      const auto small0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ (w[t - 15] >> 3);
      const auto small1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ (w[t - 2] >> 10);
      w[t] = w[t - 16] + small0 + w[t - 7] + small1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (std::size_t t = 0; t < 64; ++t) {
      const auto big1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      const auto choose = (e & f) ^ (~e & g);
      const auto t1 = h + big1 + choose + kRoundConstants[t] + w[t];
      const auto big0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      const auto majority = (a & b) ^ (a & c) ^ (b & c);
      h = g;
      g = f;
      f = e;
      e = d + t1;
      d = c;
      c = b;
      b = a;
      a = t1 + big0 + majority;
    }
    const std::array<std::uint32_t, 8> added{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < state.size(); ++i) state[i] += added[i];
  }
  state_ = state;
}

void Sha256::update(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return;
  const auto waiting = static_cast<std::size_t>(length_ % kBlockSize);
  length_ += bytes.size();
  if (waiting > 0) {
    const auto taken = std::min(bytes.size(), kBlockSize - waiting);
    std::memcpy(pending_.data() + waiting, bytes.data(), taken);
    if (waiting + taken < kBlockSize) return;
    compress(pending_.data(), 1);
    bytes = bytes.subspan(taken);
  }
  const auto whole = bytes.size() / kBlockSize;
  compress(bytes.data(), whole);
  const auto rest = bytes.subspan(whole * kBlockSize);
  if (!rest.empty()) std::memcpy(pending_.data(), rest.data(), rest.size());
}

// FIPS 180-4 section 5.1.1: a one bit, zeros, and the length in bits fill the last block.
Digest Sha256::finish() noexcept {
  const auto bits = length_ * 8;
  const auto waiting = static_cast<std::size_t>(length_ % kBlockSize);
  std::array<std::byte, 2 * kBlockSize> padding{};
  padding[0] = std::byte{0x80};
  const auto size = (waiting < 56 ? 64 : 128) - waiting;
  for (std::size_t i = 0; i < 8; ++i) padding[size - 1 - i] = static_cast<std::byte>(bits >> (8 * i));
  update(std::span(padding).first(size));

  Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::byte>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

std::string to_hex(const Digest& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const auto byte : digest) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

}  // namespace wdc::transfer
