// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "src/native/dtls/bytes.h"
#include "wdc/error.h"

namespace wdc::dtls {

/// The hashes a fingerprint may have here: SHA-256 or better. Others of RFC 8122 are too weak to name a peer by.
enum class HashFunction : std::uint8_t { sha_256, sha_384, sha_512 };

[[nodiscard]] constexpr std::size_t digest_size(HashFunction hash) {
  return hash == HashFunction::sha_256 ? 32 : hash == HashFunction::sha_384 ? 48 : 64;
}
/// As in SDP: "sha-256".
[[nodiscard]] std::string_view name(HashFunction hash);

/// The hash of a certificate (RFC 8122 section 5).
struct Fingerprint {
  HashFunction hash = HashFunction::sha_256;
  std::array<std::byte, 64> digest{};  // digest_size(hash) of them

  /// "sha-256" and "12:AB:...", either case. Errors: unsupported (another hash function), invalid_argument.
  [[nodiscard]] static Result<Fingerprint> parse(std::string_view algorithm, std::string_view value);
  /// Of a certificate in DER.
  [[nodiscard]] static Result<Fingerprint> of(ByteView certificate, HashFunction hash);
  /// "12:AB:...", as in SDP.
  [[nodiscard]] std::string value() const;

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

/// An a=fingerprint line.
struct FingerprintText {
  std::string_view algorithm;
  std::string_view value;
};

/// Those that this room can check. Errors: invalid_argument (one is malformed), unsupported (none can be checked).
[[nodiscard]] Result<std::vector<Fingerprint>> parse_fingerprints(std::span<const FingerprintText> texts);

/// Whether the certificate has every one of them. Errors: negotiation_failed, which names the first that differs;
/// invalid_argument where there are none.
[[nodiscard]] Result<void> check_fingerprints(ByteView certificate, std::span<const Fingerprint> expected);

}  // namespace wdc::dtls
