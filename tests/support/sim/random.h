// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "src/native/sctp/random_source.h"

namespace wdc::sim {

/// Seeded pseudo-random numbers (splitmix64): the same on every machine.
class Random final : public sctp::RandomSource {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t value = (state_ += 0x9e3779b97f4a7c15U);
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
  }
  // As the standard library's algorithms want it.
  using result_type = std::uint64_t;
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() { return next(); }
  /// 0 to bound - 1.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) < probability * 9007199254740992.0;  // 2^53
  }

 private:
  std::uint64_t state_;
};

}  // namespace wdc::sim
