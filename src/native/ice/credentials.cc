// SPDX-License-Identifier: MIT
#include "src/native/ice/credentials.h"

#include <string_view>

#include "src/native/ice/candidate.h"

namespace wdc::ice {
namespace {

std::string random_text(native::RandomSource& random, std::size_t size) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static_assert(kAlphabet.size() == 64);
  std::string text;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    bits = i % 8 == 0 ? random.next() : bits >> 6;
    text += kAlphabet[bits & 63];
  }
  return text;
}

bool is_between(std::size_t size, std::size_t least, std::size_t most) { return size >= least && size <= most; }

}  // namespace

Credentials make_credentials(native::RandomSource& random) { return {random_text(random, 8), random_text(random, 24)}; }

bool are_well_formed(const Credentials& credentials) {
  return is_between(credentials.username_fragment.size(), 4, 256) && is_between(credentials.password.size(), 22, 256) &&
         is_ice_text(credentials.username_fragment) && is_ice_text(credentials.password);
}

}  // namespace wdc::ice
