// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "src/native/dtls/aead.h"
#include "src/native/dtls/certificate.h"

namespace wdc::dtls {

/// What the sessions of one certificate share. Outlives them.
class Context {
 public:
  /// `provider` null: the fastest. Errors: invalid_argument (the certificate is not valid at `now`), transport_error.
  [[nodiscard]] static Result<std::unique_ptr<Context>> make(const Certificate& certificate, WallTime now,
                                                             std::unique_ptr<AeadProvider> provider = nullptr);

  [[nodiscard]] SSL_CTX* ssl_context() const { return context_.get(); }
  [[nodiscard]] EVP_KDF* key_derivation() const { return key_derivation_.get(); }
  [[nodiscard]] AeadProvider& aead_provider() const { return *provider_; }

 private:
  Context(SslContext context, KeyDerivation key_derivation, std::unique_ptr<AeadProvider> provider)
      : context_(std::move(context)), key_derivation_(std::move(key_derivation)), provider_(std::move(provider)) {}

  SslContext context_;
  KeyDerivation key_derivation_;
  std::unique_ptr<AeadProvider> provider_;
};

}  // namespace wdc::dtls
