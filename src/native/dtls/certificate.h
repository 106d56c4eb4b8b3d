// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>

#include "src/native/dtls/fingerprint.h"
#include "src/native/dtls/openssl_handles.h"

namespace wdc::dtls {

/// The time of day. It is given, never asked for.
using WallTime = std::chrono::sys_seconds;

struct CertificateOptions {
  /// The subject. Nobody checks it; the same for everyone tells nothing about anyone.
  std::string common_name = "WebRTC";
  /// RFC 8827 section 6.5 wants certificates to be replaced; browsers take 30 days.
  std::chrono::seconds lifetime = std::chrono::days(30);
};

/// Who this end is: a certificate and its private key. Its key is erased when it is destroyed and nothing uses it.
class Certificate {
 public:
  /// Self-signed, with a new ECDSA key on P-256, valid from a day ago, for clocks that disagree.
  [[nodiscard]] static Result<Certificate> make(WallTime now, const CertificateOptions& options = {});
  /// A certificate and its private key in PEM, in this or the other order. ECDSA on P-256, P-384 or P-521, or RSA of
  /// 2048 bits or more. Errors: invalid_argument, which names what is wrong.
  [[nodiscard]] static Result<Certificate> from_pem(std::string_view pem);

  /// To be kept: the certificate, then the private key.
  [[nodiscard]] Result<std::string> to_pem() const;
  [[nodiscard]] std::string certificate_pem() const;

  [[nodiscard]] WallTime valid_from() const { return valid_from_; }
  [[nodiscard]] WallTime valid_until() const { return valid_until_; }
  /// Errors: invalid_argument, which names the day.
  [[nodiscard]] Result<void> check_validity(WallTime now) const;

  [[nodiscard]] Result<Fingerprint> fingerprint(HashFunction hash = HashFunction::sha_256) const;
  /// DER.
  [[nodiscard]] ByteView bytes() const { return bytes_; }

  [[nodiscard]] X509* x509() const { return certificate_.get(); }
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }

 private:
  Certificate(X509Certificate certificate, Key key) : certificate_(std::move(certificate)), key_(std::move(key)) {}
  [[nodiscard]] static Result<Certificate> finish(X509Certificate certificate, Key key);

  X509Certificate certificate_;
  Key key_;
  std::vector<std::byte> bytes_;
  WallTime valid_from_{};
  WallTime valid_until_{};
};

}  // namespace wdc::dtls
