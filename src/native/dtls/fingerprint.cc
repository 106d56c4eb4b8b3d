// SPDX-License-Identifier: MIT
#include "src/native/dtls/fingerprint.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <optional>

namespace wdc::dtls {
namespace {

constexpr std::array kAll{HashFunction::sha_256, HashFunction::sha_384, HashFunction::sha_512};

// Not the C library's, which depend on the locale.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<unsigned> hex_digit(char c) {
  c = lower(c);
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return std::nullopt;
}

const EVP_MD* function_of(HashFunction hash) {
  switch (hash) {
    case HashFunction::sha_384:
      return EVP_sha384();
    case HashFunction::sha_512:
      return EVP_sha512();
    default:
      return EVP_sha256();
  }
}

}  // namespace

std::string_view name(HashFunction hash) {
  return hash == HashFunction::sha_256 ? "sha-256" : hash == HashFunction::sha_384 ? "sha-384" : "sha-512";
}

Result<Fingerprint> Fingerprint::parse(std::string_view algorithm, std::string_view value) {
  const auto* const hash =
      std::ranges::find_if(kAll, [&](HashFunction one) { return same_name(algorithm, name(one)); });
  // What a remote wrote may be anything, so it is not repeated.
  if (hash == kAll.end())
    return fail(Errc::unsupported, "a fingerprint's hash function is none of sha-256, -384, -512");
  Fingerprint fingerprint{*hash, {}};
  const std::size_t size = digest_size(*hash);
  if (value.size() != size * 3 - 1) {
    return fail(Errc::invalid_argument, value.size(), size * 3 - 1,
                "a " + std::string(name(*hash)) + " fingerprint has the wrong length");
  }
  for (std::size_t i = 0; i < size; ++i) {
    const auto high = hex_digit(value[i * 3]);
    const auto low = hex_digit(value[i * 3 + 1]);
    if (!high || !low || (i + 1 < size && value[i * 3 + 2] != ':')) {
      return fail(Errc::invalid_argument, "a " + std::string(name(*hash)) +
                                              " fingerprint is not pairs of hexadecimal digits with colons between");
    }
    fingerprint.digest[i] = static_cast<std::byte>(*high << 4 | *low);
  }
  return fingerprint;
}

Result<Fingerprint> Fingerprint::of(ByteView certificate, HashFunction hash) {
  Fingerprint fingerprint{hash, {}};
  unsigned size = 0;
  if (EVP_Digest(certificate.data(), certificate.size(), reinterpret_cast<unsigned char*>(fingerprint.digest.data()),
                 &size, function_of(hash), nullptr) != 1) {
    return fail(Errc::unsupported, "OpenSSL cannot compute " + std::string(name(hash)));
  }
  return fingerprint;
}

std::string Fingerprint::value() const {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (std::size_t i = 0; i < digest_size(hash); ++i) {
    if (i > 0) text += ':';
    const auto octet = std::to_integer<unsigned>(digest[i]);
    text += kDigits[octet >> 4];
    text += kDigits[octet & 15];
  }
  return text;
}

Result<std::vector<Fingerprint>> parse_fingerprints(std::span<const FingerprintText> texts) {
  std::vector<Fingerprint> fingerprints;
  for (const FingerprintText& text : texts) {
    auto fingerprint = Fingerprint::parse(text.algorithm, text.value);
    if (fingerprint) {
      fingerprints.push_back(*fingerprint);
    } else if (fingerprint.error().code() != Errc::unsupported) {
      return std::unexpected(std::move(fingerprint.error()));
    }
  }
  if (fingerprints.empty()) return fail(Errc::unsupported, "the peer announced no fingerprint of sha-256 or better");
  return fingerprints;
}

Result<void> check_fingerprints(ByteView certificate, std::span<const Fingerprint> expected) {
  if (expected.empty()) return fail(Errc::invalid_argument, "there is no fingerprint to check the certificate against");
  for (const Fingerprint& one : expected) {
    const auto actual = Fingerprint::of(certificate, one.hash);
    if (!actual) return std::unexpected(actual.error());
    if (CRYPTO_memcmp(actual->digest.data(), one.digest.data(), digest_size(one.hash)) != 0) {
      return fail(Errc::negotiation_failed, "the peer's certificate has the " + std::string(name(one.hash)) +
                                                " fingerprint " + actual->value() + ", announced was " + one.value());
    }
  }
  return {};
}

}  // namespace wdc::dtls
