// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "src/native/dtls/bytes.h"

namespace wdc::dtls {

enum class AeadAlgorithm : std::uint8_t { aes_128_gcm, aes_256_gcm };
enum class AeadDirection : std::uint8_t { seal, open };

[[nodiscard]] constexpr std::size_t key_size(AeadAlgorithm algorithm) {
  return algorithm == AeadAlgorithm::aes_128_gcm ? 16 : 32;
}

/// One text of a record (RFC 5246 section 6.2.3.3, RFC 5288 section 3), to be sealed or opened where it is: the last 8
/// bytes of the nonce lie in front of it, its tag of 16 bytes behind it.
struct AeadJob {
  std::byte* text = nullptr;
  std::size_t size = 0;
  std::array<std::byte, 12> nonce{};
  std::array<std::byte, 13> additional_data{};
  bool verified = false;  // set by open(); where false, the text is worthless
};

/// One key in one direction. Erases the key when destroyed.
class Aead {
 public:
  virtual ~Aead() = default;
  /// Seals all jobs; false where the implementation failed, and then nothing may be sent.
  /// REQUIRES: made for sealing; no nonce was used before with this key.
  [[nodiscard]] virtual bool seal(std::span<AeadJob> jobs) = 0;
  /// REQUIRES: made for opening.
  virtual void open(std::span<AeadJob> jobs) = 0;
};

/// Who encrypts. One serves all sessions of a thread and outlives what it made.
class AeadProvider {
 public:
  virtual ~AeadProvider() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Null where it failed. REQUIRES: key.size() == key_size(algorithm).
  [[nodiscard]] virtual std::unique_ptr<Aead> create(AeadAlgorithm algorithm, AeadDirection direction,
                                                     ByteView key) = 0;
};

/// Everywhere.
[[nodiscard]] std::unique_ptr<AeadProvider> make_openssl_aead_provider();
/// Intel's multi-buffer library; null where it was not built in or this processor lacks what it takes.
[[nodiscard]] std::unique_ptr<AeadProvider> make_ipsec_mb_aead_provider();
/// The fastest there is here.
[[nodiscard]] std::unique_ptr<AeadProvider> make_best_aead_provider();

}  // namespace wdc::dtls
